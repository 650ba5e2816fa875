"""Fitting one INR, or an ensemble, to thick-slice views of one subject.

A fit prepares a problem from the views, builds a network for it, trains the network, and keeps the
result with what is needed to render it.
"""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from .. import __version__
from ..acquisition.overlap import Field
from ..acquisition.view import View
from ..prior.prior_file import Prior
from .budget import most_steps
from .model_file import INR, TABLE_TYPE
from .network import CoordinateNetwork
from .problem import FitProblem, build_network, prepare_fit
from .settings import FitSettings
from .training import Progress, Training

log = logging.getLogger(__name__)


def fit_inr(
    views: Sequence[View],
    fourier_dim: int,
    settings: FitSettings,
    *,
    field: Field = "crossed",
    device: torch.device | str = "cpu",
    report: Callable[[Progress], None] = lambda progress: None,
    report_every: float = 5.0,
    checkpoint: Path | None = None,
    prior: Prior | None = None,
) -> INR:
    """Fit a network whose slice averages agree with the views.

    Args:
        views: at least one; positions and intensities in their own units.
        fourier_dim: number of Fourier frequencies.
        settings: architecture, optimiser, budget and seed.
        field: that the INR covers.
        device: "cpu" or "cuda".
        report: is called with the progress.
        report_every: seconds between calls of `report`, which is also called at the end.
        checkpoint: file to resume from if it belongs to this fit; it is kept up to date meanwhile
            and removed at the end. A fit that begins at an image keeps none.
        prior: whose image of the views draws the INR where they say nothing; None for their total
            variation, as far as the settings ask for it.

    Returns:
        The fitted INR, on the CPU.

    Raises:
        InputError: fourier_dim is not positive, the views do not overlap or hold intensities that
            are too large for total variation, memory is too small, the loss is not finite.
    """
    begun = time.perf_counter()
    torch.manual_seed(settings.seed)
    problem = prepare_fit(views, fourier_dim, settings, torch.device(device), field, prior)
    network = build_network(problem, settings.seed)
    steps = most_steps(problem.groups, settings, begun=problem.start is not None)
    if problem.start is not None:
        image = "the learned image" if prior else "total variation"
        log.info("the fit begins at %s and takes %d steps at most.", image, steps)
    training = Training(
        network.to(device),
        problem.groups,
        settings,
        # A fit that begins at an image is shorter than its checkpoints would take to write.
        checkpoint=checkpoint if problem.start is None else None,
        smoothing_weight=problem.smoothing_weight,
        target_weight=problem.target_weight,
        max_steps=steps,
        prior=prior.digest if prior else "",
    )
    training.run(report, report_every, begun)
    if problem.start is not None and checkpoint:
        checkpoint.unlink(missing_ok=True)  # of a fit that began otherwise
    return finish(network, problem, views, settings, training)


def finish(
    network: CoordinateNetwork,
    problem: FitProblem,
    views: Sequence[View],
    settings: FitSettings,
    training: Training,
) -> INR:
    """The trained network with all that rendering needs, on the CPU and in evaluation mode."""
    round_table(network)
    return INR(
        network=network.cpu().eval(),
        domain=problem.domain,
        centre=tuple(problem.centre.tolist()),
        scale=problem.scale,
        settings=settings,
        start=None if problem.start is None else problem.start.to("cpu"),
        error=None if problem.error is None else problem.error.to("cpu"),
        views=tuple(view.name for view in views),
        fit_record={
            "version": __version__,
            "torch": torch.__version__,
            # Sums of floating-point numbers are not reproducible across thread counts.
            "threads": torch.get_num_threads(),
            "steps": training.steps,
            "final_loss": training.loss,
        },
    )


@torch.no_grad()
def round_table(network: CoordinateNetwork) -> None:
    """Give the lattice features the precision that they have in a file.

    A model then renders the same before and after it was stored.
    """
    if network.lattices:
        table = network.lattices.table
        table.copy_(table.to(TABLE_TYPE))

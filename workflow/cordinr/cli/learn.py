"""The verb that learns a prior from other people."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import Panel, verb
from .options import Device, Suffix, Threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..prior.learning import LearningReport


@verb(Panel.STEPS, "sourcedata/cohort --exclude-subject sub-01 -o prior.safetensors")
def learn(
    datasets: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATASET", help="Raw BIDS datasets whose images are there to learn from."
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="Prior to write, .safetensors.")
    ],
    exclude_subject: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Subject to leave out of all datasets; repeatable."),
    ] = None,
    fold: Annotated[
        str | None,
        typer.Option(
            metavar="K/N",
            help="Leave out the K-th of N parts, into which all subjects are divided, by site "
            "where sites are known.",
        ),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, metavar="N", help="Steps of learning.")] = 1500,
    batch: Annotated[int, typer.Option(min=1, metavar="N", help="Patches per step.")] = 2,
    per_image: Annotated[
        int, typer.Option(min=1, metavar="N", help="Examples that are simulated of each image.")
    ] = 16,
    phantoms: Annotated[
        int, typer.Option(min=0, metavar="N", help="Phantoms to learn from as well.")
    ] = 20,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.01, metavar="N", help="End learning after this time; not the same every time."
        ),
    ] = None,
    suffix: Suffix = "T2w",
    device: Device = "auto",
    threads: Threads = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of all choices.")] = 0,
) -> None:
    """Learn a prior from the images of other people.

    Views of many kinds are simulated from each image, and a network learns what they do not show. A
    run that was stopped goes on where it was. No image may be reconstructed with a prior that has
    seen that person.
    """
    import sys

    from .. import __version__
    from ..errors import InputError
    from ..files import check_writable
    from ..inr.device import choose_device, use_threads
    from ..prior.examples import make_examples
    from ..prior.folds import divide, refuse_learners
    from ..prior.known import KnownViews
    from ..prior.learning import LearningSettings
    from ..prior.learning import learn as learn_network
    from ..prior.prior_file import Learner, Prior, save_prior
    from .learners import draw_phantoms, find_references

    if output.suffix != ".safetensors":
        raise InputError(f"{output}: a prior is a .safetensors file; choose such a name.")
    check_writable(output)
    chosen = choose_device(device)
    use_threads(threads)
    references = find_references(datasets, suffix, exclude_subject or [])
    people = [Learner(each.person, each.dataset, each.site) for each in references]
    if fold is not None:
        number, count = _read_fold(fold)
        left_out = divide(people, count)[number - 1]
        references = [each for each in references if each.person not in left_out]
    refuse_learners([each.person for each in references])

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def say_examples(done: int, total: int) -> None:
        if done % 10 == 0 or done == total:
            say(f"examples {done}/{total}")

    say(f"learning from {len({each.person for each in references})} people")
    workers = threads or _count_cores()
    examples = make_examples(references, per_image, seed, workers=workers, report=say_examples)
    if phantoms:
        drawn = draw_phantoms(phantoms)
        examples += make_examples(drawn, 1, seed, workers=workers, report=say_examples)
        references += drawn
    settings = LearningSettings(
        steps=steps, batch=batch, seed=seed, seconds=None if minutes is None else 60 * minutes
    )
    checkpoint = output.with_name(f".{output.name}.partial")
    network = learn_network(
        examples,
        settings,
        device=chosen,
        checkpoint=checkpoint,
        report=_progress(say, steps),
    )
    learners = sorted(
        {Learner(each.person, each.dataset, each.site) for each in references},
        key=lambda each: (each.dataset, each.person),
    )
    record = {
        "version": __version__,
        "steps": steps,
        "batch": batch,
        "seed": seed,
        "examples": len(examples),
    }
    known = KnownViews.of(examples)
    save_prior(output, Prior(network, tuple(learners), known, record=record))


def _read_fold(text: str) -> tuple[int, int]:
    """Read "K/N".

    Raises:
        InputError: it is none.
    """
    from ..errors import InputError

    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise InputError(f"--fold {text}: is no part; give K/N with K from 1 to N, such as 1/5.")
    return int(number), int(count)


def _count_cores() -> int:
    import os

    return os.cpu_count() or 1


def _progress(say: "Callable[[str], None]", steps: int) -> "Callable[[LearningReport], None]":
    def show(report: "LearningReport") -> None:
        left = report.seconds / report.part * (1 - report.part)
        say(
            f"step {report.step}/{steps}  {report.gain:+.2f} dB over total variation on patches  "
            f"{left:.0f} s left"
        )

    return show

"""A real scan that no reconstruction has seen: is it predicted from two others of the patient?

From the sagittal and the axial scan of `pelvis-triple`, aligned with each other, each method makes
a volume; the coronal scan is predicted from it by slice profile, at the pose of the coronal scan
that suits this volume best: the best of searches from the pose that alignment found and from those
that suit the mean and the INR, with a fifth of the voxels, gone on with all of them. Correlation
with what was measured, over the voxels of the body that all volumes cover. "alone" is the cubic
interpolation of one scan, "mean" that of both, "TV" total variation with the weight of config.yaml,
which goes by the noise, and others, of which the best is chosen in its favour. The INR is that of
`cordinr reconstruct`. No gain has to be found, as correlation knows none. Writes a picture,
`docs/pelvis.png`. Options: `best` for a mean of four INRs as well, the path of another picture.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image
from scipy.optimize import minimize
from torch.nn.functional import grid_sample

from cordinr.acquisition.domain import FitDomain
from cordinr.acquisition.overlap import coverage
from cordinr.acquisition.view import View
from cordinr.alignment.modes import align
from cordinr.alignment.pose import Pose
from cordinr.bids.view_files import load_views
from cordinr.classical.reconstruct import cubic_mean, reconstruct_baseline
from cordinr.figures.plane_page import GREY, GREY_WINDOW, save_figure
from cordinr.imaging.grid import Grid
from cordinr.inr.fit import fit_inr
from cordinr.inr.render import render_inr
from cordinr.inr.settings import BEST, FitSettings
from cordinr.prior.prior_file import Prior
from cordinr.prior.shipped import shipped_prior

from .markdown import end, heading, row, say
from .reconstructions import default_weight

FOLDER = Path(__file__).parents[2] / "shared/data/pelvis-triple/sub-0000/anat"
PICTURE = Path(__file__).parents[1] / "docs" / "pelvis.png"
VOXEL_MM = 1.0
"""Voxel size of the volumes that are compared: that of the image at which the INR begins."""

FOURIER_DIM = 64
"""That of `cordinr reconstruct`, unless somebody says otherwise."""

TV_WEIGHTS = (0.04, 1.0)
"""Weights of total variation besides that of config.yaml."""

SAMPLES = 5
"""Number of points along the slice profile of a predicted voxel."""

EVERY = 6
"""Every so many voxels of the coronal scan, in its plane, one is predicted."""

SEARCH_EVERY = 5
"""Every so many of these voxels one is taken by the searches."""

BODY = 0.1
"""Least intensity of the body, as a fraction of the 99th percentile of the scan."""

ALL_SEEN = 0.99
"""Least mean of what is seen along the slice profile of a voxel that is compared."""

CELL_INCHES, TITLE_INCHES = 2.4, 0.22
"""Width of an image of the picture, and height of the line above."""

RADIUS_MM = 50.0
"""Distance from the centre at which a rotation is measured in mm."""


def run(options: Sequence[str], device: torch.device) -> None:
    """Predict the coronal scan of the pelvis from volumes by several methods."""
    paths = [FOLDER / f"sub-0000_acq-{name}_T2w.nii.gz" for name in ("sag", "ax", "cor")]
    if not all(path.exists() for path in paths):
        say(f"There are no images at {FOLDER}.")
        return
    sagittal, axial, coronal = load_views(paths)
    start = align([sagittal, axial, coronal]).poses[2]
    alignment = align([sagittal, axial])
    views = alignment.apply([sagittal, axial])
    say(f"Axial scan: {alignment.describe(1)}")
    grid = FitDomain.of(views).grid.resampled(VOXEL_MM)
    seen = coverage(views, grid)
    index = body_voxels(coronal)
    coarse = Predictor(coronal, index[::SEARCH_EVERY], grid, seen, device)
    fine = Predictor(coronal, index, grid, seen, device)
    heading("volume", "correlation with the coronal scan", "its pose, mm", "degrees", "seconds")
    volumes, seconds = {}, {}
    for name, make in _methods(views, grid, device, "best" in options).items():
        started = time.perf_counter()
        volumes[name] = make()
        seconds[name] = time.perf_counter() - started
    # Every volume is searched from where others are best as well: a search may end too soon.
    starts = [start]
    starts += [best_prediction(name, volumes[name], coarse, start).pose for name in ("mean", "INR")]
    found: dict[str, Prediction] = {}
    for name, volume in volumes.items():
        searched = [best_prediction(name, volume, coarse, each) for each in starts]
        best = max(searched, key=lambda each: each.correlation)
        found[name] = best_prediction(name, volume, fine, best.pose)
        pose = found[name].pose
        row(
            *(name, f"{found[name].correlation:.4f}", f"{pose.millimetres:.1f}"),
            *(f"{pose.degrees:.1f}", f"{seconds[name]:.0f}"),
        )
    end()
    variation = max(
        (each for name, each in found.items() if name.startswith("TV")),
        key=lambda each: each.correlation,
    )
    shown = [found[name] for name in ("sagittal alone", "axial alone", "mean")]
    pictures = [Path(option) for option in options if option.endswith(".png")]
    path = pictures[0] if pictures else PICTURE
    draw(path, coronal, [*shown, variation, found["INR"]], grid, seen, device)
    say(f"The picture is {path.name}.")


def _methods(
    views: Sequence[View], grid: Grid, device: torch.device, best: bool
) -> dict[str, Callable[[], np.ndarray]]:
    """What makes the volume of each method."""

    def variation(weight: float) -> np.ndarray:
        return reconstruct_baseline(views, grid, "tv", weight, device)

    def network(settings: FitSettings, prior: Prior | None = None) -> np.ndarray:
        inr = fit_inr(views, FOURIER_DIM, settings, device=device, prior=prior)
        return render_inr(inr, grid, device)

    weights = (default_weight("tv", views), *TV_WEIGHTS)
    methods: dict[str, Callable[[], np.ndarray]] = {
        "mean": partial(cubic_mean, views, grid),
        "sagittal alone": partial(cubic_mean, views[:1], grid),
        "axial alone": partial(cubic_mean, views[1:], grid),
        **{f"TV {weight:.2g}": partial(variation, weight) for weight in weights},
        "INR": partial(network, FitSettings(), shipped_prior()),
        "INR without prior": partial(network, FitSettings()),
    }
    if best:
        ensemble = FitSettings(**BEST)
        name = f"mean of {ensemble.members} INRs"
        methods[name] = partial(network, ensemble, shipped_prior())
    return methods


@dataclass(frozen=True, eq=False)
class Prediction:
    """How well a volume predicts a scan.

    Attributes:
        name: of the method.
        correlation: over the voxels that were compared.
        pose: of the scan, at which it is best.
        volume: what it was predicted from.
    """

    name: str
    correlation: float
    pose: Pose
    volume: np.ndarray


class Predictor:
    """Predicts voxels of a scan from volumes on one grid.

    Args:
        scan: what is predicted.
        index: (n, 3) which of its voxels.
        grid: of the volumes.
        seen: bool, of the shape of the grid: where volumes are known.
        device: where to compute.
    """

    def __init__(
        self, scan: View, index: np.ndarray, grid: Grid, seen: np.ndarray, device: torch.device
    ) -> None:
        offsets, weights = scan.offsets(SAMPLES, 100.0)
        points = scan.volume.grid.world(index)[:, None] + offsets
        self._points = torch.tensor(points.reshape(-1, 3), device=device)
        self._weights = torch.tensor(weights, device=device)
        self._values = torch.tensor(scan.volume.array[tuple(index.T)].astype(float), device=device)
        self._seen = torch.tensor(seen.astype(np.float32), device=device)
        self._grid = grid
        self.device = device

    def predict(self, volume: torch.Tensor, pose: Pose) -> tuple[torch.Tensor, torch.Tensor]:
        """Means (n,) of the volume along the slice profile of each voxel, and whether it is seen.

        Args:
            volume: float32, of the shape of the grid.
            pose: of the scan.
        """
        matrix = np.linalg.inv(self._grid.affine) @ pose.matrix
        turn, shift = (
            torch.tensor(part).to(self._points) for part in (matrix[:3, :3], matrix[:3, 3])
        )
        ends = torch.tensor(self._grid.shape).to(self._points) - 1
        # `grid_sample` has positions from -1 to 1, along the last array axis first.
        at = (2 * (self._points @ turn.T + shift) / ends - 1).flip(-1).float()
        both = torch.stack([volume, self._seen])[None]
        sampled = grid_sample(both, at[None, None, None], align_corners=True)
        means = sampled.reshape(2, -1, len(self._weights)).double() @ self._weights
        return means[0], means[1] > ALL_SEEN

    def correlate(self, volume: torch.Tensor, pose: Pose) -> float:
        """Correlation of the scan with its prediction, where all of a voxel is seen."""
        found, inside = self.predict(volume, pose)
        pair = torch.stack([found[inside], self._values[inside]])
        return float(torch.corrcoef(pair)[0, 1])


def best_prediction(name: str, volume: np.ndarray, predictor: Predictor, start: Pose) -> Prediction:
    """The prediction at the pose of the scan that suits the volume best."""
    tensor = torch.tensor(volume, dtype=torch.float32, device=predictor.device)

    def pose_of(parameters: np.ndarray) -> Pose:
        return Pose(start.centre, parameters[:3] / RADIUS_MM, parameters[3:])

    found = minimize(
        lambda parameters: -predictor.correlate(tensor, pose_of(parameters)),
        np.concatenate([start.rotation * RADIUS_MM, start.translation]),
        method="Powell",
        options={"xtol": 0.01, "ftol": 1e-5},
    )
    pose = pose_of(found.x)
    return Prediction(name, predictor.correlate(tensor, pose), pose, volume)


def body_voxels(scan: View) -> np.ndarray:
    """Indices (n, 3) of every `EVERY`-th voxel of the body, along both axes of the slices."""
    array = scan.volume.array
    index = np.stack(np.unravel_index(np.arange(array.size), array.shape), axis=-1)
    chosen = (index[:, list(scan.in_plane)] % EVERY == 0).all(axis=1)
    return index[chosen & (array.ravel() > BODY * np.percentile(array, 99))]


def draw(
    path: Path,
    scan: View,
    predictions: Sequence[Prediction],
    grid: Grid,
    seen: np.ndarray,
    device: torch.device,
) -> None:
    """Write a picture of the middle slice as it was measured, and as it was predicted.

    Predictions are scaled to the intensities of the scan by least squares, which no correlation
    depends on.
    """
    number = scan.volume.grid.shape[scan.axis] // 2
    shape = [scan.volume.grid.shape[axis] for axis in scan.in_plane]
    index = np.insert(np.indices(shape).reshape(2, -1).T, scan.axis, number, axis=1)
    measured = scan.volume.array[tuple(index.T)]
    predictor = Predictor(scan, index, grid, seen, device)
    images = {"measured": measured}
    for each in predictions:
        tensor = torch.tensor(each.volume, dtype=torch.float32, device=device)
        found, inside = (part.cpu().numpy() for part in predictor.predict(tensor, each.pose))
        slope, offset = np.polyfit(found[inside], measured[inside], 1)
        title = f"{each.name}, correlation {each.correlation:.3f}"
        images[title] = np.where(inside, slope * found + offset, np.nan)
    rows, columns = np.nonzero(np.isfinite(np.array([*images.values()])).all(axis=0).reshape(shape))
    box = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    window = np.percentile(measured, GREY_WINDOW)
    height = (box[1].stop - box[1].start) / (box[0].stop - box[0].start)
    across, down = 3, -(-len(images) // 3)
    figure = Figure(figsize=(across * CELL_INCHES, down * (CELL_INCHES * height + TITLE_INCHES)))
    for k, (title, image) in enumerate(images.items()):
        axes = figure.add_subplot(down, across, k + 1)
        axes.imshow(
            image.reshape(shape)[box].T, cmap=GREY, vmin=window[0], vmax=window[1], origin="lower"
        )
        axes.set_axis_off()
        axes.set_title(title, fontsize=8)
    top = 1 - TITLE_INCHES / figure.get_figheight()
    figure.subplots_adjust(0.005, 0.005, 0.995, top, 0.02, TITLE_INCHES / CELL_INCHES / height)
    save_figure(path, figure)
    # As good as all colours to the eye, at a third of the size.
    colours = Image.open(path).convert("RGB").quantize(128, Image.Quantize.MEDIANCUT)
    colours.save(path, optimize=True)

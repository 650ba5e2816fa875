"""The columns of the figures of one image: its views, reconstructions and renderings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..bids.names import entities
from ..bids.view_files import read_view
from ..errors import InputError
from ..evaluation.best import best_key
from ..evaluation.table import read_metrics
from ..imaging.volume import load_volume
from ..methods import method_name
from .plane_page import Panel
from .resolution import Rendering


def load_view_panels(view_paths: Sequence[Path]) -> list[Panel]:
    """Load views as columns of a figure.

    Raises:
        InputError: a view cannot be read.
    """
    names = [f"{entities(path).get('res', 'thick-slice')} view" for path in view_paths]
    return [
        Panel(name, read_view(path, insist=True).volume)
        for name, path in zip(names, view_paths, strict=True)
    ]


def load_recon_panels(
    inrs: Sequence[Path], baselines: Sequence[Path], metrics: Sequence[Path]
) -> list[Panel]:
    """Load all baselines, and the INR with the highest PSNR over `fov`, as columns of a figure.

    Args:
        inrs: INR reconstructions of one image on its own grid.
        baselines: baseline reconstructions of it.
        metrics: their metrics files, those of the INRs first.

    Returns:
        The baselines in order, then the best INR.

    Raises:
        InputError: an image or a metrics file is missing or damaged.
    """
    images = [*inrs, *baselines]
    if len(metrics) != len(images):
        raise InputError("compare: give one --metrics per reconstruction, INRs first.")
    rows = dict(zip(images, map(_read_fov_metrics, metrics), strict=True))
    best = best_key({path: rows[path] for path in inrs})
    return [
        Panel(_method_text(rows[path]), load_volume(path), _score_text(rows[path]), order=1)
        for path in [*baselines, best]
    ]


def load_renderings(
    images: Sequence[Path], metrics: Sequence[Path], truth: Path | None
) -> tuple[list[Rendering], str]:
    """Load the INR with the highest PSNR over `fov` of the raw image's grid, at all voxel sizes.

    Args:
        images: renderings of one image, told apart by their `res` and `desc`.
        metrics: those of the raw image's grid, and others where they are known.
        truth: on the grid of one of the renderings.

    Returns:
        The raw image's grid, then the others in the given order; and the name of the INR.

    Raises:
        InputError: a rendering on the raw image's grid has no metrics, or the truth fits none.
    """
    rows = {_labels_of(path): _read_fov_metrics(path) for path in metrics}
    on_raw_grid = [labels for labels in map(_labels_of, images) if not labels[1]]
    if not on_raw_grid or not rows.keys() >= set(on_raw_grid):
        raise InputError("resolution: give renderings on the raw image's grid and their --metrics.")
    best = best_key({labels: rows[labels] for labels in on_raw_grid})
    volumes = {
        _labels_of(path): load_volume(path) for path in images if _labels_of(path)[0] == best[0]
    }
    true_volume = load_volume(truth) if truth else None
    renderings = [
        Rendering(
            volume,
            _score_text(rows[labels]) if labels in rows else "",
            true_volume if true_volume and true_volume.grid.matches(volume.grid) else None,
        )
        for labels, volume in volumes.items()
    ]
    if true_volume and not any(rendering.truth for rendering in renderings):
        raise InputError(f"{truth}: is on the grid of no rendering; render one at its voxel size.")
    return renderings, _method_text(rows[best])


def _labels_of(path: Path) -> tuple[str, str]:
    """The desc and res labels of a file name; empty where it has none."""
    labels = entities(path)
    return labels.get("desc", ""), labels.get("res", "")


def _method_text(row: dict[str, Any]) -> str:
    return method_name(row["method"], row.get("fourier_dim"))


def _score_text(row: dict[str, Any]) -> str:
    return f"{row['psnr_fov']:.1f} dB, SSIM {row['ssim_fov']:.3f}"


def _read_fov_metrics(path: Path) -> dict[str, Any]:
    """Read a metrics file, and refuse one without PSNR or SSIM over `fov`."""
    row = read_metrics(path)
    missing = [name for name in ("psnr_fov", "ssim_fov") if row.get(name) is None]
    if missing:
        raise InputError(f"{path}: has no {missing[0]}; evaluate that image over its views.")
    return row

"""The panels of a figure of one image: its views, its reconstructions, its renderings."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..bids.names import entities
from ..bids.view_files import read_view
from ..errors import InputError
from ..evaluation.table import read_metrics
from ..imaging.volume import load_volume

if TYPE_CHECKING:
    from .plane_page import Panel
    from .resolution import Rendering


def view_panels(view_paths: Sequence[Path]) -> "list[Panel]":
    """The views as columns of a figure."""
    from .plane_page import Panel

    names = [f"{entities(path).get('res', 'thick-slice')} view" for path in view_paths]
    return [
        Panel(name, read_view(path, insist=True).volume)
        for name, path in zip(names, view_paths, strict=True)
    ]


def recon_panels(
    inrs: Sequence[Path], baselines: Sequence[Path], metrics: Sequence[Path]
) -> "list[Panel]":
    """All baselines, and the INR with the highest PSNR over `fov`, as columns of a figure."""
    from ..methods import method_name
    from .plane_page import Panel

    images = [*inrs, *baselines]
    if len(metrics) != len(images):
        raise InputError("compare: give one --metrics per reconstruction, INRs first.")
    rows = dict(zip(images, map(_scored, metrics), strict=True))
    best = max(inrs, key=lambda path: rows[path]["psnr_fov"])
    return [
        Panel(
            method_name(rows[path]["method"], rows[path].get("fourier_dim")),
            load_volume(path),
            _score(rows[path]),
            order=1,
        )
        for path in [*baselines, best]
    ]


def renderings(
    images: Sequence[Path], metrics: Sequence[Path], truth: Path | None
) -> "tuple[list[Rendering], str]":
    """The INR with the highest PSNR over `fov` of the raw image's grid, at all voxel sizes.

    Args:
        images: renderings of one image, told apart by their `res` and `desc`.
        metrics: those of the raw image's grid, and others where they are known.
        truth: on the grid of one of the renderings.

    Returns:
        Coarsest first: the raw image's grid, then the others. The name of the INR.

    Raises:
        InputError: a rendering on the raw image's grid has no metrics, or the truth fits none.
    """
    from ..methods import method_name
    from .resolution import Rendering

    rows = {_labels(path): _scored(path) for path in metrics}
    own = [path for path in images if not _labels(path)[1]]
    missing = [path for path in own if _labels(path) not in rows]
    if missing or not own:
        raise InputError("resolution: give renderings on the raw image's grid and their --metrics.")
    best = max(own, key=lambda path: rows[_labels(path)]["psnr_fov"])
    label = _labels(best)[0]
    volumes = {_labels(path): load_volume(path) for path in images if _labels(path)[0] == label}
    known = load_volume(truth) if truth else None
    drawn = [
        Rendering(
            volume,
            _score(rows[labels]) if labels in rows else "",
            known if known and known.grid.matches(volume.grid) else None,
        )
        for labels, volume in volumes.items()
    ]
    if known and not any(each.truth for each in drawn):
        raise InputError(f"{truth}: is on the grid of no rendering; render one at its voxel size.")
    return drawn, method_name(rows[_labels(best)]["method"], rows[_labels(best)].get("fourier_dim"))


def _labels(path: Path) -> tuple[str, str]:
    """The desc and res labels of a file name; empty where it has none."""
    parts = entities(path)
    return parts.get("desc", ""), parts.get("res", "")


def _score(row: dict[str, Any]) -> str:
    return f"{row['psnr_fov']:.1f} dB, SSIM {row['ssim_fov']:.3f}"


def _scored(path: Path) -> dict[str, Any]:
    row = read_metrics(path)
    missing = [name for name in ("psnr_fov", "ssim_fov") if row.get(name) is None]
    if missing:
        raise InputError(f"{path}: has no {missing[0]}; evaluate that image over its views.")
    return row

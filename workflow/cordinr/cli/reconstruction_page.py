"""The page that `reconstruct` writes beside an image: how far to trust it, and a viewer."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from ..bids.names import image_of, sidecar_path
from ..bids.sidecars import uncertainty_map
from ..imaging.volume import load_volume
from .placing import PlacedScans

if TYPE_CHECKING:
    import numpy as np

    from ..trust.assess import Assessment

log = logging.getLogger(__name__)

NIIVUE = Path(__file__).parents[2] / "report/viewer/node_modules/@niivue/niivue/dist/niivue.umd.js"
"""UMD build of the viewer, where `make viewer` installs it; a package from PyPI has none."""


def page_path(image: Path) -> Path:
    """Return the path of the page beside an image.

    Args:
        image: path of the image.
    """
    return sidecar_path(image).with_suffix(".html")


def save_page(
    image: Path,
    figure: Path,
    scans: PlacedScans,
    found: "Assessment",
    directions: "np.ndarray | None" = None,
) -> bool:
    """Write the figure of an image and its page; both need the workflow extra.

    Args:
        image: that was written, with its sidecar and perhaps an uncertainty map.
        figure: PNG to write.
        scans: it was made from.
        found: what is known of it.
        directions: how many slice directions see each of its voxels, if that is known.

    Returns:
        Whether they were written; if not, a note says why.

    Raises:
        InputError: one of them cannot be written.
    """
    try:
        from ..figures.plane_page import save_figure
        from ..figures.residuals import residual_figure
        from ..pages.acquired import CheckedImage, write_acquired_page
        from ..pages.html import make_data_uri, read_origin
    except ModuleNotFoundError as error:
        log.warning(
            "%s: has no page, as %s is not installed; pip install 'cordinr[workflow]'.",
            image,
            error.name,
        )
        return False
    from ..evaluation.identity import read_identity
    from ..methods import method_name

    save_figure(figure, residual_figure(scans.views, found, image.name))
    row = {**read_identity(image), **found.fields()}
    name = method_name(row["method"], row["fourier_dim"]) or image.name
    spread = uncertainty_map(image)
    std = load_volume(spread) if spread else None
    checked = CheckedImage(name, load_volume(image), row, make_data_uri(figure), std)
    alignment, page = scans.alignment, page_path(image)
    write_acquired_page(
        page,
        image_of(image),
        [checked],
        scans.views,
        [alignment.fields(k) if alignment else {} for k in range(len(scans.views))],
        files=[read_origin(image, page)],
        niivue=NIIVUE if NIIVUE.exists() else None,
        directions=directions,
    )
    return True

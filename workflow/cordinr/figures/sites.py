"""Comparison of sites: the best INR of every image, by the institution of its subject."""

import pandas as pd
from matplotlib.figure import Figure

from ..errors import InputError
from ..methods import INR
from .outliers import compute_margins
from .style import count_text, draw_heading, make_row_figure, region_text, styled

COLUMNS = ["kind", "site", "image", "images", "psnr_inr", "gain", "region"]
"""Columns of `sites_data`."""


def sites_data(table: pd.DataFrame, region: str = "fov") -> pd.DataFrame:
    """Compute one row per image whose subject has a site, and one per site.

    Args:
        table: tidy metrics.
        region: whose PSNR counts, "fov", "fg" or "cord".

    Returns:
        `kind` ("image", or "median" of a site), `site`, `image`, `images` (how many the row stands
        for), `psnr_inr` and `gain` (dB), `region`; sites with the highest median first.

    Raises:
        InputError: as `compute_margins`, or no subject has a site.
    """
    margins = compute_margins(table, region)
    images = margins[margins["site"].ne("")].assign(kind="image", images=1, region=region)
    if images.empty:
        raise InputError("no subject has a site; participants.tsv names it as institution_id.")
    sites = images.groupby("site").agg({"psnr_inr": "median", "gain": "median", "images": "sum"})
    sites = sites.sort_values("psnr_inr", ascending=False, kind="stable").reset_index()
    data = pd.concat([sites.assign(kind="median", region=region), images], ignore_index=True)
    rank = data["site"].map(dict(zip(sites["site"], sites.index, strict=True)))
    data = data.assign(rank=rank).sort_values(
        ["rank", "kind", "image"], ascending=[True, False, True]
    )
    return data[COLUMNS].reset_index(drop=True)


@styled
def sites_figure(data: pd.DataFrame) -> Figure:
    """Draw what `sites_data` gives: a row per site, in grey the median of all images."""
    medians = data[data["kind"].eq("median")]
    images = data[data["kind"].eq("image")]
    names = [
        f"{site} ({count})" for site, count in medians[["site", "images"]].itertuples(index=False)
    ]
    figure, columns = make_row_figure(names)
    rows = dict(zip(medians["site"], range(len(medians)), strict=True))
    points = {"color": INR.colour, "alpha": 0.55, "markersize": 3.5, "markeredgewidth": 0}
    bars = {"color": "k", "markersize": 9, "markeredgewidth": 1.6}
    for axes in columns:
        name = axes.get_label()
        axes.axvline(images[name].median(), color="0.45", linewidth=0.8)
        axes.plot(images[name], images["site"].map(rows), "o", **points)
        axes.plot(medians[name], medians["site"].map(rows), "|", **bars)
    region = region_text(data["region"].iloc[0])
    sites = f"{len(rows)} site{'' if len(rows) == 1 else 's'}"
    draw_heading(
        figure, f"{region}, {count_text([len(images)])} at {sites}, how many at each in brackets"
    )
    return figure

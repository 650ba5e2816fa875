"""The best reconstruction of an image: the one with the highest PSNR on the raw image's grid."""

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from .table import on_raw_grid, without_variants

if TYPE_CHECKING:
    import pandas as pd

Key = TypeVar("Key", bound=Hashable)


def best_rows(table: "pd.DataFrame", region: str = "fov") -> "pd.DataFrame":
    """Select the best INR and the best baseline of every image.

    Args:
        table: tidy metrics; variants and rows without PSNR do not take part.
        region: label of the region whose PSNR counts.

    Returns:
        At most two rows per image, the highest PSNR first. Of equal rows the first is the best.
    """
    psnr = f"psnr_{region}"
    rows = on_raw_grid(without_variants(table)).dropna(subset=psnr)
    rows = rows.sort_values(psnr, ascending=False, kind="stable")
    kinds = rows[["image"]].assign(is_inr=rows["method"].eq("inr"))
    return rows[~kinds.duplicated()]


def best_key(rows: Mapping[Key, Mapping[str, Any]], region: str = "fov") -> Key:
    """Find the row with the highest PSNR among rows that are not a table yet.

    Args:
        rows: the contents of metrics files on the raw image's grid, at least one.
        region: label of the region whose PSNR counts.

    Returns:
        The key of that row; of equal rows that of the first.
    """
    return max(rows, key=lambda key: rows[key][f"psnr_{region}"])

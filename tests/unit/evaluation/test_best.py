"""The best reconstructions of an image: the same by a loop over rows and by table."""

import numpy as np
import pytest

from cordinr.evaluation.best import best_key, best_rows
from cordinr.evaluation.table import tabulate

LABELS = ("cubic", "tv", "inrF32", "inrF64", "inrF64seed1")


def rows_of(images: int) -> list[dict]:
    """Rows of random PSNR; those of one image and of one method have none."""
    rng = np.random.default_rng(1)
    rows = []
    for image in range(images):
        for label in LABELS:
            for res in ("", "iso05"):
                is_inr = label.startswith("inr")
                row = {"image": f"sub-{image}", "method": "inr" if is_inr else label, "problem": ""}
                row |= {"fourier_dim": int(label[4:6]) if is_inr else None}
                row |= {
                    "desc": label,
                    "res": res,
                    "psnr_fov": rng.normal(),
                    "psnr_fg": rng.normal(),
                }
                if image == 1 or (image == 2 and not is_inr):
                    row["psnr_fov"] = None
                rows.append(row)
    return rows


@pytest.mark.parametrize("region", ["fov", "fg"])
def test_the_best_have_the_highest_psnr_on_the_raw_grid(region):
    rows = rows_of(6)
    best = best_rows(tabulate(rows), region)
    chosen = {(row.image, row.method == "inr"): row.desc for row in best.itertuples()}
    expected = {}
    for row in rows:
        key = row["image"], row["method"] == "inr"
        psnr = row[f"psnr_{region}"]
        # Neither a rendering at another voxel size nor another seed takes part.
        if row["res"] or "seed" in row["desc"] or psnr is None:
            continue
        if key not in expected or psnr > expected[key][0]:
            expected[key] = psnr, row["desc"]
    assert chosen == {key: desc for key, (_, desc) in expected.items()}
    assert len(best) == len(chosen) == (12 if region == "fg" else 9)


def test_the_table_and_the_files_of_an_image_agree():
    rows = [row for row in rows_of(1) if row["desc"] in LABELS[2:4] and not row["res"]]
    assert best_rows(tabulate(rows))["desc"].tolist() == [
        best_key({row["desc"]: row for row in rows})
    ]


def test_the_first_of_equal_ones_is_the_best():
    rows = [row | {"psnr_fov": 30.0} for row in rows_of(1)]
    assert best_rows(tabulate(rows))["desc"].tolist() == ["cubic", "inrF32"]
    assert best_key({row["desc"]: row for row in rows}) == "cubic"

"""The place of an image among all of its run."""

import numpy as np
import pytest

from cordinr.pages.ranking import best_scores, score_rows


def test_places_among_all_images(table):
    rows = {(row.label, row.res): row for row in score_rows(table, "sub-1")}
    assert len(rows) == 4
    tv = rows["tv", ""].ranks["psnr_fov"]
    # The column reaches from 25 (cubic, sub-0) to 45 (the finer renderings).
    assert tv.at == pytest.approx(100 * (31 - 25) / 20)
    assert tv.others == pytest.approx([25, 30, 35, 40, 45])
    assert tv.quartiles == pytest.approx((30, 35, 40))
    assert tv.text == "31; 5 images: 30 to 34, median 32"
    assert rows["inrF64", "isotropic voxels of 0.5 mm"].name == "INR, F = 64"
    assert [row.label for row in rows.values() if row.best] == ["inrF64"]


def test_one_image_alone_has_a_place(table):
    row = score_rows(table[table.image == "sub-2"].query("method == 'tv'"), "sub-2")[0]
    assert row.ranks["psnr_fov"].at == 50 and row.ranks["psnr_fov"].others == (50,)


def test_a_perfect_image_has_no_place(table):
    table.loc[table.image.eq("sub-1") & table.method.eq("tv"), "psnr_fov"] = np.inf
    perfect = next(row for row in score_rows(table, "sub-1") if row.label == "tv")
    other = next(row for row in score_rows(table, "sub-2") if row.label == "tv")
    assert "psnr_fov" not in perfect.ranks and np.isfinite(other.ranks["psnr_fov"].at)
    assert len(other.ranks["psnr_fov"].others) == 4


def test_the_best_baseline_and_the_best_inr(table):
    baseline, inr = best_scores(table, "sub-3")
    assert (baseline.label, inr.label) == ("tv", "inrF64")
    assert best_scores(table[table.method != "inr"], "sub-3")[1] is None

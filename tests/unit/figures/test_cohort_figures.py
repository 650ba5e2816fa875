"""The figures of all images: what they draw is what their tables say, and that is right."""

import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from cordinr.bids.names import inr_label
from cordinr.errors import InputError
from cordinr.evaluation.table import load_table, save_table, tabulate
from cordinr.figures.ablation import ablation_data, ablation_figure
from cordinr.figures.captions import CAPTIONS
from cordinr.figures.outliers import (
    OUTLIER_Z,
    compute_margins,
    outliers_data,
    outliers_figure,
    robust_z,
)
from cordinr.figures.sites import sites_data, sites_figure
from cordinr.figures.style import save_svg
from cordinr.figures.timing import time_data, time_figure

DIMS, SEEDS, SIGMAS = (64, 128, 256), (0, 1, 2), (0.0125, 0.05)


def psnr_of(image: int, method: str, dim: int = 0, seed: int = 0, sigma: float = 0.025) -> float:
    """A number that differs in every respect, so that no mixing of rows goes unseen."""
    level = (
        30 + image**1.5 + {"cubic": -4, "tikhonov": -0.3 * (image % 2), "tv": -0.1}.get(method, 0)
    )
    if method == "inr":
        level += 0.3 + 0.1 * np.log2(dim / 64) + 0.02 * image * seed - 5 * abs(sigma - 0.025)
    return level


def row(image: int, method: str, **setting) -> dict:
    psnr = psnr_of(image, method, **setting)
    inr = method == "inr"
    dim, seed, sigma = (setting.get(key) for key in ("dim", "seed", "sigma"))
    return {
        "subject": f"{image:02d}",
        "session": "",
        "site": f"site {image // 4}",
        "image": f"sub-{image:02d}",
        "method": method,
        "fourier_dim": dim,
        "desc": inr_label(dim, sigma, seed or None) if inr else method,
        "sigma": (sigma or 0.025) if inr else None,
        "seed": seed or 0 if inr else None,
        "res": "",
        "problem": "",
        "psnr_fov": psnr,
        "ssim_fov": 1 - 0.5 ** (psnr / 6),
        "fit_seconds": 100.0 + image if inr else 0.1 * len(method),
        "render_seconds": 5.0 if inr else None,
        "device": "GPU <1> & $x$" if inr else "cpu",
    }


def table_of(
    images: int, dims=DIMS, seeds=SEEDS, sigmas=SIGMAS, baselines=("cubic", "tikhonov", "tv")
):
    """A whole table, with variants, and finer renderings that no figure may take."""
    rows = []
    for image in range(images):
        rows += [row(image, method) for method in baselines]
        rows += [row(image, "inr", dim=dim, seed=seed) for dim in dims for seed in seeds]
        rows += [row(image, "inr", dim=max(dims), sigma=sigma) for sigma in sigmas]
        rows.append(row(image, "inr", dim=dims[0]) | {"res": "iso05", "psnr_fov": 99.0})
    return tabulate(rows)


def drawn(figure, label: str):
    """The axes of that name."""
    return next(axes for axes in figure.axes if axes.get_label() == label)


def one(data: pd.DataFrame, **wanted) -> pd.Series:
    """The only row with such cells."""
    for name, value in wanted.items():
        data = data[data[name].eq(value)]
    assert len(data) == 1
    return data.iloc[0]


def test_the_curve_is_the_median_over_images_of_the_mean_over_seeds():
    data = ablation_data(table_of(9))
    for dim in DIMS:
        each = [np.mean([psnr_of(k, "inr", dim, seed) for seed in SEEDS]) for k in range(9)]
        found = one(data, measure="psnr_fov", method="inr", fourier_dim=dim)
        expected = [np.median(each), *np.percentile(each, (25, 75))]
        np.testing.assert_allclose(found[["median", "low", "high"]].astype(float), expected)
        medians = [np.median([psnr_of(k, "inr", dim, seed) for k in range(9)]) for seed in SEEDS]
        ends = found[["seed_low", "seed_high"]].astype(float)
        np.testing.assert_allclose(ends, [min(medians), max(medians)])
        assert (found.images, found.seeds, found.band) == (9, 3, "quartiles")


def test_the_gain_is_paired_with_the_best_baseline_of_the_same_image():
    data = ablation_data(table_of(9, seeds=(0,)))
    each = [
        psnr_of(k, "inr", 128) - max(psnr_of(k, name) for name in ("cubic", "tikhonov", "tv"))
        for k in range(9)
    ]
    found = one(data, measure="psnr_fov_gain", method="inr", fourier_dim=128)
    expected = [np.median(each), *np.percentile(each, (25, 75))]
    np.testing.assert_allclose(found[["median", "low", "high"]].astype(float), expected)
    assert set(data[data.measure.str.endswith("_gain")].method) == {"inr"}


def test_baselines_are_bands():
    data = ablation_data(table_of(9))
    axes = drawn(ablation_figure(data), "psnr_fov")
    for method in ("cubic", "tikhonov", "tv"):
        each = [psnr_of(k, method) for k in range(9)]
        found = one(data, measure="psnr_fov", method=method)
        low, high = np.percentile(each, (25, 75))
        np.testing.assert_allclose([found.low, found.high], [low, high])
        bands = [patch.get_bbox().intervaly for patch in axes.patches]
        assert any(np.allclose(band, (low, high)) for band in bands)
        assert any(np.allclose(line.get_ydata(), np.median(each)) for line in axes.lines)


def test_variants_of_sigma_stay_out_of_the_curve_over_dimensions():
    without = ablation_data(table_of(6, sigmas=()))
    pd.testing.assert_frame_equal(ablation_data(table_of(6)), without)


def test_the_curve_over_sigma_is_of_the_largest_dimension_and_one_seed():
    data = ablation_data(table_of(7), over="sigma")
    inr = data[data.measure.eq("psnr_fov") & data.method.eq("inr")]
    assert list(inr.sigma) == [0.0125, 0.025, 0.05] and set(data.fourier_dim) == {256}
    for found in inr.itertuples():
        each = [psnr_of(k, "inr", 256, sigma=found.sigma) for k in range(7)]
        assert found.median == pytest.approx(np.median(each)) and found.seeds == 1
    axes = drawn(ablation_figure(data), "psnr_fov_gain")
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0.0125", "0.025", "0.05"]
    assert axes.get_xlabel() == "sigma (cycles/mm)"
    with pytest.raises(InputError, match="one sigma"):
        ablation_data(table_of(3, sigmas=()), over="sigma")


def test_the_ablation_draws_what_its_table_says():
    data = ablation_data(table_of(9))
    figure = ablation_figure(data)
    for measure in data.measure.unique():
        inr = data[data.measure.eq(measure) & data.method.eq("inr")]
        axes = drawn(figure, measure)
        curves = [line for line in axes.lines if line.get_marker() == "o"]
        np.testing.assert_allclose(curves[0].get_xydata(), inr[["fourier_dim", "median"]])
        corners = axes.collections[0].get_paths()[0].vertices
        for found in inr.itertuples():
            here = corners[np.isclose(corners[:, 0], found.fourier_dim), 1]
            assert {round(found.low, 9), round(found.high, 9)} <= set(here.round(9))
        ends = [np.sort(bar[:, 1]) for bar in axes.collections[1].get_segments()]
        np.testing.assert_allclose(ends, inr[["seed_low", "seed_high"]])


def test_few_images_have_a_range_and_one_has_none():
    two = one(ablation_data(table_of(2)), measure="psnr_fov", method="tv")
    assert (two.band, two.low, two.high) == ("range", psnr_of(0, "tv"), psnr_of(1, "tv"))
    alone = ablation_data(table_of(1, dims=(64,), seeds=(0,), sigmas=(), baselines=()))
    assert len(alone) == 2 and (alone.low == alone.high).all()
    figure = ablation_figure(alone)
    assert [axes.get_label() for axes in figure.axes] == ["psnr_fov", "ssim_fov"]
    assert "n = 1 image" in figure.texts[0].get_text()


def test_images_without_all_figures_are_left_out():
    table = table_of(6)
    gone = table.image.eq("sub-05") & table.desc.eq("inrF64seed2")
    table.loc[gone, "psnr_fov"] = np.nan
    table.loc[table.image.eq("sub-04") & table.desc.eq("inrF64"), "psnr_fov"] = np.inf
    data = ablation_data(table)
    assert set(data[data.measure.eq("psnr_fov")].images) == {4}
    assert set(data[data.measure.eq("ssim_fov")].images) == {6}
    assert "n = 4 to 6 images" in ablation_figure(data).texts[0].get_text()


def test_a_region_without_figures_says_so():
    for data in (ablation_data, outliers_data, sites_data):
        with pytest.raises(InputError, match="no INR in region 'cord'"):
            data(table_of(2), region="cord")
    with pytest.raises(InputError, match="use fov, fg, cord"):
        time_data(table_of(2), region="brain")


def test_margins_take_the_best_of_each_image_and_no_variant():
    found = compute_margins(table_of(5)).set_index("image")
    for k in range(5):
        mine = found.loc[f"sub-{k:02d}"]
        best = max(("cubic", "tikhonov", "tv"), key=lambda method: psnr_of(k, method))
        assert (mine.inr, mine.baseline) == ("inrF256", best)
        assert mine.gain == pytest.approx(psnr_of(k, "inr", 256) - psnr_of(k, best))
    assert compute_margins(table_of(2, baselines=())).gain.isna().all()


def test_robust_z_against_scipy():
    from scipy.stats import median_abs_deviation

    values = pd.Series(np.random.default_rng(0).normal(30, 2, 40))
    expected = (values - np.median(values)) / median_abs_deviation(values, scale="normal")
    np.testing.assert_allclose(robust_z(values), expected, rtol=1e-4)
    assert robust_z(values[:7]).isna().all()
    assert robust_z(pd.Series([30.0] * 9 + [20.0])).isna().all()


def test_outliers_come_first():
    table = table_of(20)
    table.loc[table.image.eq("sub-07"), "psnr_fov"] -= 300
    worse = table.image.eq("sub-12") & table.method.eq("inr")
    table.loc[worse, "psnr_fov"] -= 3
    data = outliers_data(table)
    assert set(data.image[:2]) == {"sub-07", "sub-12"} and list(data.outlier[:3]) == [1, 1, 0]
    assert (
        one(data, image="sub-07").z_psnr < -OUTLIER_Z
        and one(data, image="sub-12").z_gain < -OUTLIER_Z
    )
    assert data.z.is_monotonic_increasing
    figure = outliers_figure(data)
    assert "outliers: 2" in figure.texts[0].get_text()
    left = drawn(figure, "psnr_inr")
    names = [tick.get_text() for tick in left.get_yticklabels()]
    points = {names[int(y)]: x for line in left.lines[1:] for x, y in line.get_xydata()}
    assert points == dict(zip(data.image, data.psnr_inr, strict=True))
    far = next(line for line in left.lines if line.get_marker() == "D")
    assert len(far.get_xdata()) == 1 and names[int(far.get_ydata()[0])] == "sub-07"


def test_only_the_furthest_of_many_are_drawn_and_the_table_has_all():
    data = outliers_data(table_of(40, dims=(64,), seeds=(0,), sigmas=()))
    figure = outliers_figure(data)
    assert len(data) == 40 and len(drawn(figure, "gain").get_yticks()) == 30
    assert "n = 40 images, the 30 furthest below" in figure.texts[0].get_text()


def test_one_image_has_no_outlier():
    data = outliers_data(table_of(1))
    assert not data.outlier.any() and data.z.isna().all()
    outliers_figure(data)


def test_time_is_of_fit_and_rendering():
    data = time_data(table_of(5))
    found = one(data, image="sub-03", method="inr", fourier_dim=128)
    assert (found.seconds, found.psnr) == (108, psnr_of(3, "inr", 128))
    assert one(data, image="sub-03", method="tv").seconds == pytest.approx(0.2)
    middle = one(data, kind="median", method="inr", fourier_dim=128)
    assert (middle.seconds, middle.images) == (107, 5)
    assert middle.psnr == pytest.approx(np.median([psnr_of(k, "inr", 128) for k in range(5)]))
    axes = drawn(time_figure(data), "time")
    points = np.concatenate([line.get_xydata() for line in axes.lines])
    shown = sorted(map(tuple, points.tolist()))
    assert shown == sorted(zip(data.seconds, data.psnr, strict=True))
    assert axes.get_xscale() == "log" and "(s)" in axes.get_xlabel()


def test_what_took_no_measurable_time_can_be_drawn():
    table = table_of(2)
    table.loc[table.method.eq("cubic"), "fit_seconds"] = 0.0
    table.loc[table.method.eq("tv"), "fit_seconds"] = np.nan
    data = time_data(table)
    assert data.seconds.min() == 0.001 and "tv" not in set(data.method)
    table["fit_seconds"] = np.nan
    with pytest.raises(InputError, match="PSNR and seconds"):
        time_data(table)


def test_sites_are_compared_best_first():
    data = sites_data(table_of(11))
    medians = data[data.kind.eq("median")]
    assert list(medians.site) == ["site 2", "site 1", "site 0"] and list(medians.images) == [
        3,
        4,
        4,
    ]
    assert medians.psnr_inr.iloc[2] == pytest.approx(
        np.median([psnr_of(k, "inr", 256) for k in range(4)])
    )
    axes = drawn(sites_figure(data), "psnr_inr")
    assert axes.get_yticklabels()[0].get_text() == "site 2 (3)"
    points = next(line for line in axes.lines if line.get_marker() == "o")
    images = data[data.kind.eq("image")]
    np.testing.assert_allclose(np.sort(points.get_xdata()), np.sort(images.psnr_inr))


def test_one_site_and_none():
    sites_figure(sites_data(table_of(3)))
    with pytest.raises(InputError, match="no subject has a site"):
        sites_data(table_of(3).assign(site=""))


HOSTILE = "<script>alert(1)</script> & $\\frac -- ]]> " + "long" * 20


@pytest.mark.parametrize("figure", CAPTIONS)
def test_files_are_svg_with_text_the_same_bytes_and_the_numbers_beside(figure, tmp_path, command):
    table = table_of(9).assign(site=lambda rows: rows.site.replace("site 1", HOSTILE))
    save_table(tmp_path / "metrics.tsv", table)
    made = []
    for name in ("one", "two"):
        path = tmp_path / name / f"{figure}.svg"
        code, _, said = command("cohort", tmp_path / "metrics.tsv", "--figure", figure, "-o", path)
        assert code == 0, said
        made.append((path.read_bytes(), path.with_suffix(".tsv").read_text()))
    assert made[0] == made[1]
    root = ElementTree.fromstring(made[0][0])
    words = " ".join(root.itertext())
    assert root.tag.endswith("svg") and "n = 9 images" in words and "(dB)" in words
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    assert not list(root.iter("{http://www.w3.org/2000/svg}image"))
    assert b"<dc:date>" not in made[0][0]
    if figure == "sites":
        assert "<script>ale" in words
    read = load_table(tmp_path / "metrics.tsv")
    expected = {
        "ablation": lambda: ablation_data(read),
        "sigmas": lambda: ablation_data(read, over="sigma"),
        "outliers": lambda: outliers_data(read),
        "time": lambda: time_data(read),
        "sites": lambda: sites_data(read),
    }[figure]()
    numbers = pd.read_csv(tmp_path / "one" / f"{figure}.tsv", sep="\t", na_values="n/a")
    assert list(numbers) == list(expected) and len(numbers) == len(expected)
    for name in numbers.select_dtypes("number"):
        values = expected[name].astype(float).to_numpy()
        np.testing.assert_allclose(numbers[name].astype(float), values, rtol=1e-5)


def test_control_characters_end_no_file(tmp_path):
    table = table_of(9).assign(
        site="a\x1b]b\x00", device="G\x07PU", image=lambda rows: rows.image + "\x1b"
    )
    figures = [sites_figure(sites_data(table)), time_figure(time_data(table))]
    for figure in [*figures, outliers_figure(outliers_data(table))]:
        save_svg(tmp_path / "figure.svg", figure)
        ElementTree.parse(tmp_path / "figure.svg")


@pytest.mark.slow
@pytest.mark.parametrize(("images", "seconds"), [(12, 1), (2, 1), (2, 0.02)])
def test_nothing_overlaps_or_leaves_the_figure(tmp_path, images, seconds):
    """Labels of ticks beside each other, every text within the page, no formula left unread."""
    table = table_of(images, sigmas=(0.0156, 0.02, 0.031, 0.0625))
    table.loc[table.method.eq("inr"), ["fit_seconds", "render_seconds"]] *= seconds
    figures = [ablation_figure(ablation_data(table)), outliers_figure(outliers_data(table))]
    figures += [
        ablation_figure(ablation_data(table, over="sigma")),
        sites_figure(sites_data(table)),
    ]
    figures.append(time_figure(time_data(table)))
    for figure in figures:
        save_svg(tmp_path / "figure.svg", figure)
        assert "math" not in (tmp_path / "figure.svg").read_text()
        figure.draw_without_rendering()
        whole = figure.bbox
        for axes in figure.axes:
            box = axes.get_tightbbox()
            assert box.x0 >= whole.x0 and box.x1 <= whole.x1 and box.y0 >= whole.y0
            for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
                boxes = [tick.get_window_extent() for tick in ticks if tick.get_text()]
                for first, second in pairwise(boxes):
                    assert not first.overlaps(second)
                for label in (axes.xaxis.label, axes.yaxis.label):
                    assert not any(label.get_window_extent().overlaps(box) for box in boxes)
        for legend in figure.legends:
            box = legend.get_window_extent()
            assert box.x0 >= whole.x0 and box.x1 <= whole.x1
            assert not any(box.overlaps(axes.get_tightbbox()) for axes in figure.axes)


def test_captions_are_sentences_without_markup():
    for caption in CAPTIONS.values():
        assert caption.text.endswith(".") and not re.search(r"[<>*`|]", caption.text)

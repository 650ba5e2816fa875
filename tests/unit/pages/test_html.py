"""What goes into a page: small volumes, places among all images, escaped text, safe links."""

import base64
import gzip
import hashlib
import re
from dataclasses import replace

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.bids.cord_mask import PROBLEM
from cordinr.bids.names import sidecar_path
from cordinr.datasets.index import IndexRow, save_index
from cordinr.datasets.layout import ResultPaths
from cordinr.evaluation.failed import Failed, save_failed
from cordinr.evaluation.table import TEXT_COLUMNS, column_dictionary, save_table, tabulate
from cordinr.figures.captions import Caption
from cordinr.files import write_json
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume, save_volume
from cordinr.pages.html import read_origin, relative_link, write_page
from cordinr.pages.index import CohortFigure, ImageRow, list_images, load_cohort_figures
from cordinr.pages.ranking import best_scores, score_rows
from cordinr.pages.subject import list_notes
from cordinr.pages.volumes import ViewerLayer, crop, embed, narrow
from tests.helpers.support import blobs


def decoded(text: str) -> nib.Nifti1Image:
    return nib.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(text)))


def turned() -> np.ndarray:
    """An affine of mixed axes and signs, off the origin."""
    affine = np.array([[0, 0, -1, 20], [-1, 0, 0, 30], [0, 1.0, 0, -9], [0, 0, 0, 1]])
    affine[:3, :3] *= 0.8
    return affine


@pytest.fixture
def layers():
    """A body in air, a view of it, a reconstruction that is off by 3, its spread."""
    grid = Grid((40, 48, 44), turned())
    array = blobs(grid.shape, grid.affine).array
    array[:8], array[-6:], array[:, :, :10] = 0, 0, 0
    body = Volume(array, grid)
    view = acquire(body, grid.axis_along("S"), SliceProfile("box", 4.0), 4.0).volume
    spread = Volume((np.abs(array) / 50).astype(np.float32), grid)
    return [
        ViewerLayer("reference", "Reference", "", "reference", body),
        ViewerLayer("view1", "axial view", "", "view", view),
        ViewerLayer("tv", "Total variation", "", "recon", Volume(array + np.float32(3), grid)),
        ViewerLayer("spread", "Uncertainty", "", "spread", spread),
    ]


def test_embedded_volumes_are_the_same_voxels_in_the_same_places(layers):
    shown, grid = embed(layers, layers[0].volume.grid.centre, 10**9)
    assert grid.size < layers[0].volume.grid.size
    for layer in layers:
        image = decoded(shown[layer.key])
        assert image.get_data_dtype() == np.uint8
        world = nib.affines.apply_affine(image.affine, np.argwhere(np.ones(image.shape)))
        index = np.rint(layer.volume.grid.index(world)).astype(int)
        np.testing.assert_allclose(layer.volume.grid.world(index), world, atol=1e-3)
        step = image.dataobj.slope
        truth = layer.volume.array[tuple(index.T)].reshape(image.shape)
        np.testing.assert_allclose(image.get_fdata(), truth, atol=0.51 * step)
    body = layers[0].volume
    kept = decoded(shown["reference"]).get_fdata()
    step = decoded(shown["reference"]).dataobj.slope
    assert abs(kept.sum() - body.array.sum()) < step * body.grid.size


def test_embedded_volumes_share_a_grid_and_steps(layers):
    shown, _ = embed(layers, layers[0].volume.grid.centre, 10**9)
    first, second = decoded(shown["reference"]), decoded(shown["tv"])
    assert first.shape == second.shape and (first.affine == second.affine).all()
    assert first.dataobj.slope == second.dataobj.slope
    assert first.dataobj.inter == second.dataobj.inter


def test_what_is_too_large_is_cropped_around_the_focus(layers):
    whole, full = embed(layers, layers[0].volume.grid.centre, 10**9)
    most = sum(map(len, whole.values())) // 3
    focus = layers[0].volume.grid.world([24, 30, 30])
    shown, grid = embed(layers, focus, most)
    assert sum(map(len, shown.values())) <= most
    assert grid.size < full.size
    index = grid.index(focus)
    assert (index >= 0).all() and (index <= np.array(grid.shape) - 1).all()
    assert embed(layers, focus, 0)[1].size >= 8**3


def test_left_and_right_go_before_head_and_feet():
    grid = Grid((200, 220, 240), np.eye(4))
    box = np.array([(0, 0, 0), grid.shape])
    once = narrow(grid, box, grid.centre, 0.5)
    size = once[1] - once[0]
    assert size[2] == 240 and size[0] < 160 and size[1] < 170
    assert abs(once.mean(axis=0) - box.mean(axis=0)).max() <= 1
    narrowest = narrow(grid, np.array([(80, 80, 0), (140, 140, 240)]), grid.centre, 0.5)
    assert list(narrowest[1] - narrowest[0])[:2] == [60, 60] and np.ptp(narrowest[:, 2]) < 125
    at_the_edge = narrow(grid, box, np.array([0.0, 0, 0]), 0.2)
    assert (at_the_edge[0] == 0).all()


def test_crop_keeps_the_voxels_that_the_box_touches():
    volume = Volume(
        np.arange(1000, dtype=np.float32).reshape(10, 10, 10), Grid((10,) * 3, np.eye(4))
    )
    box = Grid((3, 2, 4), np.array([[1.0, 0, 0, 2], [0, 1, 0, 5], [0, 0, 1, 0], [0, 0, 0, 1]]))
    part = crop(volume, box.corners)
    np.testing.assert_array_equal(part.array, volume.array[2:5, 5:7, 0:4])
    np.testing.assert_array_equal(part.grid.affine, box.affine)


@pytest.fixture
def table():
    rows = []
    for k in range(5):
        base = {"subject": f"{k}", "session": "", "image": f"sub-{k}", "res": "", "voxel_size": 1.0}
        for method, dim, psnr in (
            ("tv", pd.NA, 30 + k),
            ("cubic", pd.NA, 25 + k),
            ("inr", 64, 31 + k),
        ):
            scores = {"psnr_fov": float(psnr), "ssim_fov": 0.9 + k / 100}
            desc = "inrF64" if method == "inr" else method
            rows.append(base | {"method": method, "fourier_dim": dim, "desc": desc} | scores)
        finer = {
            "method": "inr",
            "fourier_dim": 64,
            "desc": "inrF64",
            "res": "iso05",
            "psnr_fov": 45.0,
            "ssim_fov": 1.0,
        }
        rows.append(base | finer)
        other = finer | {"res": "", "desc": "inrF64seed1", "psnr_fov": 60.0}
        rows.append(base | other)
    table = pd.DataFrame(rows).astype({"fourier_dim": "Int64"})
    return table.assign(problem="", site="")


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


HOSTILE = '<b onclick="x">&\'</script><!--'
SOURCE = {"Name": HOSTILE, "Version": HOSTILE, "Commit": HOSTILE, "License": HOSTILE}


def test_text_is_escaped_and_scripts_are_whole(tmp_path, table):
    script = "const a = '</script><script>', b = /<!--/;"
    image = ImageRow(HOSTILE, HOSTILE, HOSTILE, best_scores(table, "sub-1"), 1.0, -4.0, True)
    figure = CohortFigure(Caption(HOSTILE, HOSTILE), "data:,", HOSTILE)
    path = tmp_path / "index.html"
    content = {"images": [image], "problems": [HOSTILE], "source": SOURCE, "figures": [figure]}
    write_page(path, "index.html.j2", [script], version="1", **content)
    text = path.read_text()
    assert "<b onclick" not in text and text.count("&lt;b onclick") >= 10
    body = re.search(r"<script>(.*?)</script>", text, re.DOTALL)[1]
    assert "<script" not in body and "<!--" not in body
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    for part in (body, style):
        digest = base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_images_furthest_below_come_first_and_those_without_an_inr_last(table):
    several = [table.assign(image=table.image + f"x{k}") for k in range(2)]
    table = pd.concat(several, ignore_index=True)
    table.loc[table.image.eq("sub-3x1") & table.method.eq("inr"), "psnr_fov"] -= 20
    table = table[~(table.image.eq("sub-0x0") & table.method.eq("inr"))]
    rows = [IndexRow(name[4:], "", "", name, site="A") for name in sorted(set(table.image))]
    shown = list_images(rows, table)
    assert (shown[0].name, shown[0].href, shown[0].site) == ("sub-3x1", "sub-3x1.html", "A")
    assert shown[0].gain == pytest.approx(-19) and shown[0].best[1].label == "inrF64"
    assert shown[-1].name == "sub-0x0" and shown[-1].gain is shown[-1].z is None
    assert len(shown) == 10
    first = list_images(rows, table[table.method.ne("inr")])
    assert [each.name for each in first] == [row.image for row in rows]


def test_an_image_that_failed_leads_to_no_page(table):
    rows = [IndexRow(f"{k}", "", f"sub-{k}/anat", f"sub-{k}", path="T2w.nii.gz") for k in range(7)]
    shown = {each.name: each.href for each in list_images(rows, table, {"sub-3": "", "sub-5": ""})}
    assert shown["sub-3"] == "" and shown["sub-4"] == "sub-4.html"
    assert "sub-5" not in shown and shown["sub-6"] == "sub-6.html"


def test_the_index_page_says_who_failed_and_why(tmp_path, table, command):
    for name in column_dictionary():
        table[name] = table.get(name, "" if name in TEXT_COLUMNS else pd.NA)
    lost = {"image": "sub-9", "subject": "9", "problem": "its file is damaged"}
    save_table(tmp_path / "metrics.tsv", tabulate([*table.to_dict("records"), lost]))
    rows = [IndexRow(f"{k}", "", f"sub-{k}/anat", f"sub-{k}", path="x") for k in (0, 1, 9)]
    save_index(tmp_path / "inputs.tsv", rows)
    save_failed(tmp_path / "failed.tsv", [Failed("sub-1/anat", "sub-1", "page", "no room")])
    write_json(tmp_path / "source.json", {"Name": "phantom"})
    given = ["--index", tmp_path / "inputs.tsv", "--metrics", tmp_path / "metrics.tsv"]
    given += ["--failed", tmp_path / "failed.tsv", "--folder", tmp_path]
    code, _, said = command("index-page", *given, "-o", tmp_path / "index.html")
    assert code == 0, said
    page = (tmp_path / "index.html").read_text()
    assert "sub-9: its file is damaged" in page and "sub-1: no room" in page
    assert re.findall(r'href="(sub-\d\.html)"', page) == ["sub-0.html"]


def test_why_there_are_no_metrics_of_the_cord_is_said_only_where_there_are_none(tmp_path):
    row = IndexRow("1", "", "sub-1/anat", "sub-1", path="x", mask="seg.nii.gz")
    paths = ResultPaths(tmp_path)
    mask = paths.reference(row, "cord")
    volume = np.zeros((4, 4, 4))
    for stated in ({}, {"Problem": "motion"}, {PROBLEM: "of a copy of a copy"}):
        write_json(sidecar_path(mask), stated)
        save_volume(mask, volume + 1, Grid(volume.shape, np.eye(4)), "uint8")
        assert list_notes(row, paths) == []
    save_volume(mask, volume, Grid(volume.shape, np.eye(4)), "uint8")
    said = "There are no metrics of the spinal cord."
    assert list_notes(row, paths) == [f"{said} of a copy of a copy"]
    [note] = list_notes(replace(row, mask=""), paths)
    assert note.startswith(f"{said} The index has no mask of it: dataset.mask is empty, or fits")


def test_figures_lie_in_the_page_and_lead_to_their_numbers(tmp_path):
    path = tmp_path / "figures" / "time.svg"
    path.parent.mkdir()
    path.write_text("<svg/>")
    (shown,) = load_cohort_figures([path], tmp_path / "cordinr" / "index.html")
    assert shown.caption.title == "Quality against time"
    assert shown.numbers == "../figures/time.tsv"
    assert base64.b64decode(shown.picture.removeprefix("data:image/svg+xml;base64,")) == b"<svg/>"


def test_links_are_paths_whatever_a_sidecar_says(tmp_path):
    folder = tmp_path / "set/sub-1/anat"
    folder.mkdir(parents=True)
    image = folder / "sub-1_desc-tv_T2w.nii.gz"
    write_json(tmp_path / "set/dataset_description.json", {"DatasetLinks": {"raw": "../raw"}})
    sources = [
        "bids::sub-1/a b.nii",
        "bids:raw:x.nii",
        "bids:no:x",
        "javascript:alert(1)",
        "https://x",
    ]
    write_json(folder / "sub-1_desc-tv_T2w.json", {"Sources": sources, "Software": 3})
    made = read_origin(image, tmp_path / "set/sub-1.html")
    assert made.href == "sub-1/anat/sub-1_desc-tv_T2w.nii.gz"
    assert dict(made.sources) == {
        "bids::sub-1/a b.nii": "sub-1/a%20b.nii",
        "bids:raw:x.nii": "../raw/x.nii",
        "bids:no:x": "",
        "javascript:alert(1)": "",
        "https://x": "",
    }
    assert made.software == {}
    assert relative_link(tmp_path / "set/a:b.nii", tmp_path / "set/p.html") == "a%3Ab.nii"


def test_a_page_needs_a_subject_of_the_index(tmp_path, command):
    save_index(tmp_path / "inputs.tsv", [IndexRow("1", "", "sub-1/anat", "sub-1", problem="none")])
    options = ["--index", tmp_path / "inputs.tsv", "--metrics", tmp_path / "m.tsv"]
    options += ["--view", "a", "--figure", "comparison"]
    code, _, said = command("page", "sub-1", *options, "-o", tmp_path / "p.html")
    assert code == 1 and "has no image of subject 1" in said
    assert not (tmp_path / "p.html").exists()

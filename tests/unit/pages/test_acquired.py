"""The page of acquired scans, and the one that leads to all of them."""

import json
import re

import numpy as np
import pytest

from cordinr.acquisition.overlap import common_grid
from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.view import View
from cordinr.classical.reconstruct import reconstruct_baseline
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume, save_volume
from cordinr.pages.acquired_index import list_checked
from cordinr.pages.stack_table import list_stacks, short_names
from tests.helpers.browser import opened, start
from tests.helpers.requirements import skip_without
from tests.helpers.runs import VIEWER
from tests.helpers.scans import body, scan
from tests.helpers.support import ROOT

NIIVUE = ROOT / VIEWER / "@niivue/niivue/dist/niivue.umd.js"
HOSTILE = "<script>alert(1)</script>"
NAMES = ("sub-01_acq-sag_T2w", "sub-01_acq-ax_T2w")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two aligned scans with what `align` says of them, and two reconstructions."""
    folder = tmp_path_factory.mktemp("acquired")
    image = body()
    views = [
        scan(image, "R", thickness=3, spacing=3.3, in_plane=1.0, noise=0.02),
        scan(image, "S", thickness=4, spacing=4, in_plane=1.0, noise=0.02, seed=1, tilt=8),
    ]
    views[1].volume.array[:, :, 5] *= 0.6
    found = {
        "AlignmentTranslation": [1.0, 2.0, 2.0],
        "AlignmentRotationVector": [0.0, 0.0, np.pi / 90],
        "AlignmentGain": 1.7,
        "AlignmentCorrelationBefore": 0.7,
        "AlignmentCorrelation": 0.98,
        "Description": HOSTILE,
    }
    for name, view in zip(NAMES, views, strict=True):
        save_volume(folder / f"{name}.nii.gz", view.volume.array, view.volume.grid)
        sidecar = {"SliceThickness": view.profile.thickness} | (found if "ax" in name else {})
        (folder / f"{name}.json").write_text(json.dumps(sidecar))
    grid = common_grid(views, 1.0)
    for method in ("tikhonov", "cubic"):
        array = reconstruct_baseline(views, grid, method, 0.003)
        save_volume(folder / f"sub-01_desc-{method}_T2w.nii.gz", array, grid)
        sidecar = {"Method": method, "Description": method, "Command": "cordinr baseline"}
        (folder / f"sub-01_desc-{method}_T2w.json").write_text(json.dumps(sidecar))
    return folder


def arguments(folder):
    images = [folder / f"sub-01_desc-{method}_T2w.nii.gz" for method in ("tikhonov", "cubic")]
    views = [word for name in NAMES for word in ("--view", folder / f"{name}.nii.gz")]
    return images, views


@pytest.fixture
def checked(folder, command):
    images, views = arguments(folder)
    outputs = ["-o", folder / "a.json", "-o", folder / "b.json"]
    figures = ["--figure", folder / "a.png", "--figure", folder / "b.png"]
    code, _, errors = command("check", *images, *views, *outputs, *figures)
    assert code == 0, errors
    return [*("--check", folder / "a.json", "--check", folder / "b.json"), *figures]


def test_the_page_says_what_is_known_of_images_and_scans(folder, checked, command):
    images, views = arguments(folder)
    page = folder / "sub-01.html"
    code, _, errors = command("page-acquired", *images, *views, *checked, "-o", page)
    assert code == 0, errors
    text = page.read_text()
    row = json.loads((folder / "a.json").read_text())
    assert row["verdict"] == "doubtful" and row["sentence"][8:] in text
    assert 'class="verdict unsure"' in text
    for said in (
        "Tikhonov",
        "Cubic",
        f"{100 * row['expected_error']:.1f}",
        "axial tilted by 8 degrees, ",
        "slices of 4 mm, 1 x 1 mm in the plane",
        "slices of 3 mm every 3.3 mm (gaps of 0.3 mm), 1 x 1 mm in the plane",
        "3.0 mm, 2.0°",
        "1.70",
        "0.980",
        "5 dark",
    ):
        assert said in text
    assert HOSTILE not in text and "&lt;script&gt;alert(1)" in text
    assert len(re.findall('<img src="data:image/png', text)) == 3
    code, _, errors = command(
        "index-acquired", folder / "a.json", folder / "b.json", "-o", folder / "index.html"
    )
    assert code == 0, errors
    index = (folder / "index.html").read_text()
    assert '<a href="sub-01.html">sub-01</a>' in index and "1 of" in index


def test_bad_input_is_one_sentence(folder, checked, command, tmp_path):
    images, views = arguments(folder)
    page = tmp_path / "p.html"
    for options, said in (
        (checked[2:], "one --check for each image"),
        (checked[:-2], "one --figure for each image"),
        (["--check", folder / "a.json", "--check", folder / f"{NAMES[0]}.json"], "has no image"),
        (["--check", folder / "a.json", "--check", folder / "none.json"], "no such file"),
    ):
        code, _, errors = command("page-acquired", *images, *views, *options, "-o", page)
        assert code == 1 and said in errors and not page.exists()


def check(image, trust, **fields):
    return {"image": image, "method": "tv", "trust": trust, "verdict": "doubtful", **fields}


def test_the_least_trusted_come_first_each_with_its_best_reconstruction(tmp_path):
    (tmp_path / "sub-2.html").touch()
    checks = [check("sub-1", 0.4), check("sub-2", 0.1), check("sub-2", 0.3), check("sub-3", None)]
    rows = list_checked(checks, tmp_path)
    assert [row.image for row in rows] == ["sub-3", "sub-2", "sub-1"]
    assert rows[1].check["trust"] == 0.3
    assert [row.href for row in rows] == ["", "sub-2.html", ""]


def test_scans_are_called_by_what_tells_them_apart():
    assert short_names(["sub-1_acq-sag_T2w.nii.gz", "sub-1_acq-ax_run-2_T2w.nii.gz"]) == [
        "sag",
        "ax 2",
    ]
    assert short_names(["a.nii.gz", "b.nii.gz"]) == ["a", "b"]
    assert short_names(["sub-1_T2w.nii.gz"]) == ["sub-1_T2w"]


def test_a_scan_that_stayed_and_one_that_failed_say_so():
    view = View(Volume(np.zeros((9, 9, 5)), Grid((9, 9, 5), np.eye(4))), 2, SliceProfile("box", 1))
    stays = {"AlignmentTranslation": [0, 0, 0], "AlignmentRotationVector": [0, 0, 0]}
    failed = stays | {"AlignmentProblem": "shares too little"}
    rows = list_stacks([view] * 3, [stays, failed, {}], {})
    assert [row.moved for row in rows] == ["stays", "stays", ""]
    assert rows[1].problem == "shares too little"


@pytest.mark.browser
@pytest.mark.slow
def test_the_viewer_draws_reconstructions_and_scans(folder, checked, command):
    if not NIIVUE.exists():
        skip_without("viewer", "the viewer is not installed; `make viewer` does that")
    images, views = arguments(folder)
    page = folder / "viewer.html"
    options = [*checked, "--viewer", NIIVUE, "-o", page]
    code, _, errors = command("page-acquired", *images, *views, *options)
    assert code == 0, errors
    with start() as driver, opened(driver, page) as seen:
        seen.page.wait_for_selector("#viewer[data-ready]")
        heads = seen.page.locator(".panel .head b").all_inner_texts()
        assert heads == ["Tikhonov", "Cubic", "Sag", "Ax"]
        assert seen.page.locator("button", has_text="Error").is_disabled()
        for number in range(4):
            canvas = seen.page.locator(".panel canvas").nth(number).screenshot()
            assert len(canvas) > 5_000  # a picture, not one colour
        assert seen.complaints == []
        assert seen.outside == [page.as_uri()]

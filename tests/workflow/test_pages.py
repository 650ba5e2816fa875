"""The pages of a whole run, in a real browser: they open from disk, draw, and load nothing."""

import json
import re

import nibabel as nib
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from cordinr.imaging.grid import Grid
from cordinr.imaging.planes import cord_focus
from cordinr.pages.html import MAX_PAGE_BYTES
from tests.helpers.browser import opened, start
from tests.helpers.requirements import skip_without
from tests.helpers.runs import VIEWER, phantom_config, planned_jobs
from tests.helpers.support import ROOT

pytestmark = pytest.mark.browser

HOSTILE = '</script></title><script>document.title = "owned"</script><img src=x onerror=alert(1)>&"'
STEMS = [f"sub-01/ses-a/anat/sub-01_ses-a_run-{run}" for run in (1, 2)]
ALL = "cordinr.panels.map((panel) => {body})"


@pytest.fixture(scope="module")
def run(checkout, phantom_source, tmp_path_factory):
    """A finished run of two images, one of them oblique, in a dataset whose name is an attack."""
    source = tmp_path_factory.mktemp("hostile") / "data"
    masks = source / "derivatives/labels"
    image = nib.load(phantom_source / "sub-01/anat/sub-01_T2w.nii.gz")
    cord = nib.load(next(phantom_source.glob("derivatives/labels/sub-01/anat/*.nii.gz")))
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("xyz", [15, -5, 8], degrees=True).as_matrix()
    for stem, turned in zip(STEMS, (np.eye(4), turn), strict=True):
        for path in (source / f"{stem}_T2w.nii.gz", masks / f"{stem}_T2w_label-SC_seg.nii.gz"):
            path.parent.mkdir(parents=True, exist_ok=True)
        for kept, file in (
            (image, source / f"{stem}_T2w.nii.gz"),
            (cord, masks / f"{stem}_T2w_label-SC_seg.nii.gz"),
        ):
            nib.save(nib.Nifti1Image(np.asanyarray(kept.dataobj), turned @ kept.affine), file)
    about = {"Name": HOSTILE, "BIDSVersion": "1.10.0", "License": HOSTILE}
    (source / "dataset_description.json").write_text(json.dumps(about))
    project = checkout("pages")
    dataset = {"name": "hostile", "version": "", "truth": ""}
    project.configure(**phantom_config(source, fourier_dims=[8], voxel_sizes=[], dataset=dataset))
    answer = project.snakemake()
    assert answer.returncode == 0, answer.stdout
    assert planned_jobs(project) == {}
    return project


@pytest.fixture(scope="module")
def path(run):
    return run.results / "cordinr/sub-01.html"


@pytest.fixture(scope="module")
def driver(run):
    """After the run, as DataLad cannot work in a thread that drives a browser."""
    with start() as driver:
        yield driver


@pytest.fixture(scope="module")
def viewer(path, driver):
    """The page of the subject, its viewer drawn."""
    if not (ROOT / VIEWER).exists():
        skip_without("viewer", "the viewer is not installed; `make viewer` does that")
    with opened(driver, path) as seen:
        seen.page.wait_for_selector("#viewer[data-ready]")
        yield seen


@pytest.fixture
def page(viewer):
    """As it is when it opens."""
    viewer.page.evaluate("document.activeElement.blur()")
    for key in ("1", "n", "0"):
        viewer.page.keyboard.press(key)
    if viewer.page.evaluate("cordinr.state.swipe"):
        viewer.page.keyboard.press("s")
    viewer.until("cordinr.panels.every((panel) => panel.nv.volumes.length === 1)")
    return viewer.page


def places(page) -> np.ndarray:
    """(panels, 3) mm of every crosshair."""
    body = "Array.from(panel.nv.frac2mm(panel.nv.scene.crosshairPos, 0, true)).slice(0, 3)"
    return np.array(page.evaluate(ALL.format(body=body)))


def test_pages_are_small_files_that_name_nothing_outside(run, path):
    for file in (path, path.with_name("index.html")):
        text = file.read_text()
        assert len(text.encode()) < MAX_PAGE_BYTES
        markup = re.sub(r"<(script|style)[ >].*?</\1>", "", text, flags=re.DOTALL)
        links = re.findall(r'(?:src|href)="([^"]*)"', markup)
        assert links and not [link for link in links if re.match(r"(?!data:)[a-z]+:|//", link)]
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
        assert policy.startswith("default-src 'none'") and "unsafe" not in policy
        assert "http" not in policy


def test_links_lead_to_files(path):
    markup = re.sub(r"<script[ >].*?</script>", "", path.read_text(), flags=re.DOTALL)
    links = [link for link in re.findall(r'href="([^"]*)"', markup) if link != "data:,"]
    assert len(links) > 10
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_opening_it_is_one_request_and_no_complaint(viewer, path):
    assert viewer.outside == [path.as_uri()]
    assert viewer.complaints == []


def test_names_of_the_dataset_are_text(viewer, path, driver):
    assert viewer.page.title() == "sub-01 · cordinr"
    assert HOSTILE in viewer.page.inner_text("footer")
    assert viewer.page.locator("img[src='x']").count() == 0
    with opened(driver, path.with_name("index.html")) as index:
        assert index.page.inner_text("h1") == HOSTILE
        assert index.page.evaluate("document.querySelector('figure img').naturalWidth") > 300
        assert index.complaints == []
        index.page.click("tbody a >> nth=0")
        assert index.page.inner_text("h1") == "sub-01"


def test_it_opens_on_the_sagittal_plane_through_the_cord(page, run):
    cord = nib.load(run.results / f"reference/{STEMS[0]}_cord.nii.gz")
    inside = nib.affines.apply_affine(cord.affine, np.argwhere(cord.get_fdata() > 0.5))
    here = places(page)
    assert np.ptp(here, axis=0).max() < 1e-3
    assert np.linalg.norm(inside - here[0], axis=1).min() < 2
    assert page.get_attribute("[data-plane=sagittal]", "aria-pressed") == "true"
    assert page.inner_text(".panel >> nth=0 >> .letters").split() == ["A", "P", "S", "I"]


def test_every_volume_is_drawn(viewer, page):
    names = page.eval_on_selector_all(".panel b", "all => all.map((one) => one.textContent)")
    assert names[:3] == ["Reference", "axial view", "sagittal view"] and len(names) == 5
    for k in range(5):
        pixels = viewer.pixels(f".panel >> nth={k} >> canvas")
        assert pixels.std() > 10
    view, reference = (viewer.pixels(f".panel >> nth={k} >> canvas") for k in (1, 0))
    assert np.abs(view.astype(float) - reference).mean() > 2


def test_the_loss_of_the_fits_is_drawn(page):
    chart = page.locator(".chart >> nth=0")
    box, line = chart.bounding_box(), chart.locator("polyline").bounding_box()
    assert box["width"] > 400 and line["width"] > 0.7 * box["width"]
    assert box["y"] < line["y"] and line["y"] + line["height"] < box["y"] + box["height"]
    assert page.inner_text(".legend-list >> nth=0").strip() == "INR, F = 8"


def test_a_click_moves_every_crosshair(page):
    before = places(page)[0]
    box = page.locator(".panel >> nth=3 >> canvas").bounding_box()
    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"])
    after = places(page)
    assert np.ptp(after, axis=0).max() < 1e-3
    assert after[0][0] == pytest.approx(before[0], abs=1e-3)
    assert after[0][2] > before[2] + 1
    letter = "S" if after[0][2] > 0 else "I"
    assert f"{letter} {abs(after[0][2]):.1f} mm" in page.inner_text("#place")


def test_keys_move_by_a_voxel_and_scroll(page):
    start = places(page)[0]
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("PageUp")
    np.testing.assert_allclose(places(page), np.tile(start + 2.0, (5, 1)), atol=1e-3)


def test_keys_scroll_the_page_where_the_viewer_is_out_of_sight(page):
    start = places(page)
    unfold = "document.querySelectorAll('details').forEach((one) => { one.open = %s; })"
    page.evaluate(unfold % "true")
    page.evaluate("document.querySelector('footer').scrollIntoView()")
    page.keyboard.press("ArrowUp")
    np.testing.assert_array_equal(places(page), start)
    page.evaluate(unfold % "false")
    page.evaluate("window.scrollTo(0, 0)")
    page.keyboard.press("ArrowUp")
    assert (places(page)[:, 2] > start[:, 2]).all()


def test_the_mouse_turns_window_and_zoom_of_all(page):
    window = ALL.format(body="[panel.nv.volumes[0].cal_min, panel.nv.volumes[0].cal_max]")
    before = page.evaluate(window)
    box = page.locator(".panel >> nth=0 >> canvas").bounding_box()
    page.mouse.move(box["x"] + 90, box["y"] + 90)
    page.mouse.down(button="right")
    page.mouse.move(box["x"] + 120, box["y"] + 120, steps=4)
    page.mouse.up(button="right")
    after = page.evaluate(window)
    assert after[0] != before[0] and all(pair == after[0] for pair in after)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    zooms = page.evaluate(ALL.format(body="panel.nv.scene.pan2Dxyzmm[3]"))
    assert zooms == pytest.approx([1.1] * 5)


def test_a_swipe_shows_one_image_left_and_the_other_right(viewer, page):
    page.keyboard.press("s")
    page.select_option("select[aria-label^=Left]", "view1")
    page.evaluate("document.activeElement.blur()")
    stage = page.locator(".stage").bounding_box()

    def drag(part):
        handle = page.locator(".divider").bounding_box()
        page.mouse.move(handle["x"] + handle["width"] / 2, stage["y"] + 50)
        page.mouse.down()
        page.mouse.move(stage["x"] + part * stage["width"], stage["y"] + 60, steps=3)
        page.mouse.up()
        page.wait_for_timeout(300)
        return viewer.pixels(".stage").astype(int)

    only_left, only_right, both = drag(0.95), drag(0.05), drag(0.5)
    middle, margin = both.shape[1] // 2, both.shape[1] // 12
    assert np.abs(only_left - only_right)[:, margin:-margin].mean() > 2
    same_left = np.abs(both - only_left)[:, margin : middle - 30]
    same_right = np.abs(both - only_right)[:, middle + 30 : -margin]
    assert same_left.mean() < 0.5 and same_right.mean() < 0.5


def test_overlays_are_in_percent_of_the_range(viewer, page, run):
    root = run.results
    reference = nib.load(root / f"reference/{STEMS[0]}_reference.nii.gz")
    recon = nib.load(root / f"cordinr/{STEMS[0]}_desc-inrF8_T2w.nii.gz").get_fdata()
    std = nib.load(root / f"cordinr/{STEMS[0]}_desc-inrF8stderr_T2w.nii.gz").get_fdata()
    truth = reference.get_fdata()
    peak = np.percentile(truth, 99.9)
    here = nib.affines.apply_affine(np.linalg.inv(reference.affine), places(page)[0])
    voxel = tuple(np.rint(here).astype(int))
    grey = viewer.pixels(".panel >> nth=4 >> canvas").astype(int)
    for key, value, tolerance in (
        ("e", recon[voxel] - truth[voxel], 1.25 / 255 + 0.005),
        ("u", std[voxel], 0.5 * std.max() / peak / 63 + 1e-3),
    ):
        page.keyboard.press(key)
        viewer.until("cordinr.panels[4].nv.volumes.length === 2")
        page.wait_for_timeout(300)
        shown = page.evaluate(
            "(() => { const { nv } = cordinr.panels[4]; const volume = nv.volumes[1];"
            " const vox = volume.mm2vox(cordinr.here()); return volume.getValue(...vox); })()"
        )
        limit = page.evaluate("cordinr.panels[4].nv.volumes[1].cal_max")
        if abs(100 * value / peak) < limit:
            assert shown == pytest.approx(100 * value / peak, abs=100 * tolerance)
        coloured = viewer.pixels(".panel >> nth=4 >> canvas").astype(int)
        tint = np.abs(coloured[..., 0] - coloured[..., 2])
        assert tint.mean() > np.abs(grey[..., 0] - grey[..., 2]).mean() + 2
        assert "% of R" in page.inner_text("#legend")
    assert page.evaluate("cordinr.panels[3].nv.volumes.length") == 1


def test_the_other_image_of_the_subject_is_oblique(viewer, page, run):
    page.click("#images button >> nth=1")
    viewer.until("cordinr.state.image === 1")
    viewer.until("document.querySelector('section[data-image=\"0\"]').hidden")
    assert page.is_visible("section[data-image='1'] table")
    assert viewer.pixels(".panel >> nth=4 >> canvas").std() > 10
    assert "from the scanner's" in page.inner_text(".below")
    cord = nib.load(run.results / f"reference/{STEMS[1]}_cord.nii.gz")
    focus = cord_focus(Grid(cord.shape, cord.affine), cord.get_fdata() > 0.5)
    np.testing.assert_allclose(places(page), np.tile(focus, (5, 1)), atol=0.01)
    seen = page.evaluate(
        ALL.format(body="Array.from(panel.nv.frac2vox(panel.nv.scene.crosshairPos))")
    )
    said = page.evaluate(ALL.format(body="Array.from(panel.nv.volumes[0].mm2vox(cordinr.here()))"))
    assert seen == said
    page.click("#images button >> nth=0")
    viewer.until("document.querySelector('section[data-image=\"1\"]').hidden")
    assert viewer.complaints == []


def test_without_webgl_the_pictures_stay(path, driver):
    with opened(driver, path, webgl=False, color_scheme="dark") as seen:
        width = "all => all.map((image) => image.naturalWidth)"
        assert min(seen.page.eval_on_selector_all(".picture img", width)) > 400
        assert seen.page.is_visible(".picture img >> nth=0")
        assert seen.page.is_visible(".picture img >> nth=1")
        assert not seen.page.is_visible("#viewer")
        dark = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert max(map(int, re.findall(r"\d+", dark))) < 60


def test_without_the_viewer_the_page_has_the_pictures_and_says_so(own_run, driver):
    (own_run.folder / VIEWER).unlink(missing_ok=True)
    assert planned_jobs(own_run) == {"page": 1}
    answer = own_run.snakemake("results/cordinr/sub-01.html")
    assert answer.returncode == 0, answer.stdout
    with opened(driver, own_run.results / "cordinr/sub-01.html") as seen:
        assert "make viewer" in seen.page.inner_text(".note >> nth=0")
        assert seen.page.is_visible(".picture img >> nth=1")
        assert seen.page.locator("script").count() == 0
        assert seen.complaints == []

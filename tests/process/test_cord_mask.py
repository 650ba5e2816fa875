"""A mask of no use costs the metrics of the cord, and nothing else."""

import numpy as np
import pytest

from cordinr.bids.cord_mask import CORD_PROBLEM_KEY, load_cord
from cordinr.errors import InputError
from cordinr.files import read_json, write_json
from cordinr.imaging.grid import Grid
from cordinr.imaging.masks import load_mask
from cordinr.imaging.volume import load_volume, save_volume
from tests.helpers.support import blobs

pytestmark = pytest.mark.slow

SHAPE = (24, 20, 16)
IMAGE, MASK = "sub-a/anat/sub-a_T2w.nii.gz", "masks/sub-a_seg.nii.gz"


def save(path, array, affine=None, dtype="uint8"):
    affine = np.eye(4) if affine is None else affine
    save_volume(path, array, Grid(array.shape, np.array(affine, float)), dtype=dtype)


def truncated(path):
    save(path, np.random.default_rng(0).random(SHAPE) > 0.5)
    path.write_bytes(path.read_bytes()[:-100])


def of_four_dimensions(path):
    import nibabel as nib

    nib.save(nib.Nifti1Image(np.ones((*SHAPE, 3), np.uint8), np.eye(4)), path)


UNUSABLE = {
    "is not a readable NIfTI image": lambda path: path.write_text("no mask"),
    "is truncated or damaged": truncated,
    "is not a mask (values from 0 to 900)": lambda path: save(
        path, np.linspace(0, 900, 24 * 20 * 16).reshape(SHAPE), dtype="float32"
    ),
    "is not a mask (values from nan": lambda path: save(
        path, np.full(SHAPE, np.nan), dtype="float32"
    ),
    "has 4 dimensions": of_four_dimensions,
    "is empty": lambda path: save(path, np.zeros(SHAPE)),
    "lies beside its image": lambda path: save(
        path, np.ones(SHAPE), np.eye(4) + 300 * np.eye(4, k=3)
    ),
    "its content was never fetched": lambda path: path.write_text(
        "/annex/objects/SHA256E-s1000--0123.nii.gz\n"
    ),
}


@pytest.fixture(params=UNUSABLE)
def unusable(request, tmp_path):
    """A mask of no use, and what is said of it."""
    path = tmp_path / MASK
    path.parent.mkdir()
    UNUSABLE[request.param](path)
    return path, request.param


def test_a_mask_of_no_use_is_noted(unusable, notes):
    path, why = unusable
    assert load_cord(path, Grid(SHAPE, np.eye(4))) is None
    (note,) = notes()
    assert why in note and note.endswith("There are no cord metrics.")


def test_a_mask_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_cord(tmp_path / "mask.nii.gz", Grid(SHAPE, np.eye(4)))
    assert load_cord(None, Grid(SHAPE, np.eye(4))) is None


def test_the_image_is_evaluated_without_its_cord(unusable, view_files, tmp_path, command):
    image, out = tmp_path / "image.nii.gz", tmp_path / "m.json"
    views = ["--view", view_files[0], "--view", view_files[1]]
    words = [image, "--reference", image, "--mask", unusable[0], *views, "-o", out]
    code, _, said = command("evaluate", *words)
    assert code == 0 and unusable[1] in said and said.count("There are no cord metrics.") == 1
    assert "psnr_fov" in read_json(out) and "psnr_cord" not in read_json(out)


def test_figures_are_drawn_without_the_cord(view_files, tmp_path, command):
    image, metrics = (
        tmp_path / f"sub-a_desc-inrF8_{end}" for end in ("T2w.nii.gz", "metrics.json")
    )
    volume = load_volume(tmp_path / "image.nii.gz")
    save_volume(image, volume.array * 1.01, volume.grid)
    shared = ["--reference", tmp_path / "image.nii.gz"]
    assert command("evaluate", image, *shared, "--view", view_files[0], "-o", metrics)[0] == 0
    (tmp_path / "bad.nii.gz").write_text("no mask")
    shared += ["--mask", tmp_path / "bad.nii.gz", "--metrics", metrics, "-o", tmp_path / "x.png"]
    compared = ["--baseline", image, "--metrics", metrics, "--view", view_files[0]]
    for words in (["resolution", image], ["compare", image, *compared]):
        code, _, said = command(*words, *shared)
        assert code == 0 and "bad.nii.gz: is not a readable" in said, said


def dataset(folder, mask) -> None:
    """A plain folder with one image; `mask` makes its mask."""
    write_json(folder / "dataset_description.json", {"Name": "x", "BIDSVersion": "1.10.0"})
    volume = blobs(SHAPE, np.eye(4))
    save_volume(folder / IMAGE, volume.array, volume.grid)
    (folder / MASK).parent.mkdir()
    mask(folder / MASK)


def fetch(command, tmp_path, *more):
    shared = ["fetch", tmp_path / "data", "--dest", tmp_path / "raw"]
    reference, cord = tmp_path / "sub-a_reference.nii.gz", tmp_path / "sub-a_cord.nii.gz"
    first = command(*shared, "--file", IMAGE, "--also", MASK, "-o", reference)
    words = ["--file", MASK, "--segmentation", *more, "-o", cord]
    return cord, first, command(*shared, *words)


@pytest.mark.parametrize("why", UNUSABLE)
def test_a_mask_of_no_use_is_fetched_as_zeros(why, tmp_path, command):
    dataset(tmp_path / "data", UNUSABLE[why])
    like = ["--like", tmp_path / "sub-a_reference.nii.gz"]
    cord, (code, _, said), second = fetch(command, tmp_path, *like)
    assert code == 0, said
    code, _, said = second
    assert code == 0 and why in said and f"`snakemake --cores all --forcerun {cord}`" in said
    grid = Grid(SHAPE, np.eye(4))
    assert load_mask(cord, grid).sum() == 0
    assert why in read_json(tmp_path / "sub-a_cord.json")[CORD_PROBLEM_KEY]


def test_a_usable_mask_is_fetched_as_it_is_or_on_the_grid_of_its_image(tmp_path, command):
    flipped = np.diag([-1, -1, 1, 1.0])
    flipped[:3, 3] = [23, 19, 0]
    inside = np.zeros(SHAPE)
    inside[2:5, 3:8, 4:9] = 1
    dataset(tmp_path / "data", lambda path: save(path, inside, flipped))
    like = ["--like", tmp_path / "sub-a_reference.nii.gz"]
    cord, _, (code, _, said) = fetch(command, tmp_path, *like)
    assert code == 0 and "is resampled by the nearest voxel" in said
    found = load_volume(cord)
    assert found.grid.matches(Grid(SHAPE, np.eye(4)))
    np.testing.assert_array_equal(found.array, inside[::-1, ::-1])
    soft = inside * 0.7
    save(tmp_path / "data" / MASK, soft, dtype="float32")
    fetch(command, tmp_path, *like)
    np.testing.assert_allclose(load_volume(cord).array, soft)


def test_without_the_grid_of_its_image_a_mask_of_no_use_is_refused(tmp_path, command):
    dataset(tmp_path / "data", lambda path: path.write_text("no mask"))
    cord, _, (code, _, said) = fetch(command, tmp_path)
    assert code == 1 and "is not a readable NIfTI image" in said and not cord.exists()


def test_an_image_of_unequal_voxels_is_fetched_resampled(tmp_path, command):
    dataset(tmp_path / "data", lambda path: save(path, np.ones(SHAPE)))
    volume = blobs((16, 40, 32), np.diag([0.8, 0.5, 0.5, 1]))
    save_volume(tmp_path / "data" / IMAGE, volume.array, volume.grid)
    stated = {"EchoTime": 0.1, "SliceThickness": 0.8, "ReconMatrixPE": 512}
    write_json(tmp_path / "data/sub-a/anat/sub-a_T2w.json", stated)
    like = ["--like", tmp_path / "sub-a_reference.nii.gz"]
    cord, (code, _, said), second = fetch(command, tmp_path, *like)
    text = "from 0.8 x 0.5 x 0.5 mm to 0.8 x 0.8 x 0.8 mm"
    assert code == 0 and f"is resampled {text}" in said
    assert read_json(tmp_path / "sub-a_reference.json") == {"EchoTime": 0.1, "Resampled": text}
    reference = load_volume(tmp_path / "sub-a_reference.nii.gz")
    assert reference.grid.shape == (16, 25, 20)
    assert second[0] == 0 and load_mask(cord, reference.grid).any()

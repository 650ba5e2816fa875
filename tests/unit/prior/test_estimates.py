"""What learning asks of a cluster."""

import pytest

from cordinr.prior.estimates import (
    BASE_MB,
    EXAMPLE_MB,
    examples_of_each,
    learning_memory_mb,
    learning_minutes,
)
from cordinr.prior.examples import CROP_VOXELS, make_example
from tests.helpers.priors import reference
from tests.helpers.support import save_noise_views

SETTINGS = {"examples": 10, "phantoms": 3, "batch": 2, "steps": 100}


@pytest.mark.parametrize(("images", "each"), [(1, 10), (3, 4), (10, 1), (213, 1)])
def test_images_share_the_examples(images, each):
    assert examples_of_each(images, SETTINGS) == each


def test_the_largest_example_fits():
    example = make_example(reference("sub-01", 20), 0, 0)
    arrays = (example.channels, example.target, example.counts)
    per_voxel = sum(each.nbytes for each in arrays) / example.target.size
    largest = per_voxel * CROP_VOXELS[0] * CROP_VOXELS[1] * CROP_VOXELS[2]
    assert largest / 1e6 == pytest.approx(EXAMPLE_MB, rel=0.1)
    assert largest / 1e6 < EXAMPLE_MB


def test_more_of_anything_asks_for_more(tmp_path):
    small, large = save_noise_views(tmp_path, 20)[:1], save_noise_views(tmp_path / "b", 200)[:1]
    base = learning_memory_mb(small, SETTINGS, 1)
    assert base > BASE_MB + 13 * EXAMPLE_MB
    assert learning_memory_mb(large, SETTINGS, 1) > base
    assert learning_memory_mb(small * 20, SETTINGS, 1) > base
    for change in ({"batch": 9}, {"examples": 40}, {"phantoms": 30}):
        assert learning_memory_mb(small, SETTINGS | change, 1) > base
    assert learning_memory_mb(small, SETTINGS, 9) > base


def test_a_gpu_and_more_cores_take_less_time():
    shipped = {"examples": 144, "phantoms": 20, "batch": 16, "steps": 1600}
    on_gpu = learning_minutes(6, shipped, 2, on_gpu=True)
    on_cpu = learning_minutes(6, shipped, 2, on_gpu=False)
    assert 20 < on_gpu < 60 < 240 < on_cpu
    assert learning_minutes(6, shipped, 8, on_gpu=False) < on_cpu / 3
    assert learning_minutes(6, shipped | {"steps": 3200}, 2, on_gpu=False) > 1.8 * on_cpu


def test_references_that_are_not_there_yet_are_missing_files(tmp_path):
    missing = str(tmp_path / "none.nii.gz")
    with pytest.raises(FileNotFoundError) as error:
        learning_memory_mb([missing], SETTINGS, 1)
    assert error.value.filename == missing

"""Random damage: an image, model or view is read as it should be, or refused in a sentence."""

import gzip
import json
import tracemalloc

import nibabel as nib
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

from cordinr.acquisition.domain import FitDomain
from cordinr.bids.view_files import read_view
from cordinr.cli.fitting import list_grids
from cordinr.errors import InputError
from cordinr.imaging.grid import Grid
from cordinr.imaging.nifti import FARTHEST_MM
from cordinr.imaging.volume import load_volume, save_volume
from cordinr.inr.model_file import FORMAT, INR, load_inr, save_inr
from cordinr.inr.network import Architecture, CoordinateNetwork
from cordinr.inr.settings import FitSettings
from tests.helpers.support import blobs

pytestmark = pytest.mark.slow

MOST_BYTES = 50e6

FUZZ = settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

HEADER = nib.Nifti1Header.template_dtype
FIELDS = [HEADER.fields[name][:2] for name in HEADER.names]


def read(reader, path):
    """What a reader returns, or None where it refuses in one sentence that names the file.

    Whatever the file promises, Python and numpy allocate `MOST_BYTES` at most for it.
    """
    tracemalloc.start()
    try:
        return reader(path)
    except InputError as error:
        sentence = str(error)
        assert path.stem in sentence and "\n" not in sentence and sentence.endswith(".")
        return None
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < MOST_BYTES


@st.composite
def damaged_headers(draw):
    """The header of a small image with a few fields of random bytes or plausible numbers."""
    image = nib.Nifti1Image(blobs((5, 4, 3), np.eye(4)).array, np.eye(4))
    image.set_qform(np.eye(4), code=draw(st.sampled_from([0, 1])))
    image.set_sform(np.eye(4), code=draw(st.sampled_from([0, 1])))
    content = bytearray(image.to_bytes())
    for dtype, offset in draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=3)):
        base, count = dtype.base, int(np.prod(dtype.shape or 1))
        if base.kind in "if" and draw(st.booleans()):
            at = offset + base.itemsize * draw(st.integers(0, count - 1))
            numbers = st.integers(-1, 70) if base.kind == "i" else st.floats(width=32)
            new = np.array(draw(numbers), base.newbyteorder("<")).tobytes()
        else:
            at, new = offset, draw(st.binary(min_size=dtype.itemsize, max_size=dtype.itemsize))
        content[at : at + len(new)] = new
    return bytes(content)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@FUZZ
@given(content=damaged_headers())
def test_an_image_with_a_damaged_header(tmp_path, suffix, content):
    path = tmp_path / f"image{suffix}"
    path.write_bytes(gzip.compress(content, 1) if suffix.endswith(".gz") else content)
    volume = read(load_volume, path)
    if volume is not None:
        assert volume.array.dtype == np.float32 and np.isfinite(volume.array).all()
        assert volume.array.shape == volume.grid.shape and volume.array.ndim == 3
        assert (np.abs(volume.grid.corners) <= FARTHEST_MM + 200).all()
        np.testing.assert_allclose(volume.grid.index(volume.grid.centre) * 2 + 1, volume.grid.shape)


@FUZZ
@given(data=st.data())
def test_an_image_with_damaged_bytes(tmp_path, data):
    """Of a compressed file, where a checksum tells."""
    volume = blobs((5, 4, 3), np.eye(4))
    path = tmp_path / "image.nii.gz"
    save_volume(path, volume.array, volume.grid)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(10, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    again = read(load_volume, path)
    assert again is None or np.array_equal(again.array, volume.array)


ARCHITECTURE = Architecture("fourier", 4, 0.03, 20.0, 6, 2, "relu", 0.0)
MODEL = INR(
    network=CoordinateNetwork(ARCHITECTURE),
    domain=FitDomain(Grid((4, 5, 6), np.eye(4)), 4.0, (Grid((3, 4, 5), np.eye(4)),)),
    centre=(0.0, 1.0, 2.0),
    scale=2.0,
    settings=FitSettings(),
    views=("a",),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


def places(tree, path=()):
    """Every path of keys and indices into nested dicts and lists."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in inner if isinstance(tree, dict | list) else ():
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


@FUZZ
@given(data=st.data())
def test_a_model_with_a_damaged_header(tmp_path, data):
    path = tmp_path / "model.safetensors"
    save_inr(path, MODEL)
    with safe_open(path, "pt") as stored:
        header = json.loads(stored.metadata()[FORMAT])
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    *way, last = data.draw(st.sampled_from(list(places(header))))
    inner = header
    for key in way:
        inner = inner[key]
    inner[last] = data.draw(JSON)
    save_file(tensors, path, metadata={FORMAT: json.dumps(header)})
    inr = read(load_inr, path)
    if inr is not None:
        (grid,) = list_grids(inr, None, [None])
        assert np.isfinite(grid.corners).all()
        assert inr.network(torch.zeros(1, 3)).shape == (1, 1)


@FUZZ
@given(data=st.data())
def test_a_model_with_damaged_bytes(tmp_path, data):
    path = tmp_path / "model.safetensors"
    save_inr(path, MODEL)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    inr = read(load_inr, path)
    if inr is not None:
        assert all(tensor.isfinite().all() for tensor in inr.network.state_dict().values())


KEYS = ["SliceThickness", "SpacingBetweenSlices", "SliceEncodingDirection", "SliceProfile"]


@FUZZ
@given(stated=st.dictionaries(st.sampled_from([*KEYS, "Manufacturer"]), JSON))
def test_a_view_with_an_odd_sidecar(tmp_path, stated):
    volume = blobs((6, 5, 4), np.diag([1, 1, 4, 1.0]))
    path = tmp_path / "view.nii.gz"
    if not path.exists():
        save_volume(path, volume.array, volume.grid)
    (tmp_path / "view.json").write_text(json.dumps(stated))
    try:
        view = read_view(path)
    except InputError as error:
        assert "\n" not in str(error)
        return
    assert 0 < view.profile.thickness < np.inf and view.axis in (0, 1, 2)

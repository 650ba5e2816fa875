"""Encodings, the network and its file."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from cordinr.acquisition.domain import FitDomain
from cordinr.errors import InputError
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import load_volume
from cordinr.inr.encoding import FourierEncoding
from cordinr.inr.fit import fit_inr
from cordinr.inr.lattices import Lattice
from cordinr.inr.model_file import FORMAT, INR, load_inr, save_inr
from cordinr.inr.network import SIREN_OMEGA, Architecture, CoordinateNetwork
from cordinr.inr.settings import FitSettings
from tests.helpers.support import two_views


def architecture(**changes) -> Architecture:
    fields = {
        "encoding": "fourier",
        "fourier_dim": 6,
        "sigma": 0.05,
        "half_extent": 20.0,
        "width": 8,
        "depth": 2,
        "activation": "relu",
        "dropout": 0.0,
    }
    return Architecture(**(fields | changes))


DOMAIN = FitDomain(Grid((4, 5, 6), np.eye(4)), 4.0, (Grid((3, 4, 5), np.eye(4), 2),))


def fitted(network: CoordinateNetwork) -> INR:
    """A model that was never fitted, of two views."""
    members = network.architecture.members
    return INR(
        network=network,
        domain=DOMAIN,
        centre=(1.0, 2.0, 3.5),
        scale=812.5,
        settings=FitSettings(members=members, seed=5),
        views=("a", "b"),
        metadata={"EchoTime": 0.1},
        fit_record={"threads": 3},
    )


def test_fourier_features_are_sines_and_cosines_of_cycles():
    encoding = FourierEncoding(4, 0.05, 1, torch.Generator().manual_seed(1))
    xyz = torch.tensor([[1.0, -2.0, 30.0]])
    cycles = encoding.frequencies[0].double().numpy() @ xyz[0].double().numpy()
    expected = np.concatenate([np.sin(2 * np.pi * cycles), np.cos(2 * np.pi * cycles)])
    np.testing.assert_allclose(encoding(xyz)[0, 0].numpy(), expected, atol=1e-5)


def test_sigma_is_the_standard_deviation_in_cycles_per_millimetre():
    encoding = FourierEncoding(20000, 0.05, 1, torch.Generator().manual_seed(0))
    assert float(encoding.frequencies.std()) == pytest.approx(0.05, rel=0.02)


LATTICES = (
    Lattice((5, 6, 7), ((0.1, 0.0, 0.0, 2.0), (0.0, 0.1, 0.0, 2.5), (0.0, 0.0, 0.1, 3.0))),
    Lattice((9, 9, 4), ((0.2, 0.1, 0.0, 4.0), (-0.1, 0.2, 0.0, 4.0), (0.0, 0.0, 0.05, 1.0))),
)


@pytest.mark.parametrize("encoding", ["fourier", "siren", "none"])
@pytest.mark.parametrize("activation", ["relu", "gelu", "sine"])
@pytest.mark.parametrize("lattices", [(), LATTICES])
def test_intensity_along_offsets_is_that_of_the_points(encoding, activation, lattices):
    changes = {"lattices": lattices, "channels": 3, "members": 2}
    network = CoordinateNetwork(
        architecture(encoding=encoding, activation=activation, **changes), 3
    )
    torch.nn.init.normal_(network.from_position, std=0.3)
    places = [(torch.randn(7, 3) * 10, torch.randn(5, 3)), (torch.randn(2, 3), torch.zeros(1, 3))]
    for (xyz, offsets), found in zip(places, network.along_offsets(places), strict=True):
        assert found.shape == (2, len(xyz), len(offsets))
        for k, offset in enumerate(offsets):
            expected = torch.cat([network((x + offset)[None]) for x in xyz], dim=1)
            torch.testing.assert_close(found[..., k], expected, atol=2e-5, rtol=1e-4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert network.along_offsets(places)[0].dtype == torch.float32


def test_a_siren_is_what_its_paper_says():
    network = CoordinateNetwork(architecture(encoding="siren"), 0)
    x = torch.tensor([[4.0, -8.0, 12.0]])
    first, second = network.from_position[0], network.hidden[0][0]
    hidden = torch.sin(SIREN_OMEGA * (x / 20 @ first + network.biases[0][0]))
    hidden = torch.sin(SIREN_OMEGA * (hidden @ second + network.biases[1][0]))
    expected = hidden @ network.last[0] + network.last_bias[0]
    np.testing.assert_allclose(network(x).detach(), expected.T.detach(), atol=1e-6)
    assert first.abs().max().item() <= 1 / 3


def test_fourier_weights_begin_at_zero_beside_lattices():
    network = CoordinateNetwork(architecture(lattices=LATTICES, channels=2), 0)
    assert not network.from_position.any() and network.from_lattices.any()


def test_parameters_are_counted():
    counted = architecture(lattices=LATTICES, channels=3, members=2)
    network = CoordinateNetwork(counted, 0)
    assert counted.parameters == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("encoding", ["fourier", "siren", "none"])
@pytest.mark.parametrize("lattices", [(), LATTICES])
def test_a_model_file_holds_everything(tmp_path, encoding, lattices):
    channels = 2 if lattices else 0
    held = architecture(encoding=encoding, lattices=lattices, channels=channels, members=2)
    network = CoordinateNetwork(held, 5).eval()
    if lattices:
        network.lattices.table.data.copy_(network.lattices.table.half())
    inr = fitted(network)
    save_inr(tmp_path / "model.safetensors", inr)
    again = load_inr(tmp_path / "model.safetensors")
    xyz = torch.randn(11, 3)
    torch.testing.assert_close(again.network(xyz), network(xyz), rtol=0, atol=0)
    assert again.network.architecture == held
    for name in ("centre", "scale", "settings", "views", "metadata", "fit_record"):
        assert getattr(again, name) == getattr(inr, name), name
    assert again.fourier_dim == 6 and again.members == 2
    assert again.domain.margin == 4.0 and len(again.domain.limits) == 1
    for one, other in zip(
        (again.domain.grid, *again.domain.limits), (DOMAIN.grid, *DOMAIN.limits), strict=True
    ):
        assert one.matches(other) and one.space == other.space


def test_a_file_that_is_no_model_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    with pytest.raises(InputError, match="no such file"):
        load_inr(path)
    path.write_bytes(b"not a model")
    with pytest.raises(InputError, match="not a readable model"):
        load_inr(path)
    save_file({"x": torch.zeros(3)}, path)
    with pytest.raises(InputError, match="not a cordinr model"):
        load_inr(path)


def test_a_model_of_another_shape_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    save_inr(path, fitted(CoordinateNetwork(architecture(), 0)))
    with safe_open(path, "pt") as stored:
        header = json.loads(stored.metadata()[FORMAT])
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    header["architecture"]["width"] = 9
    save_file(tensors, path, metadata={FORMAT: json.dumps(header)})
    with pytest.raises(InputError, match="says 217 weights, it holds 185"):
        load_inr(path)


def test_positions_keep_their_precision_under_autocast():
    """0.01 mm is seen 100 mm from the centre, where bfloat16 would lose half a millimetre."""
    encoding = FourierEncoding(64, 0.05, 1, torch.Generator().manual_seed(0))
    xyz = torch.tensor([[100.0, -90.0, 80.0], [100.01, -90.0, 80.0]])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features = encoding(xyz)
    exact = encoding.double()(xyz.double())
    np.testing.assert_allclose(features.double(), exact, atol=2e-4)


def test_a_model_of_the_library_is_rendered_by_the_command(smooth_volume, tmp_path, command):
    """`fit_inr` and `save_inr` are all that a notebook calls; no key is set by hand."""
    settings = FitSettings(width=16, channels=2, batch=64, max_steps=2)
    model, image = tmp_path / "model.safetensors", tmp_path / "sub-1_T2w.nii.gz"
    save_inr(model, fit_inr(two_views(smooth_volume), 8, settings))
    code, _, error = command("render", model, "--voxel", 2, "-o", image)
    assert (code, error) == (0, "")
    assert load_volume(image).grid.shape == (12, 10, 8)

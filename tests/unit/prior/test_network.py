"""The network's shape, how far it sees, and that it begins at total variation."""

import pytest
import torch

from cordinr.prior.network import PriorArchitecture, PriorNetwork

SMALL = PriorArchitecture(3, (4, 6, 8), (1, 1, 1))


def test_it_begins_at_total_variation():
    torch.manual_seed(0)
    correction, log_variance = PriorNetwork(SMALL)(torch.randn(2, 3, 8, 12, 16))
    assert correction.shape == log_variance.shape == (2, 8, 12, 16)
    assert correction.abs().max() < 0.05
    assert log_variance.mean().item() == pytest.approx(-1, abs=0.05)


@pytest.mark.parametrize(
    "architecture",
    [SMALL, PriorArchitecture(3, (4,), (2,)), PriorArchitecture(3, (4, 4), (1, 2))],
)
def test_it_sees_no_farther_than_it_says(architecture):
    torch.manual_seed(0)
    network = PriorNetwork(architecture).double()
    length = 2 * (architecture.reach + architecture.multiple) + architecture.multiple
    channels = torch.randn(1, 3, length, 8, 8, dtype=torch.double)
    changed = channels.clone()
    middle = length // 2
    changed[:, :, middle] += 100
    with torch.no_grad():
        difference = (network(channels)[0] - network(changed)[0]).abs().amax(dim=(0, 2, 3))
    moved = difference.nonzero().ravel()
    assert moved.min() >= middle - architecture.reach
    assert moved.max() <= middle + architecture.reach
    assert len(moved) > architecture.reach // 2


@pytest.mark.parametrize(
    "fields",
    [
        None,
        {},
        {"channels": 14, "widths": [24], "blocks": []},
        {"channels": 14, "widths": [0], "blocks": [1]},
        {"channels": 14, "widths": [10**9], "blocks": [1]},
        {"channels": "x", "widths": [4], "blocks": [1]},
        {"channels": 14, "widths": 4, "blocks": [1]},
    ],
)
def test_impossible_architectures_are_refused(fields):
    with pytest.raises(ValueError, match="its header holds"):
        PriorArchitecture.from_header(fields)

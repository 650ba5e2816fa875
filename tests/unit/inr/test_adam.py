"""The optimiser against torch's own class, and what it is there for."""

import torch

from cordinr.inr.adam import Adam

BETAS = (0.9, 0.99)


def groups() -> list[dict]:
    torch.manual_seed(0)
    shapes = [[(3, 4), (5,)], [(2, 2)]]
    parameters = [[torch.randn(shape, requires_grad=True) for shape in each] for each in shapes]
    return [{"params": each, "lr": 0.1 / (k + 1)} for k, each in enumerate(parameters)]


def train(optimiser, steps: range) -> list[torch.Tensor]:
    """Its parameters after steps, each on a loss of its own; one has no gradient at first."""
    parameters = [each for group in optimiser.param_groups for each in group["params"]]
    for step in steps:
        optimiser.zero_grad()
        used = parameters if step else parameters[:-1]
        sum(((each - step) ** 2 + each.sin()).sum() for each in used).backward()
        optimiser.param_groups[0]["lr"] = 0.1 / (step + 1)
        optimiser.step()
    return parameters


def test_it_is_torch_s_fused_adam_to_the_last_bit():
    ours = train(Adam(groups(), BETAS), range(20))
    theirs = train(torch.optim.Adam(groups(), betas=BETAS, fused=True), range(20))
    assert all(map(torch.equal, ours, theirs))


def test_it_goes_on_from_its_stored_state():
    whole = train(Adam(groups(), BETAS), range(9))
    first = Adam(groups(), BETAS)
    parameters = train(first, range(4))
    second = Adam([dict(group) for group in first.param_groups], BETAS)
    second.load_state_dict(first.state_dict())
    assert all(map(torch.equal, train(second, range(4, 9)), whole))
    assert second.state.keys() == set(parameters)

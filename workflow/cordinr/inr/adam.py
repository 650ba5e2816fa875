"""Adam by torch's own kernel, without `torch.optim.Optimizer`.

The first use of that class loads torch's compiler, which a fit never calls and which costs every
process 1.2 s.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.adam import adam

EPSILON = 1e-8
"""Term that Adam adds to the denominator of a step, torch's own default."""


class Adam:
    """The fused Adam of torch, to the last bit, with what a fit and its checkpoint need.

    Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.

    Args:
        param_groups: each with `params` (tensors to train) and `lr`, their learning rate, which may
            be changed between steps.
        betas: decay rates of the first and the second moment.
    """

    def __init__(self, param_groups: Sequence[dict[str, Any]], betas: tuple[float, float]) -> None:
        self.param_groups, self.betas = list(param_groups), betas
        self.state: dict[Tensor, dict[str, Tensor]] = {}

    def zero_grad(self) -> None:
        """Drop the gradients of all parameters."""
        for parameter in self._parameters():
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            moved = [each for each in group["params"] if each.grad is not None]
            states = [self._state_of(each) for each in moved]
            adam(
                moved,
                [each.grad for each in moved],
                [state["exp_avg"] for state in states],
                [state["exp_avg_sq"] for state in states],
                [],
                [state["step"] for state in states],
                fused=True,
                amsgrad=False,
                beta1=self.betas[0],
                beta2=self.betas[1],
                lr=group["lr"],
                weight_decay=0.0,
                eps=EPSILON,
                maximize=False,
            )

    def state_dict(self) -> dict[str, Any]:
        """`state`: step and moments by the number of the parameter, as `torch.optim` has it."""
        numbered = enumerate(self._parameters())
        return {"state": {k: self.state[each] for k, each in numbered if each in self.state}}

    def load_state_dict(self, stored: dict[str, Any]) -> None:
        """Put back what `state_dict` gave, on the devices of the parameters."""
        parameters = self._parameters()
        self.state = {
            parameters[k]: {name: value.to(parameters[k].device) for name, value in state.items()}
            for k, state in stored["state"].items()
        }

    def _parameters(self) -> list[Tensor]:
        return [each for group in self.param_groups for each in group["params"]]

    def _state_of(self, parameter: Tensor) -> dict[str, Tensor]:
        if parameter not in self.state:
            self.state[parameter] = {
                "step": torch.zeros((), device=parameter.device),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }
        return self.state[parameter]

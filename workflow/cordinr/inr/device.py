"""The device on which torch computes, and the precision."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import psutil
import torch

from ..errors import InputError, first_line
from .gpu_lock import acquire_gpu

log = logging.getLogger(__name__)

Result = TypeVar("Result")


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 where the hardware multiplies it natively, float32 elsewhere."""
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        # Before 2.11 torch does not tell; float32 is right on every processor, and slower on some.
        features: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
        native = any(present for name, present in features.items() if name.endswith("bf16"))
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=bool(native))


def choose_device(name: str) -> torch.device:
    """The torch device for "auto", "cpu" or "cuda"; of several GPUs the one that is least in use.

    Only those are considered that CUDA_VISIBLE_DEVICES, set by a scheduler or by hand, lets torch
    see, and on which a first computation succeeds: torch also sees cards that it has no kernels
    for, and such that another process has for itself.

    Raises:
        InputError: CUDA is asked for, and there is no GPU or none that torch can use.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise InputError(f"device '{name}' is not known; use auto, cpu or cuda.")
    if name == "cpu":
        return torch.device("cpu")
    try:
        found = _usable_gpu() if torch.cuda.is_available() else None
    except Exception as error:  # of drivers, of torch's own checks, of a build without CUDA
        reason = first_line(error)
        if name == "cuda":
            raise InputError(
                f"device cuda was asked for, but torch cannot use the GPU ({reason}); free it, use "
                "auto or cpu, or a build of torch for this card."
            ) from error
        log.warning("torch cannot use the GPU (%s); going on with the CPU.", reason)
        return torch.device("cpu")
    if found is None and name == "cuda":
        raise InputError("device cuda was asked for, but torch sees no GPU; use auto or cpu.")
    return found or torch.device("cpu")


def _usable_gpu() -> torch.device | None:
    """The least used GPU on which torch can compute; None where there is no GPU at all.

    Raises:
        Exception: whatever the first GPU that was tried says, where all of them fail.
    """
    left = list(range(torch.cuda.device_count()))
    problem = None
    while left:
        # Numbers depend on CUDA_VISIBLE_DEVICES, UUIDs do not.
        names = [str(torch.cuda.get_device_properties(each).uuid) for each in left]
        number = left.pop(acquire_gpu(names))
        try:
            torch.cuda.set_device(number)
            device = torch.device("cuda", number)
            _try_kernels(device)
        except Exception as error:
            problem = problem or error
        else:
            return device
    if problem:
        raise problem
    return None


def _try_kernels(device: torch.device) -> None:
    """Do what every fit begins with: fill a matrix, multiply it in the fit's precision, read it."""
    ones = torch.ones(8, 8, device=device)
    with autocast(device):
        (ones @ ones).sum().item()


def on_device_or_cpu(
    compute: Callable[[torch.device], Result], device: torch.device, what: str
) -> Result:
    """Compute on a device, or on the CPU where the GPU's memory is too small for it.

    Args:
        compute: is told the device.
        device: to be tried first.
        what: is computed, for the warning.
    """
    try:
        return compute(device)
    except torch.OutOfMemoryError:
        pass
    # Outside of `except`: the traceback of the error would keep the GPU's tensors alive.
    torch.cuda.empty_cache()
    log.warning("%s is computed on the CPU, for want of GPU memory.", what)
    return compute(torch.device("cpu"))


def free_memory(device: torch.device) -> int:
    """Bytes that a fit may still take, on the GPU or of the machine."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available


def use_threads(threads: int | None) -> None:
    """Compute with this many CPU threads, of those there are; None leaves the choice to torch."""
    if threads:
        torch.set_num_threads(min(threads, psutil.cpu_count() or 1))

"""Where and with which arithmetic torch computes."""

import psutil
import torch

from .claims import claim
from .errors import InputError


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 where the hardware multiplies it natively, float32 elsewhere."""
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        features = torch.cpu.get_capabilities()
        native = any(present for name, present in features.items() if name.endswith("bf16"))
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=bool(native))


def choose_device(name: str) -> torch.device:
    """The torch device for "auto", "cpu" or "cuda"; of several GPUs the one that is least in use.

    Only those are considered that CUDA_VISIBLE_DEVICES, set by a scheduler or by hand, lets torch
    see.

    Raises:
        InputError: CUDA is asked for and there is none.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise InputError("device cuda was asked for, but torch sees no GPU; use auto or cpu.")
    if name not in ("auto", "cpu", "cuda"):
        raise InputError(f"device '{name}' is not known; use auto, cpu or cuda.")
    if name == "cpu" or not available:
        return torch.device("cpu")
    # Numbers depend on CUDA_VISIBLE_DEVICES, UUIDs do not.
    devices = range(torch.cuda.device_count())
    number = claim([str(torch.cuda.get_device_properties(each).uuid) for each in devices])
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


def free_memory(device: torch.device) -> int:
    """Bytes that a fit may still take, on the GPU or of the machine."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available


def use_threads(threads: int | None) -> None:
    """Compute with this many CPU threads, of those there are; None leaves the choice to torch."""
    if threads:
        torch.set_num_threads(min(threads, psutil.cpu_count() or 1))

"""Where and with which arithmetic torch computes."""

import psutil
import torch

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
    """The torch device for "auto", "cpu" or "cuda".

    Raises:
        InputError: CUDA is asked for and there is none.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise InputError("device cuda was asked for, but torch sees no GPU; use auto or cpu.")
    if name not in ("auto", "cpu", "cuda"):
        raise InputError(f"device '{name}' is not known; use auto, cpu or cuda.")
    return torch.device("cuda" if name != "cpu" and available else "cpu")


def free_memory(device: torch.device) -> int:
    """Bytes that a fit may still take, on the GPU or of the machine."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available


def use_threads(threads: int | None) -> None:
    """Compute with this many CPU threads; None leaves the choice to torch."""
    if threads:
        torch.set_num_threads(threads)

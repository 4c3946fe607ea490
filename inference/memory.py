"""What running out of memory looks like on each device, and what to do about it.

It is the one error of a device that leaves the process sound: what was asked for was not given, nothing else happened.
Every other one ends the worker.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TypeVar

import torch

T = TypeVar("T")

# AcceleratorError is younger than the oldest torch that is supported.
DEVICE_ERROR: type[Exception] = getattr(torch, "AcceleratorError", torch.OutOfMemoryError)

_WORDS = (
    "DefaultCPUAllocator: can't allocate memory",
    "DefaultCPUAllocator: not enough memory",
    "MPS backend out of memory",
)
"""CPU and MPS have no class of their own for it."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error says that a device's memory did not suffice."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _WORDS)


def spoils_device(error: BaseException) -> bool:
    """Whether the error is a device's own: after it no computation in this process can be trusted."""
    return isinstance(error, DEVICE_ERROR) and not is_out_of_memory(error)


def if_it_fits(compute: Callable[[], T]) -> T | None:
    """What is computed, or None if memory did not suffice; then all that can be given back has been given back."""
    try:
        return compute()
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    # Outside of the handler, whose error holds on to every tensor of the failed computation.
    give_back()
    return None


def give_back() -> None:
    """Return cached memory to the device, so that it can be had in other pieces."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()

"""What the work is done on, for code that asks: the processors, and nothing else."""

from __future__ import annotations

import os

from udfwidgets.errors import ExecutorSpecException


def detect() -> dict[str, object]:
    """Return the devices that can be used: ``cpus`` by number, no ``cudas``, no ``has_cupy``."""
    return {"cpus": list(range(os.cpu_count() or 1)), "cudas": [], "has_cupy": False}


def has_cupy() -> bool:
    """Return False: the data are NumPy arrays."""
    return False


def get_use_cpu() -> int:
    """Return the number of the processor to use, which is always one: 0."""
    return 0


def get_use_cuda() -> None:
    """Return None: no GPU is used."""


def set_use_cpu(cpu: int = 0) -> None:
    """Ask for a processor, as is done anyway; which one it is, is left to the system."""


def set_use_cuda(cuda_device: int) -> None:
    """Refuse to use a GPU.

    Raises
    ------
    ExecutorSpecException
        Always.
    """
    raise ExecutorSpecException(
        f"the GPU {cuda_device} cannot be used, as the work is done on processors: leave it out"
    )


def get_device_class() -> str:
    """Return 'cpu'."""
    return "cpu"

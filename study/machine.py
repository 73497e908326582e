"""This machine: cores, threads, devices, memory and random state."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

import psutil
import torch

from search_spaces.errors import InputError, unknown
from study.flags import Device


def usable_cores() -> int:
    """How many cores this process may use, each counted once."""
    cores = psutil.cpu_count(logical=False) or 1
    return min(cores, len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else cores


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Torch computes with this many threads in this context, then with as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def choose_device(name: str) -> torch.device:
    """The device of this name: auto, cpu or cuda; raises InputError for another name, and for CUDA without a GPU."""
    if name not in get_args(Device):
        raise unknown("device", name, get_args(Device))
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda needs a GPU that torch sees, but it sees none: use --device cpu")
    if name == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    # The same bits every time; cuBLAS reads the variable when it starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    return torch.device("cuda")


def free_memory(device: torch.device) -> int:
    """Bytes that are free on the device, or in main memory for the CPU."""
    return int(torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available)


def out_of_memory(error: RuntimeError) -> bool:
    """Whether a GPU's memory ran out. CUDA's libraries say so in different ways."""
    return isinstance(error, torch.OutOfMemoryError) or "ALLOC_FAILED" in str(error)


def release_memory() -> None:
    """Give back what a failed attempt has left on the GPU."""
    gc.collect()
    torch.cuda.empty_cache()


@contextmanager
def same_random_numbers_after(device: torch.device) -> Iterator[None]:
    """Give torch's global generators their state back when the context ends: initialisation and dropout draw there."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield

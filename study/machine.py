"""This machine: cores, threads, devices, memory and random state."""

from __future__ import annotations

import gc
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import psutil
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from search_spaces.errors import InputError, unknown
from study.flags import Device


def usable_cores() -> int:
    """How many physical cores this process may use."""
    cores = psutil.cpu_count(logical=False) or 1
    return min(cores, len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else cores


def processor() -> str:
    """The name of the processor, as Linux gives it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def name_of_device(device: torch.device) -> str:
    """The name of the GPU or, for the CPU, of the processor."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor()


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Let torch use this many threads in this context, and restore the number afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def check_free_memory(what: str, needed: int) -> None:
    """Raise InputError if this many bytes are more than the free memory of the machine. what: that needs them."""
    free = psutil.virtual_memory().available
    if needed > free:
        raise InputError(f"{what} needs about {needed / 1e9:.1f} GB of memory, but {free / 1e9:.1f} GB are free")


def choose_device(name: str, here: bool = True) -> torch.device:
    """The device of this name: auto, cpu or cuda; raises InputError for another name, and for CUDA without a GPU.

    here: whether this machine must have it; otherwise another one may.
    """
    if name not in get_args(Device):
        raise unknown("device", name, get_args(Device))
    if name == "cuda" and here and not torch.cuda.is_available():
        raise InputError(
            "--device cuda needs a GPU that torch sees, but it sees none: use --device cpu, or --executor ray if "
            "other machines have one"
        )
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    make_cublas_deterministic()  # it may start before anything is trained
    return torch.device("cuda")


def cards() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return list(map(str, range(torch.cuda.device_count()))) if visible is None else [*filter(None, visible.split(","))]


def make_cublas_deterministic() -> None:
    """Have cuBLAS compute the same bits every time; it reads this when it starts, so this stays set."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


@contextmanager
def same_bits_every_time(device: torch.device) -> Iterator[None]:
    """On a GPU, torch uses deterministic algorithms in this context, and what it used before afterwards.

    Attention is computed by its formula: its fused kernels add in any order unless every operation must be
    deterministic. On a CPU torch computes the same bits anyway. An operation without a deterministic algorithm warns;
    but if the caller made torch deterministic, that stays as it is.
    """
    if device.type != "cuda" or torch.are_deterministic_algorithms_enabled():
        yield
        return
    make_cublas_deterministic()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.use_deterministic_algorithms(False)


def free_memory(device: torch.device) -> int:
    """Bytes that are free on the device, or in main memory for the CPU."""
    return int(torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available)


def out_of_memory(error: RuntimeError) -> bool:
    """Whether a GPU's memory ran out. CUDA's libraries say so in different ways."""
    return isinstance(error, torch.OutOfMemoryError) or "ALLOC_FAILED" in str(error)


def is_of_device(error: BaseException) -> bool:
    """Whether a GPU, or one of CUDA's libraries, failed, whatever the code was that it ran."""
    if not isinstance(error, RuntimeError):
        return False
    said = any(words in str(error) for words in ("CUDA error", "CUDNN_STATUS"))
    return out_of_memory(error) or isinstance(error, torch.AcceleratorError) or said


def release_memory() -> None:
    """Free the GPU memory that a failed attempt still holds."""
    gc.collect()
    torch.cuda.empty_cache()


@contextmanager
def same_random_numbers_after(device: torch.device) -> Iterator[None]:
    """Restore torch's global random state when the context ends: initialisation and dropout draw from it."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield

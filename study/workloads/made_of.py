"""What a study's results depend on besides its configuration and data: the user's modules, and a fresh model."""

from __future__ import annotations

import hashlib
import math
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from study.machine import processor, same_random_numbers_after
from study.workloads.inputs import forward
from study.workloads.raised import INSTALLED
from study.workloads.streamed import StreamedSplit
from study.workloads.workload import Workload

OURS = ("__main__", "__mp_main__", "scripts", "search_spaces", "study")
DIGITS = 1e-3
"""Tolerated relative difference of an output: some operations of a GPU add in any order."""


def modules_here() -> dict[str, str]:
    """A SHA-256 of each file below the working directory that was loaded as a module, by its path from there.

    Modules that are installed, and those of Python and of this project, are no part of what a study is made of; nor are
    files that cannot be read, such as those in an archive.
    """
    here, python = f"{os.getcwd()}{os.sep}", tuple({f"{prefix}{os.sep}" for prefix in (sys.prefix, sys.base_prefix)})
    found = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        users = file.startswith(here) and file.endswith(".py") and not file.startswith(python)
        if users and name.partition(".")[0] not in OURS and not any(part in file for part in INSTALLED):
            path = Path(file)
            found[path.relative_to(here).as_posix()] = digest_of(path)
    return {file: digest for file, digest in sorted(found.items()) if digest}


def digest_of(file: Path) -> str | None:
    """A SHA-256 of a file; None if it cannot be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return None


def made_of(workload: Workload | None) -> dict[str, Any]:
    """The record of a study, as plain values.

    modules: see `modules_here`. machine: what decides the last bits of a drawn number. Of a fresh model: shapes, a
    digest of the names and shapes of its parameters; parameters, one of their values; outputs, the first numbers that
    it gives. These three are None if they cannot be had, and without a workload: own training makes its model.
    """
    return {"modules": modules_here(), "machine": machine(workload), **fresh_model(workload)}


def machine(workload: Workload | None) -> dict[str, Any]:
    """What decides the last bits of a drawn number: two machines with other values may draw other parameters."""
    return {
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "device": workload.device.type if workload else "cpu",
    }


def fresh_model(workload: Workload | None) -> dict[str, Any]:
    """What is recorded of a model that is made anew, from one seed: `shapes`, `parameters` and `outputs`."""
    nothing = dict.fromkeys(("shapes", "parameters", "outputs"))
    if workload is None:
        return nothing
    train = workload.data.train
    if isinstance(train, StreamedSplit):
        train = replace(train, workers=0)  # starting processes takes longer than reading one row
    with same_random_numbers_after(workload.device), torch.no_grad():
        torch.manual_seed(0)
        try:
            model = workload.make_model().to(workload.device).eval()
            outputs = forward(model, train.first(1)[0])
            shapes, parameters = hashlib.sha256(), hashlib.sha256()
            for name, tensor in model.state_dict().items():
                shapes.update(f"{name} {tuple(tensor.shape)}".encode())
                parameters.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
        except (Exception, SystemExit):  # whatever a user's model raises; the check of the workload reports it
            return nothing
    real = isinstance(outputs, Tensor) and not outputs.is_complex()
    first = outputs.flatten()[:8].double().tolist() if real else None
    return {"shapes": shapes.hexdigest(), "parameters": parameters.hexdigest(), "outputs": first}


def changes(
    stored: Mapping[str, Any] | None, now: Mapping[str, Any], again: Callable[[], Mapping[str, Any]]
) -> list[str]:
    """What differs from the record of a study, to name it; empty also if there is no record.

    again: makes the present record once more: a model that is never the same twice has not changed.
    """
    if not stored:
        return []
    return [*changed_files(stored["modules"]), *changed_model(stored, now, again)]


def changed_files(modules: Mapping[str, str]) -> Iterator[str]:
    """The recorded files that are gone or have another digest; from another directory, they may be on Python's path."""
    for file, digest in modules.items():
        if not file.endswith(".py"):  # the first records have names of modules
            continue
        places = (Path(folder, file) for folder in (".", *sys.path))
        if digest_of(next(filter(Path.is_file, places), Path(file))) != digest:
            yield file


def changed_model(
    stored: Mapping[str, Any], now: Mapping[str, Any], again: Callable[[], Mapping[str, Any]]
) -> Iterator[str]:
    """What differs in the fresh model: names and shapes; on the same machine, also parameters and outputs."""
    before = stored.get("shapes")  # which the first records do not have
    if before is None or now["shapes"] is None:
        return
    if before != now["shapes"]:
        yield from ["the model's parameter names or shapes"] if again()["shapes"] == now["shapes"] else []
    elif stored["machine"] != now["machine"]:  # it may draw other numbers
        return
    elif stored["parameters"] != now["parameters"]:
        yield from ["the model's first parameters"] if again()["parameters"] == now["parameters"] else []
    elif stored["outputs"] and now["outputs"] and not close(stored["outputs"], now["outputs"]):
        yield from ["the model's outputs"] if close(again()["outputs"], now["outputs"]) else []


def close(first: list[float], second: list[float]) -> bool:
    """Whether two lists of outputs are equal but for rounding."""
    if len(first) != len(second):
        return False
    tolerance = DIGITS * max(map(abs, first), default=0.0)
    pairs = zip(first, second, strict=True)
    return all(math.isclose(*pair, rel_tol=DIGITS, abs_tol=tolerance) or not math.isfinite(pair[0]) for pair in pairs)

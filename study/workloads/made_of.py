"""What a study's results depend on besides its configuration and data: the user's modules, and a fresh model."""

from __future__ import annotations

import hashlib
import importlib.util
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from study.machine import same_random_numbers_after
from study.workloads.inputs import forward
from study.workloads.streamed import StreamedSplit
from study.workloads.workload import Workload

OURS = ("__main__", "__mp_main__", "scripts", "search_spaces", "study")
INSTALLED = ("site-packages", "dist-packages")
DIGITS = 1e-3
"""Tolerated relative difference of an output: another type of device, or number of threads, rounds differently."""


def modules_here() -> dict[str, str]:
    """A SHA-256 of the file of each module that was loaded from the working directory, by the module's name.

    Modules that are installed, and those of Python and of this project, are no part of what a study is made of.
    """
    here, python = f"{os.getcwd()}{os.sep}", tuple({f"{prefix}{os.sep}" for prefix in (sys.prefix, sys.base_prefix)})
    found = {}
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        users = file.startswith(here) and file.endswith(".py") and not file.startswith(python)
        if users and name.partition(".")[0] not in OURS and not any(part in file for part in INSTALLED):
            found[name] = digest_of(Path(file))
    return found


def digest_of(file: Path) -> str:
    """A SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def made_of(workload: Workload | None) -> dict[str, Any]:
    """The record of a study, as plain values.

    modules: see `modules_here`. torch: its version. parameters: a digest of those of a fresh model; outputs: the first
    numbers that it gives. Both are None if they cannot be had, and without a workload: own training makes its model.
    """
    parameters, outputs = fresh_model(workload) if workload else (None, None)
    versions = {"torch": torch.__version__, "parameters": parameters, "outputs": outputs}
    return {"modules": modules_here(), **versions}


def fresh_model(workload: Workload) -> tuple[str | None, list[float] | None]:
    """(digest of its parameters, its first outputs) of a model that is made anew, from one seed."""
    train = workload.data.train
    if isinstance(train, StreamedSplit):
        train = replace(train, workers=0)  # starting processes takes longer than reading one row
    with same_random_numbers_after(workload.device), torch.no_grad():
        torch.manual_seed(0)
        try:
            model = workload.make_model().to(workload.device).eval()
            outputs = forward(model, train.first(1)[0])
            digest = hashlib.sha256()
            for name, tensor in model.state_dict().items():
                digest.update(f"{name} {tuple(tensor.shape)}".encode())
                digest.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
        except (Exception, SystemExit):  # whatever a user's model raises; the check of the workload reports it
            return None, None
    plain = (
        outputs.flatten()[:8].double().tolist() if isinstance(outputs, Tensor) and not outputs.is_complex() else None
    )
    return digest.hexdigest(), plain


def changes(
    stored: Mapping[str, Any] | None, now: Mapping[str, Any], again: Callable[[], Mapping[str, Any]]
) -> list[str]:
    """What differs from the record of a study, to name it; empty also if there is no record.

    again: makes the present record once more: a model that is never the same twice has not changed.
    """
    if not stored:
        return []
    files = [f"the file {file}" for file in changed_files(stored["modules"])]
    return [*files, *changed_model(stored, now, again)]


def changed_files(modules: Mapping[str, str]) -> Iterator[str]:
    """The files of the recorded modules that are gone or have another digest."""
    for name, digest in modules.items():
        file = getattr(sys.modules.get(name), "__file__", None)
        if file is None:
            try:
                found = importlib.util.find_spec(name)
            except (ImportError, ValueError):
                found = None
            file = found.origin if found else None
        if file is None or not Path(file).exists():
            yield f"{name.replace('.', '/')}.py"
        elif digest_of(Path(file)) != digest:
            yield os.path.relpath(file)


def changed_model(
    stored: Mapping[str, Any], now: Mapping[str, Any], again: Callable[[], Mapping[str, Any]]
) -> Iterator[str]:
    """What differs in the fresh model."""
    parameters, before = now["parameters"], stored["parameters"]
    if None in (parameters, before):
        return
    if parameters != before:  # another version of torch may draw others
        if stored["torch"] == now["torch"] and again()["parameters"] == parameters:
            yield "the model (its first parameters)"
    elif stored["outputs"] and now["outputs"] and not close(stored["outputs"], now["outputs"]):
        yield from ["the model (its outputs)"] if close(again()["outputs"], now["outputs"]) else []


def close(first: list[float], second: list[float]) -> bool:
    """Whether two lists of outputs are equal but for rounding."""
    if len(first) != len(second):
        return False
    tolerance = DIGITS * max(map(abs, first), default=0.0)
    pairs = zip(first, second, strict=True)
    return all(math.isclose(*pair, rel_tol=DIGITS, abs_tol=tolerance) or not math.isfinite(pair[0]) for pair in pairs)

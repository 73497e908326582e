"""Data from arrays and tensors in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial, reduce
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from search_spaces.errors import InputError, require
from study.workloads.arrays import channels_first, other_form, raw_tensor, target_of, usual_form
from study.workloads.data import Data, Split
from study.workloads.inputs import Inputs, described_inputs, mapped, tensors_in
from study.workloads.splits import check_finite, encode, row_numbers


def data_of_arrays(
    name: str, parts: Mapping[str, tuple[Any, Any]], task: str | None, split_seed: int, standardise: bool
) -> Data:
    """Data from arrays or tensors (x, y) by part; train is required, missing parts are split off from it.

    x may be a tuple or dict of arrays. task: None to infer it. standardise: whether floating-point x (and regression
    targets) are scaled to mean 0 and deviation 1 over the training rows, and images get their colours first.
    Raises InputError if shapes, values or targets are invalid.
    """
    notes: dict[str, None] = {}
    splits: dict[str, tuple[Inputs, Any]] = {}
    for part, (given_x, given_y) in parts.items():
        x = raw_inputs(f"x of {name}", given_x)
        y, changed = target_of(f"y of {name}", given_y, task)
        notes |= dict.fromkeys([changed] if changed else [])
        if standardise and isinstance(x, Tensor) and (turned := channels_first(x)) is not None:
            notes[f"x of shape {tuple(x.shape[1:])} read as height, width and colours"] = None
            x = turned
        check_part(f"{name} ({part})", x, y)
        splits[part] = (x, y)
    x, y = splits["train"]
    given = [part for part in splits if part != "train"]
    rows = row_numbers(name, len(y), split_seed, "validation" not in splits, "test" not in splits)
    splits |= {part: (mapped(x, itemgetter(n)), y[n.numpy()]) for part, n in rows.items()}
    chosen = {part: splits[part] for part in ("train", "validation", "test")}
    for part, (examples, _) in chosen.items():
        same = described_inputs(mapped(x, kind)) == described_inputs(mapped(examples, kind))
        must = f"{name} ({part}): examples must have shape and type of those in train, {described_inputs(x)}"
        require(same, must, described_inputs(examples))
    task = task or ("regression" if y.dtype.kind == "f" else "classification")
    for part in given if task == "classification" else ():
        unseen = np.setdiff1d(splits[part][1], y)
        if unseen.size:
            raise InputError(f"{name} ({part}): class {unseen.tolist()[0]!r} has no training row: remove its rows")
    classes, targets = encode(name, task, {part: y for part, (_, y) in chosen.items()}, standardise)
    raw = of_one_type({part: examples for part, (examples, _) in chosen.items()})
    counts = " + ".join(str(len(y)) for y in targets.values())
    first = f"{name}: {counts} rows for train, validation and test; {task}"

    def made(form: Callable[[Tensor], Tensor], scale: bool, double: bool) -> Data:
        inputs = of_one_type({part: mapped(x, form) for part, x in raw.items()})
        if scale:
            inputs = {part: mapped(x, as_float32) if not double else x for part, x in standardised(inputs).items()}
        train, validation, test = (Split(inputs[part], targets[part]) for part in ("train", "validation", "test"))
        before, after = described_inputs(raw["train"]), described_inputs(train.x)
        how = f"x: {before}" + (f", given to the model as {after.rpartition(', ')[2]}" if before != after else "")
        how += " from 0 to 1" if "uint8" in before and "float32" in after and not scale else ""
        how += ", standardized" if scale and any(map(is_scaled, tensors_in(train.x))) else ""
        return Data(name, classes, train, validation, test, task, "\n".join([first, how, *notes]))

    data = made(usual_form, standardise, False)
    types = [one.dtype for one in tensors_in(raw["train"])]
    if all(one == torch.float32 for one in types):
        return data
    whole = not any(one.is_floating_point or one.is_complex or one == torch.uint8 for one in types)
    double = torch.float64 in types
    return replace(data, alternative=partial(made, other_form, standardise or whole, double))


def raw_inputs(what: str, x: Any) -> Inputs:
    """The inputs as tensors: one, or a tuple or dict of them."""
    if isinstance(x, Mapping):
        return {name: raw_inputs(f"{what}, {name}", part) for name, part in x.items()}
    if isinstance(x, tuple):
        return tuple(raw_inputs(f"{what}, {number}", part) for number, part in enumerate(x))
    return raw_tensor(what, x)


def kind(tensor: Tensor) -> Tensor:
    """No rows of the same shape, in one type for all floats, complex or whole numbers; bytes may be pixels."""
    if tensor.dtype == torch.uint8:
        return tensor[:0]
    return tensor[:0].to(
        torch.complex128 if tensor.is_complex() else torch.float64 if is_scaled(tensor) else torch.int64
    )


def of_one_type(inputs: Mapping[str, Inputs]) -> dict[str, Inputs]:
    """The inputs of all parts, each in a type that holds the numbers of every part, such as float64 for float32 too."""
    same_place = zip(*map(tensors_in, inputs.values()), strict=True)
    types = [reduce(torch.promote_types, [one.dtype for one in tensors]) for tensors in same_place]

    def cast(x: Inputs) -> Inputs:
        remaining = iter(types)
        return mapped(x, lambda tensor: tensor.to(next(remaining)))

    return {part: cast(x) for part, x in inputs.items()}


def check_part(where: str, x: Inputs, y: Any) -> None:
    """Raise InputError unless inputs and targets have one row per example, not empty, and inputs are finite."""
    for one in tensors_in(x):
        require(one.ndim >= 1 and y.ndim >= 1, f"{where}: x and y must have one row per example", (one.ndim, y.ndim))
        require(len(one) == len(y), f"{where}: x and y must have the same number of rows", (len(one), len(y)))
        require(one.numel() > 0 or not len(one), f"{where}: the examples must not be empty", tuple(one.shape))
        check_finite(where, one)
    require(y.size > 0 or not len(y), f"{where}: the targets must not be empty", y.shape)


def standardised(inputs: Mapping[str, Inputs]) -> dict[str, Inputs]:
    """Scale each feature or channel (the axis after the rows) to mean 0 and deviation 1 over the training rows.

    Whole numbers stay as they are.
    """

    def scale(train: Tensor) -> tuple[Any, Any]:
        over = [axis for axis in range(train.ndim) if axis != 1]
        deviation, mean = torch.std_mean(train, over, keepdim=True)
        return mean, torch.where(deviation > 0, deviation, 1.0)

    scales = [scale(one) if is_scaled(one) else (0, 1) for one in tensors_in(inputs["train"])]

    def scaled(x: Inputs) -> Inputs:
        remaining = iter(scales)

        def one(tensor: Tensor) -> Tensor:
            mean, deviation = next(remaining)
            return (tensor - mean) / deviation if is_scaled(tensor) else tensor

        return mapped(x, one)

    return {part: scaled(x) for part, x in inputs.items()}


def is_scaled(tensor: Tensor) -> bool:
    """Whether these are numbers to standardise, and not ids."""
    return tensor.is_floating_point() or tensor.is_complex()


def as_float32(tensor: Tensor) -> Tensor:
    """float64 as float32; other types as they are."""
    return tensor.float() if tensor.dtype == torch.float64 else tensor

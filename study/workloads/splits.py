"""Shared by all data readers: the split into three parts, the encoding of targets, and the checks of bad data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from search_spaces.errors import InputError, require
from study.workloads.data import Data, Split

SHARE = 0.15
"""Fraction of all rows for validation, and for test, if the data does not define these parts."""


def row_numbers(name: str, rows: int, split_seed: int, validation: bool, test: bool) -> dict[str, Tensor]:
    """The row indices of each part. validation, test: whether to split off that part from these rows.

    The test rows are always the same; `split_seed` selects the validation rows. Raises InputError for too few rows.
    """
    held = max(1, round(SHARE * rows))
    left = rows - held * (validation + test)
    require(left >= 2, f"{name} needs more rows for separate train, validation and test parts", rows)
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(0))
    kept = order[held:] if test else order
    kept = kept[torch.randperm(len(kept), generator=torch.Generator().manual_seed(split_seed))]
    found = {"train": kept[held:] if validation else kept}
    found |= {"validation": kept[:held]} if validation else {}
    return found | ({"test": order[:held]} if test else {})


def data_of_arrays(
    name: str, parts: Mapping[str, tuple[Any, Any]], task: str | None, split_seed: int, standardise: bool
) -> Data:
    """Data from arrays or tensors (x, y) by part; train is required, missing parts are split off from it.

    task: None to infer it. standardise: whether floating-point x (and regression targets) are scaled to mean 0 and
    deviation 1 over the training rows. Raises InputError if shapes, values or targets are invalid.
    """
    splits = {
        part: (as_tensor(f"x of {name}", numbers_of(x)), np.asarray(numbers_of(y))) for part, (x, y) in parts.items()
    }
    for part, (x, y) in splits.items():
        where = f"{name} ({part})"
        require(x.ndim >= 1 and y.ndim >= 1, f"{where}: x and y must have one row per example", (x.ndim, y.ndim))
        require(len(x) == len(y), f"{where}: x and y must have the same number of rows", (len(x), len(y)))
        check_finite(where, x)
    x, y = splits["train"]
    given = [part for part in splits if part != "train"]
    rows = row_numbers(name, len(x), split_seed, "validation" not in splits, "test" not in splits)
    splits |= {part: (x[numbers], y[numbers.numpy()]) for part, numbers in rows.items()}
    chosen = {part: splits[part] for part in ("train", "validation", "test")}
    for part, (examples, _) in chosen.items():
        same = examples.shape[1:] == x.shape[1:]
        require(same, f"{name} ({part}): examples must have the shape of those in train", examples.shape[1:])
    task = task or ("regression" if y.dtype.kind == "f" else "classification")
    for part in given if task == "classification" else ():
        unseen = np.setdiff1d(splits[part][1], y)
        if unseen.size:
            raise InputError(f"{name} ({part}): class {unseen.tolist()[0]!r} has no training row: remove its rows")
    classes, targets = encode(name, task, {part: y for part, (_, y) in chosen.items()}, standardise)
    inputs = {part: examples for part, (examples, _) in chosen.items()}
    if standardise and x.is_floating_point():
        inputs = standardised(inputs)
    train, validation, test = (Split(inputs[part], targets[part]) for part in chosen)
    counts = f"{train.rows} + {validation.rows} + {test.rows} rows for train, validation and test"
    return Data(name, classes, train, validation, test, task, f"{name}: {counts}; {task}")


def numbers_of(values: Any) -> Any:
    """The bare values: a tensor detached and on the CPU, a pandas frame or column as an array."""
    if isinstance(values, Tensor):
        return values.detach().cpu()
    return values.to_numpy().copy() if hasattr(values, "to_numpy") else values  # torch warns of read-only arrays


def as_tensor(what: str, values: Any) -> Tensor:
    """Convert to a tensor: floats to float32, bytes to floats from 0 to 1, other integers (token ids) to int64."""
    try:
        tensor = torch.as_tensor(values)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} must be numeric, but an array of {np.asarray(values).dtype} was given") from error
    if tensor.dtype == torch.uint8:
        return tensor.float() / 255
    return tensor.float() if tensor.is_floating_point() else tensor.long()


def check_finite(where: str, x: Tensor) -> None:
    """Raise InputError if a row contains NaN or infinity."""
    bad = (~torch.isfinite(x.flatten(1) if x.ndim > 1 else x[:, None]).all(1)).nonzero().flatten()
    if len(bad):
        raise InputError(
            f"{where}: {len(bad)} of {len(x)} rows contain NaN or infinity, the first is row {int(bad[0])}: "
            "fill them in or remove them (empty cells of a CSV file are filled in automatically)"
        )


def standardised(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Scale each feature or channel (the axis after the rows) to mean 0 and deviation 1 over the training rows."""
    x = inputs["train"]
    over = [axis for axis in range(x.ndim) if axis != 1]
    deviation, mean = torch.std_mean(x, over, keepdim=True)
    deviation = torch.where(deviation > 0, deviation, 1.0)
    return {part: (values - mean) / deviation for part, values in inputs.items()}


def encode(name: str, task: str, targets: Mapping[str, Any], standardise: bool) -> tuple[int, dict[str, Tensor]]:
    """(outputs of a model, targets by part): classes numbered 0, 1, ... in sorted order, or float32 for regression.

    targets: numpy arrays. Raises InputError if the targets do not fit the task.
    """
    if task == "regression":
        return encode_numbers(name, targets, standardise)
    train = targets["train"]
    if train.ndim != 1:
        raise InputError(
            f"{name}: classification needs one class per row, but y has shape {train.shape}: "
            "for a custom loss, use --workload package.module:function"
        )
    together = np.concatenate(list(targets.values()))
    if together.dtype.kind == "f" and not np.isfinite(together).all():
        raise InputError(
            f"{name}: {int((~np.isfinite(together)).sum())} targets are NaN or infinite: remove their rows"
        )
    found, numbers = np.unique(together, return_inverse=True)
    require(len(np.unique(train)) > 1, f"{name}: the target needs at least two classes", found[:1].tolist())
    if len(found) > len(together) / 2:
        raise InputError(
            f"{name}: {len(found)} classes in {len(together)} rows are too many to learn: "
            "use --task regression, or another --target"
        )
    cuts = np.cumsum([len(y) for y in targets.values()])[:-1]
    parts = np.split(numbers, cuts)
    return len(found), {part: torch.as_tensor(y) for part, y in zip(targets, parts, strict=True)}


def encode_numbers(name: str, targets: Mapping[str, Any], standardise: bool) -> tuple[int, dict[str, Tensor]]:
    """`encode` for a regression."""
    for part, y in targets.items():
        require(y.dtype.kind in "fiub", f"{name}: regression needs numeric targets", str(y[:1].tolist())[1:-1])
        require(y.ndim <= 2, f"{name} ({part}): targets must have shape (rows,) or (rows, outputs)", y.shape)
        check_finite(f"targets of {name} ({part})", torch.as_tensor(y, dtype=torch.float64))
    train = targets["train"].astype(np.float64)
    mean, deviation = train.mean(0), train.std(0)
    require(bool(np.all(deviation > 0)), f"{name}: the target must vary", train[:1].tolist()[0])
    if not standardise:
        mean, deviation = 0.0 * mean, 1.0 + 0.0 * deviation
    made = {part: torch.as_tensor((y - mean) / deviation, dtype=torch.float32) for part, y in targets.items()}
    return 1 if train.ndim == 1 else train.shape[1], made

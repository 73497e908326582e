"""Shared by all data readers: the split into three parts, the encoding of targets, and the checks of bad data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from search_spaces.errors import InputError, require

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


def check_finite(where: str, x: Tensor) -> None:
    """Raise InputError if a row contains NaN or infinity."""
    bad = (~torch.isfinite(x.flatten(1) if x.ndim > 1 else x[:, None]).all(1)).nonzero().flatten()
    if len(bad):
        raise InputError(
            f"{where}: {len(bad)} of {len(x)} rows contain NaN or infinity, the first is row {int(bad[0])}: "
            "fill them in or remove them (empty cells of a CSV file are filled in automatically)"
        )


def encode(name: str, task: str, targets: Mapping[str, Any], standardise: bool) -> tuple[int, dict[str, Tensor]]:
    """(outputs of a model, targets by part): classes numbered 0, 1, ... in sorted order, or float32 for regression.

    targets: numpy arrays. Raises InputError if the targets do not fit the task.
    """
    train = targets["train"]
    for part, y in targets.items():
        must = f"{name} ({part}): targets must have the shape of those in train, {train.shape[1:]} in each row"
        require(y.shape[1:] == train.shape[1:], must, y.shape[1:])
    if task == "regression":
        return encode_numbers(name, targets, standardise)
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
    require(len(found) > 1, f"{name}: the target needs at least two classes", found.tolist())
    alone = np.unique(train).tolist()
    if len(alone) == 1:
        one = f"{alone[0]!r}, one of {len(found)}"
        raise InputError(f"{name}: all training rows are of class {one}: choose another split")
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

"""Data in a table: a CSV file with a header of column names, one of which is the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from search_spaces.errors import InputError, require, unknown
from study.workloads.columns import columns_of, counted, read_target, stripped
from study.workloads.data import Data, Split
from study.workloads.leaks import leaks
from study.workloads.named import abbreviated, name_list
from study.workloads.number_cells import NumberCells
from study.workloads.splits import encode, row_numbers
from study.workloads.table_features import features
from study.workloads.table_file import TableFile, table_file
from study.workloads.table_splits import rows_by_group, rows_by_time

MOST_CLASSES = 20
"""An integer target with more distinct values than this is a regression."""


@dataclass(frozen=True)
class TableOptions:
    """Which columns are the target and the ones that decide the split; see `WorkloadOptions`."""

    target: str | None = None
    task: str | None = None
    split_by: str | None = None
    split_time: str | None = None


def read_table(path: Path, options: TableOptions, split_seed: int) -> Data:
    """Read the file: numbers are standardised, categories one-hot encoded, empty cells filled with the median.

    All statistics come from the training rows. A regression target is standardised, too. Rows without a target are
    left out. Raises InputError if the file cannot be read, or the target is missing or does not fit the task.
    """
    file = table_file(path)
    table = file.read()
    target = the_target(path, [str(name) for name in table.columns], options)
    commas = file.decimal == ","
    y, as_numbers = read_target(table.pop(target), MOST_CLASSES, commas)
    special = {name: stripped(table.pop(name)) for name in (options.split_by, options.split_time) if name is not None}
    kept, notes = rows_kept(file, {target: y, **special}, as_numbers)
    columns = columns_of(table, commas)
    require(len(columns.table.columns) > 0, f"{path} needs at least one non-empty column besides the target", 0)
    columns.table, y = columns.table[kept], y[kept]
    special = {name: cells[kept] for name, cells in special.items()}
    values = y.to_numpy() if y.dtype.kind in "biuf" else y.astype(str).to_numpy(dtype=np.str_)
    task = options.task or inferred_task(values)
    rows = the_rows(path, len(y), options, special, split_seed)
    how = f", split by {options.split_by!r}" if options.split_by else ""
    how = f", in the order of {options.split_time!r}" if options.split_time else how
    where = f"{path}, target {target!r}{how}"
    classes, targets = encode(where, task, {part: values[n] for part, n in rows.items()}, True)
    inputs, lines = features(path, columns, rows)
    known = leaks(columns.table.iloc[rows["train"]], values[rows["train"]], task == "classification")
    notes += [file.form] if file.form else []
    notes += [leak_note(found, target)] if (found := list(known)) else []
    reason = "set by --task" if options.task else f"{len(np.unique(values))} distinct values; override with --task"
    counts = " + ".join(str(len(numbers)) for numbers in rows.values())
    first = f"{path.name}: {counts} rows for train, validation and test{how}; {task} of {target!r} ({reason})"
    about = "\n".join([first, *lines, *columns.lines(), *notes])
    train, validation, test = (Split(inputs[part], targets[part]) for part in ("train", "validation", "test"))
    return Data(path.stem, classes, train, validation, test, task, about)


def the_target(path: Path, columns: list[str], options: TableOptions) -> str:
    """The target's name; raises InputError for a column that the options name and the table lacks."""
    target = options.target
    if target is None:
        raise InputError(f"{path} needs --target, the column to predict. Valid: {name_list(columns)}")
    require(
        None in (options.split_by, options.split_time), "give --split-by or --split-time, not both", options.split_by
    )
    for name in (target, options.split_by, options.split_time):
        if name is not None and name not in columns:
            raise unknown("column", abbreviated(name), map(abbreviated, columns), str(path))
    others = len({target, options.split_by, options.split_time} - {None})
    require(len(columns) > others, f"{path} needs at least one column besides the target {target!r}", columns)
    require(target not in (options.split_by, options.split_time), "--target must not decide the split", target)
    return target


def rows_kept(file: TableFile, needed: Mapping[str, Any], target: NumberCells | None) -> tuple[Any, list[str]]:
    """(which rows have all of these columns, a line for each column that is empty somewhere).

    needed: the target, then others. target: how its text was read as numbers.
    """
    empty = {name: cells.isna().to_numpy() for name, cells in needed.items()}
    notes = [f"target read as numbers ({target.form})"] if target and target.form else []
    for number, (name, out) in enumerate(empty.items()):
        if out.any():
            line = next(islice(file.lines(), int(out.argmax()) + 1, None))  # after the header
            unread = f", taking {counted(target.unread)} for empty" if target and target.unread and not number else ""
            rows = int(out.sum())
            notes.append(f"rows left out because {name!r} is empty: {rows}, the first in line {line}{unread}")
    return ~np.logical_or.reduce(list(empty.values())), notes


def leak_note(columns: list[str], target: str) -> str:
    """A warning of columns that may not be known when the target is to be predicted."""
    named, remove = name_list(map(repr, columns)), "remove it, unless it is"
    if len(columns) > 1:
        named, remove = f"each of {named}", "remove them, unless they are"
    return f"note: {named} alone predicts {target!r} almost perfectly: {remove} known before the target is"


def the_rows(
    path: Path, number: int, options: TableOptions, special: Mapping[str, Any], split_seed: int
) -> dict[str, Any]:
    """The row numbers of each part, as numpy arrays."""
    if options.split_by is not None:
        found = rows_by_group(str(path), special[options.split_by], split_seed)
    elif options.split_time is not None:
        found = rows_by_time(str(path), special[options.split_time])
    else:
        found = row_numbers(str(path), number, split_seed, True, True)
    return {part: numbers.numpy() for part, numbers in found.items()}


def inferred_task(values: Any) -> str:
    """Classification for strings, booleans and at most MOST_CLASSES distinct integers; otherwise regression.

    >>> inferred_task(np.array([0, 1, 2])), inferred_task(np.array([0.5, 1.0])), inferred_task(np.array(["a", "b"]))
    ('classification', 'regression', 'classification')
    """
    if values.dtype.kind not in "iuf":
        return "classification"
    whole = bool(np.all(np.isfinite(values))) and bool(np.all(np.mod(values, 1) == 0))
    return "classification" if whole and len(np.unique(values)) <= MOST_CLASSES else "regression"

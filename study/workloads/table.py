"""Data in a table: a CSV file with a header of column names, one of which is the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from search_spaces.errors import InputError, require, unknown
from study.workloads.columns import columns_of, counted, read_target
from study.workloads.data import Data, Split
from study.workloads.leaks import leaks
from study.workloads.named import abbreviated, name_list
from study.workloads.splits import encode, row_numbers
from study.workloads.table_features import features
from study.workloads.table_file import TableFile, table_file
from study.workloads.table_splits import rows_by_group, rows_by_time

MOST_CLASSES = 20
"""An integer target with more distinct values than this is a regression."""


@dataclass(frozen=True)
class TableOptions:
    """Of what a table says, which column is what; see `WorkloadOptions`."""

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
    special = {name: table.pop(name) for name in (options.split_by, options.split_time) if name is not None}
    empty = {name: cells.isna().to_numpy() for name, cells in {target: y, **special}.items()}
    kept = ~np.logical_or.reduce(list(empty.values()))
    unread = f", taking {counted(as_numbers.unread)} for empty" if as_numbers and as_numbers.unread else ""
    notes = [file.form] if file.form else []
    notes += [
        f"{rows_left_out(file, name, out)}{unread if name == target else ''}"
        for name, out in empty.items()
        if out.any()
    ]
    columns = columns_of(table, commas)
    require(len(columns.table.columns) > 0, f"{path} needs at least one non-empty column besides the target", 0)
    columns.table, y = columns.table[kept], y[kept]
    special = {name: cells[kept] for name, cells in special.items()}
    values = y.to_numpy() if y.dtype.kind in "biuf" else y.astype(str).to_numpy(dtype=np.str_)
    task = options.task or inferred_task(values)
    rows = the_rows(path, len(y), options, special, split_seed)
    where = f"{path}, target {target!r}"
    classes, targets = encode(where, task, {part: values[n] for part, n in rows.items()}, True)
    inputs, lines = features(path, columns, rows)
    given_away = list(leaks(columns.table.iloc[rows["train"]], values[rows["train"]], task == "classification"))
    if given_away:
        notes.append(
            f"note: {name_list(map(repr, given_away))} alone predicts {target!r} almost perfectly: "
            "remove it, unless it is known before the target is"
        )
    reason = "set by --task" if options.task else f"{len(np.unique(values))} distinct values; override with --task"
    counts = " + ".join(str(len(numbers)) for numbers in rows.values())
    how = f", split by {options.split_by!r}" if options.split_by else ""
    how = f", in the order of {options.split_time!r}" if options.split_time else how
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


def rows_left_out(file: TableFile, column: str, out: Any) -> str:
    """How many rows are left out as they have no value in a column, and where the first is."""
    row = int(out.argmax())
    line = next(islice(file.lines(), row + 1, None))  # after the header
    return f"rows left out because {column!r} is empty: {int(out.sum())}, the first in line {line}"


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

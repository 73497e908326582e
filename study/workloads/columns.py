"""What the columns of a table are: numbers, categories, dates, or nothing to learn from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from study.workloads.named import abbreviated, name_list
from study.workloads.number_cells import NEARLY_ALL, NumberCells, number_cells
from study.workloads.table_file import UNNAMED

MOST_CATEGORIES = 50
"""Maximum number of one-hot columns per categorical feature; the rarest categories share one."""
UNIQUE = 0.9
"""Text with more distinct values than MOST_CATEGORIES, and more than this fraction of the rows, is left out."""
DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?([T ]\d.*)?|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d\d)( \d.*)?"
    r"|\d{1,2}[- ][A-Za-z]{3,9}[- ,]+(\d{4}|\d\d)( \d.*)?|[A-Za-z]{3,9} \d{1,2},? \d{4}( \d.*)?"
)
"""A date as a cell may hold it, perhaps with a time."""


@dataclass
class Columns:
    """A table whose text has been read.

    table: only the columns that are features. notes: how columns were read or why they were left out, names by reason.
    """

    table: Any
    numbers: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def note(self, how: str, column: str) -> None:
        """Note how a column was read."""
        self.notes.setdefault(how, []).append(abbreviated(column))

    def leave_out(self, column: str, why: str) -> None:
        """Remove a column."""
        self.left_out.setdefault(why, []).append(abbreviated(column))
        del self.table[column]

    def lines(self) -> list[str]:
        """A line for each way of reading, and one for all that was left out."""
        read = [f"{how}: {name_list(names)}" for how, names in self.notes.items()]
        out = "; ".join(f"{name_list(names)} ({why})" for why, names in self.left_out.items())
        return read + ([f"left out: {out}"] if out else [])


def columns_of(table: Any, decimal_commas: bool = False) -> Columns:
    """Find out what the columns are, and read numbers that are written as text.

    table: a DataFrame of all rows, without the target. decimal_commas: the file has some.
    """
    columns = Columns(table.copy())
    for name in table.columns:
        cells = table[name]
        if cells.isna().all():
            columns.leave_out(name, "empty")
        elif name.startswith(UNNAMED) and cells.dtype.kind in "iu" and cells.is_unique:
            columns.leave_out(name, "saved row numbers")
        elif cells.dtype.kind in "biuf":
            columns.numbers.append(name)
        else:
            read_text(columns, name, stripped(cells), decimal_commas)
    return columns


def read_text(columns: Columns, name: str, cells: Any, decimal_commas: bool) -> None:
    """Decide what a column of text is."""
    counts = cells.value_counts().to_dict()
    numbers = number_cells(counts, decimal_commas)
    codes = numbers is not None and numbers.odd and len(counts) <= MOST_CATEGORIES  # one-hot columns lose nothing
    if numbers is not None and not codes:
        columns.table[name] = cells.map(numbers.values).astype("float64")
        columns.numbers.append(name)
        if numbers.form:
            columns.note(f"read as numbers ({numbers.form})", name)
        if numbers.unread:
            columns.note(f"read as empty cells ({counted(numbers.unread)})", name)
        return
    columns.table[name] = cells
    if are_dates(counts):
        columns.leave_out(name, f"dates; to split by time: --split-time {name}")
    elif len(counts) > max(MOST_CATEGORIES, UNIQUE * len(cells.dropna())):
        columns.leave_out(name, "text, different in nearly every row")
    else:
        columns.categories.append(name)


def stripped(cells: Any) -> Any:
    """Text without blanks at its ends; a blank cell is NaN. Numbers are as they are."""
    if cells.dtype.kind in "biuf":
        return cells
    text = cells.astype("object").where(cells.notna(), None).map(str, na_action="ignore").str.strip()
    return text.where(text != "")


def are_dates(counts: Mapping[str, int]) -> bool:
    """Whether nearly all cells look like dates.

    >>> are_dates({"2024-12-31": 1, "2024-01-01 12:30": 2}), are_dates({"12": 1, "31.12.2024": 1})
    (True, False)
    """
    dates = sum(count for cell, count in counts.items() if DATE.fullmatch(cell))
    return dates >= NEARLY_ALL * sum(counts.values()) > 0


def counted(cells: Mapping[str, int]) -> str:
    """The cells with how often each occurs, the most frequent first.

    >>> counted({"?": 1, "-": 3})
    "'-' 3 times, '?'"
    """
    ordered = sorted(cells.items(), key=lambda item: -item[1])
    return name_list(
        [f"{abbreviated(cell)!r}" + (f" {times} times" if times > 1 else "") for cell, times in ordered], 3
    )


def read_target(cells: Any, most_classes: int, decimal_commas: bool) -> tuple[Any, NumberCells | None]:
    """(the target, how its text was read as numbers). Only an empty cell is empty among classes.

    Text is read as numbers if there are more than `most_classes` of them. A cell that is not a number is then NaN.
    """
    if cells.dtype.kind in "biuf":
        return cells, None
    cells = stripped(cells)
    counts = cells.value_counts().to_dict()
    numbers = number_cells(counts, decimal_commas)
    if numbers is None or len(numbers.values) <= most_classes:
        return cells, None
    return cells.map(numbers.values).astype("float64"), numbers

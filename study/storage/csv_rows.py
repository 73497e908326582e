"""Rows as CSV, and back: the same rows give the same bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal


def csv_of(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows of equal columns as a CSV file; an empty one if there are none."""
    file = io.StringIO(newline="")
    if rows:
        # Python quotes a cell with a line feed in it, but not one with a carriage return, which ends a line as well.
        carriage_return = any("\r" in str(cell) for row in rows for cell in row.values())
        quoting: Literal[0, 1] = csv.QUOTE_ALL if carriage_return else csv.QUOTE_MINIMAL
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n", quoting=quoting)
        writer.writeheader()
        writer.writerows(rows)
    return file.getvalue().encode()


def rows_of(content: bytes) -> list[dict[str, str]]:
    """The rows of a file that `csv_of` made; raises csv.Error or UnicodeError for others."""
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of equal columns to a file."""
    path.write_bytes(csv_of(rows))


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a file that `write_csv` wrote."""
    return rows_of(path.read_bytes())

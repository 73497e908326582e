"""The rows of a comparison as CSV, and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from search_spaces.errors import InputError
from study.evidence.searches.evaluated_search import Moment, Row
from study.storage.csv_rows import read_csv, write_csv


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """One line per search."""
    traces = [json.dumps([list(asdict(moment).values()) for moment in row.trace]) for row in rows]
    write_csv(path, [asdict(row) | {"trace": trace} for row, trace in zip(rows, traces, strict=True)])


def read_rows(path: Path) -> list[Row]:
    """What `write_rows` wrote; raises InputError where there is none."""
    if not path.is_file():
        raise InputError(f"{path} is not there: leave out --rebuild")
    rows = []
    for line in read_csv(path):
        numbers = {name: float(line[name]) for name in ("epochs", "seconds", "error", "spent")}
        known: dict[str, Any] = {
            "search_seed": int(line["search_seed"]),
            "lost": {"True": True, "False": False}.get(line["lost"]),
            "overhead": float(line["overhead"]) if line["overhead"] else None,
            "trace": tuple(Moment(*moment) for moment in json.loads(line["trace"])),
        }
        rows.append(Row(**{**line, **numbers, **known}))
    return rows

"""The rows of a comparison as CSV, and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from search_spaces.errors import InputError
from study.evidence.searches.evaluated_search import EvaluatedSearch, Incumbent
from study.storage.csv_rows import read_csv, write_csv


def write_rows(path: Path, rows: Sequence[EvaluatedSearch]) -> None:
    """Write one line per search, with its incumbents in the column `trace`."""
    lines = []
    for row in rows:
        line = asdict(row)
        incumbents = [list(one.values()) for one in line.pop("incumbents")]
        lines.append(line | {"trace": json.dumps(incumbents)})
    write_csv(path, lines)


def read_rows(path: Path) -> list[EvaluatedSearch]:
    """Read what `write_rows` wrote; raises InputError if the file does not exist."""
    if not path.is_file():
        raise InputError(f"{path} does not exist: remove --rebuild")
    rows = []
    for line in read_csv(path):
        numbers = {name: float(line[name]) for name in ("epochs", "seconds", "error", "spent")}
        known: dict[str, Any] = {
            "search_seed": int(line["search_seed"]),
            "lost": {"True": True, "False": False}.get(line["lost"]),
            "overhead": float(line["overhead"]) if line["overhead"] else None,
            "incumbents": tuple(Incumbent(*one) for one in json.loads(line.pop("trace"))),
        }
        rows.append(EvaluatedSearch(**{**line, **numbers, **known}))
    return rows

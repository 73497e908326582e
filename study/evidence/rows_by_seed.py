"""The rows of a measurement that is repeated for many search seeds: made side by side, kept as CSV, read again."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

import torch

from search_spaces.errors import InputError
from study.evidence.repeats import Repeats
from study.storage.csv_rows import read_csv, write_csv
from study.storage.provenance import provenance
from study.storage.url import make_folder

Row = TypeVar("Row")
TYPES = {"int": int, "float": float, "str": str}


def rows_by_seed(repeats: Repeats, name: str, kind: type[Row], one: Callable[[int], Row | list[Row]]) -> list[Row]:
    """One or several rows for each seed, made by `one` in processes of their own; read if the table is only rebuilt.

    The manifest is written first and each row when it is made, so that `--rebuild` makes the table of those of a
    measurement that was stopped.
    name: of the files. kind: of a row, a dataclass of numbers and texts. Raises InputError if there are no rows.
    """
    stem = repeats.output / name
    if repeats.rebuild:
        return read_rows_of(stem.with_suffix(".csv"), kind)
    make_folder(repeats.output)
    stem.with_suffix(".json").write_text(json.dumps({"made": provenance(torch.device("cpu"))}, indent=2) + "\n")
    rows: list[Row] = []
    with ProcessPoolExecutor(repeats.processes, multiprocessing.get_context("spawn")) as pool:
        for number, found in enumerate(pool.map(one, repeats.seeds), start=1):
            rows.extend(found if isinstance(found, list) else [found])
            print(f"{number}/{len(repeats.seeds)} {found}", flush=True)
            write_rows_of(stem.with_suffix(".csv"), rows)
    return rows


def write_rows_of(path: Path, rows: Iterable[Any]) -> None:
    """Write one line for each row."""
    write_csv(path, [asdict(row) for row in rows])


def read_rows_of(path: Path, kind: type[Row]) -> list[Row]:
    """Read what `write_rows_of` wrote."""
    if not path.is_file():
        raise InputError(f"{path} does not exist: remove --rebuild")
    types: dict[str, type] = {field.name: TYPES[str(field.type)] for field in fields(kind)}  # type: ignore[arg-type]
    return [kind(**{name: types[name](value) for name, value in line.items()}) for line in read_csv(path)]

"""The columns of a table as features: standardised numbers and one-hot categories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from search_spaces.errors import require
from study.workloads.columns import MOST_CATEGORIES, Columns
from study.workloads.named import name_list
from study.workloads.splits import check_finite


def features(path: Path, columns: Columns, rows: Mapping[str, Any]) -> tuple[dict[str, Tensor], list[str]]:
    """(x of each part, lines that describe it). All statistics come from the training rows.

    rows: the row numbers of each part. Columns that are empty in the training rows are left out.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    for name in columns.table.columns[columns.table.iloc[rows["train"]].isna().all()]:
        columns.leave_out(name, "empty")
    table = columns.table
    numbers = [name for name in columns.numbers if name in table]
    categories = [name for name in columns.categories if name in table]
    require(len(table.columns) > 0, f"{path} needs at least one non-empty column besides the target", 0)
    values, texts = table[numbers].to_numpy("float64"), table[categories].copy()
    for part, chosen in rows.items():
        infinite = np.isinf(values[chosen]).any(0)
        names = [column for column, is_infinite in zip(numbers, infinite, strict=True) if is_infinite]
        require(not names, f"{path} ({part}): numbers must be finite or missing", f"infinity in {name_list(names)}")
    for column in categories:
        texts[column] = texts[column].astype("object").where(texts[column].notna(), "missing").astype(str)
    numbers_of = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MOST_CATEGORIES, sparse_output=False)
    # One array of numbers: as columns of a DataFrame, 20,000 of them would take half a minute.
    kinds: list[tuple[Any, Callable[[Any], Any]]] = [(numbers_of, lambda n: values[n])] if numbers else []
    kinds += [(one_hot, lambda n: texts.iloc[n])] if categories else []
    for transformer, cells in kinds:
        transformer.fit(cells(rows["train"]))
    found = {part: [one.transform(cells(n)) for one, cells in kinds] for part, n in rows.items()}
    made = {part: torch.as_tensor(np.hstack(blocks), dtype=torch.float32) for part, blocks in found.items()}
    for part, x in made.items():
        check_finite(f"{path} ({part})", x)
    sizes = [block.shape[1] for block in found["train"]]
    empty = int(np.isnan(values).sum())
    filled = f"; empty cells filled with the median: {empty}" if empty else ""
    lines = [f"numbers: {name_list(numbers)} ({counted_features(sizes[0])}{filled})"] if numbers else []
    if categories:
        shared = "".join(shared_columns(one_hot, categories))
        lines.append(f"categories: {name_list(categories)} ({counted_features(sizes[-1])}{shared})")
    return made, lines


def counted_features(number: int) -> str:
    """A number with its noun."""
    return f"{number} feature{'s' * (number != 1)}"


def shared_columns(encoder: Any, names: list[str]) -> list[str]:
    """For each category column with too many values, how many of them share one feature."""
    found = zip(names, encoder.categories_, encoder.infrequent_categories_, strict=True)
    return [
        f"; {len(rare)} of {len(every)} values of {name!r} share one feature"
        for name, every, rare in found
        if rare is not None and len(rare) > 1
    ]

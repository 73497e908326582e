"""The columns of a table as features: standardised numbers and one-hot categories."""

from __future__ import annotations

from collections.abc import Mapping
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
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    for name in columns.table.columns[columns.table.iloc[rows["train"]].isna().all()]:
        columns.leave_out(name, "empty")
    table = columns.table
    numbers = [name for name in columns.numbers if name in table]
    categories = [name for name in columns.categories if name in table]
    require(len(table.columns) > 0, f"{path} needs at least one non-empty column besides the target", 0)
    table = table.astype(dict.fromkeys(numbers, "float64"))
    for part, chosen in rows.items():
        infinite = np.isinf(table[numbers].iloc[chosen].to_numpy()).any(0)
        names = [column for column, is_infinite in zip(numbers, infinite, strict=True) if is_infinite]
        require(not names, f"{path} ({part}): numbers must be finite or missing", f"infinity in {name_list(names)}")
    for column in categories:
        table[column] = table[column].astype("object").where(table[column].notna(), "missing").astype(str)
    numbers_of = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MOST_CATEGORIES, sparse_output=False)
    transformer = ColumnTransformer([("numbers", numbers_of, numbers), ("categories", one_hot, categories)])
    transformer.fit(table.iloc[rows["train"]])
    made = {
        part: torch.as_tensor(transformer.transform(table.iloc[n]), dtype=torch.float32) for part, n in rows.items()
    }
    for part, x in made.items():
        check_finite(f"{path} ({part})", x)
    sizes = {kind: indices.stop - indices.start for kind, indices in transformer.output_indices_.items()}
    empty = int(table[numbers].isna().sum().sum())
    filled = f"; empty cells filled with the median: {empty}" if empty else ""
    lines = [f"numbers: {name_list(numbers)} ({counted_features(sizes['numbers'])}{filled})"] if numbers else []
    if categories:
        shared = "".join(shared_columns(transformer.named_transformers_["categories"], categories))
        lines.append(f"categories: {name_list(categories)} ({counted_features(sizes['categories'])}{shared})")
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

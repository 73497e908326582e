"""Data in a table: a CSV file with a header of column names, one of which is the target."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from search_spaces.errors import InputError, require, unknown
from study.workloads.data import Data, Split
from study.workloads.splits import check_finite, encode, row_numbers

MOST_CATEGORIES = 50
"""Maximum number of one-hot columns per categorical feature; the rarest categories share one."""
MOST_CLASSES = 20
"""An integer target with more distinct values than this is a regression."""


def read_table(path: Path, target: str | None, task: str | None, split_seed: int) -> Data:
    """Read the file: numbers are standardised, categories one-hot encoded, empty cells filled with the median.

    All statistics come from the training rows. A regression target is standardised, too. task: None to infer it.
    Raises InputError if the file cannot be read, or the target is missing, has empty cells or does not fit the task.
    """
    table = read_frame(path)
    columns = [str(column) for column in table.columns]
    if target is None:
        raise InputError(f"{path} needs --target, the column to predict. Valid: {', '.join(columns)}")
    if target not in columns:
        raise unknown("column", target, columns, str(path))
    require(len(columns) > 1, f"{path} needs at least one column besides the target {target!r}", columns)
    y = table.pop(target)
    if y.isna().any():
        lines = (y.isna().to_numpy().nonzero()[0] + 2).tolist()
        raise InputError(
            f"{path}: the target {target!r} is empty in {len(lines)} rows, the first in line {lines[0]}: remove them"
        )
    values = y.to_numpy() if y.dtype.kind in "biuf" else y.astype(str).to_numpy(dtype=np.str_)
    found = task or inferred_task(values)
    rows = row_numbers(str(path), len(y), split_seed, True, True)
    classes, targets = encode(
        f"{path}, target {target!r}", found, {part: values[numbers.numpy()] for part, numbers in rows.items()}, True
    )
    inputs, kinds = features(path, table, {part: numbers.numpy() for part, numbers in rows.items()})
    reason = "set by --task" if task else f"{len(np.unique(values))} distinct values; override with --task"
    counts = " + ".join(str(len(numbers)) for numbers in rows.values())
    about = f"{path.name}: {counts} rows for train, validation and test; {kinds}; {found} of {target!r} ({reason})"
    train, validation, test = (Split(inputs[part], targets[part]) for part in ("train", "validation", "test"))
    return Data(path.stem, classes, train, validation, test, found, about)


def read_frame(path: Path) -> Any:
    """The file as a pandas DataFrame."""
    import pandas as pd  # takes a second, which other data need not wait for

    separator = "\t" if path.suffix == ".tsv" else ","
    try:
        with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
            # index_col=False: otherwise pandas uses the first column as the index if lines have an extra separator.
            return pd.read_csv(path, sep=separator, na_values=["?"], skipinitialspace=True, index_col=False)
    except pd.errors.ParserWarning as error:
        raise InputError(f"{path}: some lines have more fields than the header has names: remove the extra") from error
    except (OSError, ValueError) as error:  # pandas raises subclasses of ValueError
        reason = " ".join(str(error).split())
        raise InputError(f"{path} cannot be read as a table ({reason}): it needs a header of column names") from error


def inferred_task(values: Any) -> str:
    """Classification for strings, booleans and at most MOST_CLASSES distinct integers; otherwise regression.

    >>> inferred_task(np.array([0, 1, 2])), inferred_task(np.array([0.5, 1.0])), inferred_task(np.array(["a", "b"]))
    ('classification', 'regression', 'classification')
    """
    if values.dtype.kind not in "iuf":
        return "classification"
    whole = bool(np.all(np.mod(values, 1) == 0))
    return "classification" if whole and len(np.unique(values)) <= MOST_CLASSES else "regression"


def features(path: Path, table: Any, rows: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """(x of each part as tensors, a phrase that describes the columns)."""
    import torch
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    table = table.loc[:, table.iloc[rows["train"]].notna().any()]  # drop columns that are empty
    numeric = [column for column in table.columns if table[column].dtype.kind in "biuf"]
    categories = [column for column in table.columns if column not in numeric]
    require(len(table.columns) > 0, f"{path} needs at least one non-empty column besides the target", 0)
    table = table.astype(dict.fromkeys(numeric, "float64"))
    for part, numbers in rows.items():
        infinite = np.isinf(table[numeric].iloc[numbers].to_numpy()).any(0)
        names = [column for column, is_infinite in zip(numeric, infinite, strict=True) if is_infinite]
        require(not names, f"{path} ({part}): numbers must be finite or missing", f"infinity in {', '.join(names)}")
    for column in categories:
        table[column] = table[column].astype("object").where(table[column].notna(), "missing").astype(str)
    numbers_of = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MOST_CATEGORIES, sparse_output=False)
    transformer = ColumnTransformer([("numbers", numbers_of, numeric), ("categories", one_hot, categories)])
    transformer.fit(table.iloc[rows["train"]])
    made = {
        part: torch.as_tensor(transformer.transform(table.iloc[n]), dtype=torch.float32) for part, n in rows.items()
    }
    for part, x in made.items():
        check_finite(f"{path} ({part})", x)
    empty = int(table[numeric].isna().sum().sum())
    filled = f", {empty} empty cells filled with the median" if empty else ""
    kinds = (
        f"{len(numeric)} numeric and {len(categories)} categorical columns as {made['train'].shape[1]} features{filled}"
    )
    return made, kinds

"""Data in an `.npz` file: arrays x and y, and optionally x_val, y_val, x_test and y_test."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from search_spaces.errors import InputError, require, unknown
from study.workloads.data import Data
from study.workloads.splits import data_of_arrays

PARTS = {"train": "", "validation": "_val", "test": "_test"}
"""Suffixes of the array names, by part."""


def read_arrays(path: Path, task: str | None, split_seed: int) -> Data:
    """Read the file; raises InputError if it cannot be read, lacks an array or contains unknown arrays."""
    known = [f"{letter}{suffix}" for suffix in PARTS.values() for letter in "xy"]
    try:
        with np.load(path, allow_pickle=False) as file:
            for name in file.files:
                if name not in known:
                    raise unknown(f"array in {path}", name, known)
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, BadZipFile) as error:
        raise InputError(f"{path} cannot be read ({error}): save it with numpy.savez(path, x=..., y=...)") from error
    parts = {}
    for part, suffix in PARTS.items():
        names = [f"{letter}{suffix}" for letter in "xy"]
        given = [name for name in names if name in arrays]
        if given or part == "train":
            require(
                given == names, f"{path} must contain both {names[0]} and {names[1]}", " and ".join(given) or "neither"
            )
            parts[part] = (arrays[names[0]], arrays[names[1]])
    return data_of_arrays(path.name, parts, task, split_seed, standardise=True)

"""Data in an `.npz` file: arrays x and y, and optionally x_val, y_val, x_test and y_test."""

from __future__ import annotations

from math import prod
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import numpy as np

from search_spaces.errors import InputError, require, unknown, words_of
from study.machine import check_free_memory
from study.workloads.array_data import data_of_arrays
from study.workloads.data import Data

COPIES = 3
"""How often the arrays are in memory while they are read: once as they are, once converted, once split."""
PARTS = {"train": "", "validation": "_val", "test": "_test"}
"""Suffixes of the array names, by part."""


def read_arrays(path: Path, task: str | None, split_seed: int) -> Data:
    """Read the file; raises InputError if it cannot be read, lacks an array or contains unknown arrays."""
    known = [f"{letter}{suffix}" for suffix in PARTS.values() for letter in "xy"]
    arrays = {}
    try:
        check_memory(path)
        with np.load(path, allow_pickle=False) as file:
            for name in file.files:
                if name not in known:
                    raise unknown(f"array in {path}", name, known)
                arrays[name] = file[name]
    except InputError:
        raise
    except Exception as error:  # of numpy, zipfile, zlib, tokenize, ...: none documents what a damaged file raises
        objects = "Object arrays" in str(error)
        what = "convert arrays of Python objects with .astype(str) or a number type, and " if objects else ""
        raise InputError(
            f"{path} cannot be read ({words_of(error)}): {what}save it with numpy.savez(path, x=..., y=...)"
        ) from error
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


def check_memory(path: Path) -> None:
    """Raise InputError if the arrays would not fit into the free memory, by what the file says of their size."""
    with ZipFile(path) as file:
        needed = COPIES * sum(member.file_size for member in file.infolist())
        for member in file.infolist():
            if member.filename.endswith(".npy"):
                check_header(path, file, member)
    check_free_memory(str(path), needed)


def check_header(path: Path, file: ZipFile, member: ZipInfo) -> None:
    """Raise InputError if an array claims to have more bytes than the file holds of it."""
    with file.open(member) as array:
        version = np.lib.format.read_magic(array)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(array)
    claimed = prod(shape) * dtype.itemsize
    if claimed > member.file_size and not dtype.hasobject:
        raise InputError(f"{path} cannot be read ({member.filename} claims {claimed} bytes and has {member.file_size})")

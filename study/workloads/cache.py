"""Data that takes seconds to make is kept in a file, which is only a copy: any doubt, and the data is made anew."""

from __future__ import annotations

import hashlib
import io
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[np.generic]]
"""By name."""


def kept_or_made(path: Path, made_with: str, make: Callable[[], Arrays]) -> Arrays:
    """The arrays that the file keeps, if `make` would make them now; otherwise they are made, and kept if possible.

    made_with: all that they depend on, such as versions of packages. A file that is damaged, not ours, or made with
    something else is replaced. A folder that cannot be written costs time, and nothing else.
    """
    found = read_kept(path, made_with)
    if found is None:
        found = make()
        with suppress(OSError):  # the folder is read-only, missing and not to be made, or full
            keep(path, made_with, found)
    return found


def read_kept(path: Path, made_with: str) -> Arrays | None:
    """The arrays of a file that `keep` wrote with the same `made_with`; None if it is not such a file."""
    try:
        fingerprint, _, content = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    if fingerprint != fingerprint_of(made_with, content):  # checked before any of it is interpreted
        return None
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)


def keep(path: Path, made_with: str, arrays: Arrays) -> None:
    """Write the arrays to the file, all or nothing: other processes may read and write it at the same time."""
    packed = io.BytesIO()
    np.savez(packed, **arrays)  # type: ignore[arg-type]  # one of its flags might be the name of an array
    content = packed.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}.partial")
    try:
        partial.write_bytes(fingerprint_of(made_with, content) + b"\n" + content)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def fingerprint_of(made_with: str, content: bytes) -> bytes:
    """The SHA-256, in hexadecimal, of what the arrays were made with and of their bytes."""
    return hashlib.sha256(made_with.encode() + b"\0" + content).hexdigest().encode()

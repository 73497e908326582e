"""Files that are written all or none: older ones stay as they are if the disk is full, or the process is killed."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from glob import escape
from pathlib import Path
from secrets import token_hex

from search_spaces.errors import InputError

FULL = (errno.ENOSPC, errno.EDQUOT)
LEFT_AFTER = 3600.0
"""Seconds after which a file that is not in its place was left by a process that was killed."""


def write_whole(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files to the folder, which is made if it is missing.

    Each is written beside its place first. Only when all are on the disk do they take their places, in this order.
    Raises OSError, naming the folder, if there is no room for them, and InputError if they cannot be written for
    another reason.
    """
    mine = f"{os.getpid()}-{token_hex(4)}"  # another process may write to the same folder
    partial = {name: folder / f".{name}.{mine}.partial" for name in files}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_left(folder, files)
        for name, content in files.items():
            with partial[name].open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for name, path in partial.items():
            path.replace(folder / name)
    except OSError as error:
        if error.errno in FULL:
            raise OSError(error.errno, error.strerror, str(folder)) from error  # when it is written, no file is named
        raise InputError(f"cannot write to {folder} ({error.strerror}): name a folder that you may write to") from error
    finally:
        with suppress(OSError):
            for path in partial.values():
                path.unlink(missing_ok=True)


def remove_left(folder: Path, names: Iterable[str]) -> None:
    """Remove what killed processes left beside files of these names."""
    for left in [path for name in names for path in folder.glob(f".{escape(name)}.*partial")]:
        with suppress(OSError):  # it has just gone, or is another user's
            if left.stat().st_mtime < time.time() - LEFT_AFTER:
                left.unlink()

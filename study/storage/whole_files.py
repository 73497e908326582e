"""Files that are written all or none: older ones stay as they are if the disk is full, or the process is killed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def write_whole(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files to the folder, which is made if it is missing; raises OSError if there is no room for them.

    Each is written beside its place first. Only when all are on the disk do they take their places, in this order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    partial = {name: folder / f".{name}.partial" for name in files}
    try:
        for name, content in files.items():
            with partial[name].open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for name, path in partial.items():
            path.replace(folder / name)
    finally:
        for path in partial.values():
            path.unlink(missing_ok=True)

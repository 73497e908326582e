"""A script that ends what a killed process has left of its own Ray: some of its processes would live for minutes."""

from __future__ import annotations

import select
import shutil
import sys
from contextlib import suppress

import psutil

LOOK_EVERY_SECONDS = 5.0


def guard(owner: int, folder: str) -> None:
    """Wait until standard input is closed, when the owner ends. Then end its descendants, and remove the folder.

    owner: a process. Ray ends by itself if the owner ends in order; the guard is then ended first.
    """
    found: set[psutil.Process] = set()
    while not select.select([sys.stdin], [], [], LOOK_EVERY_SECONDS if found else 0.5)[0]:
        with suppress(psutil.NoSuchProcess):
            found.update(psutil.Process(owner).children(recursive=True))
    for process in found - {psutil.Process()}:
        with suppress(psutil.NoSuchProcess):
            process.kill()  # never another one of the same number, since psutil compares when it began
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    guard(int(sys.argv[1]), sys.argv[2])

"""Run a script of ours and send this process a signal at an SQL statement: before it, after it, or in its transaction.

python -m study.evidence.reliability.killed_at NUMBER SIGNAL SCRIPT [ARGUMENTS]
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path


def counting(at: int, act: Callable[[], None]) -> Callable[..., None]:
    """A listener that acts when it is called for the `at`-th time."""
    left = at

    def count(*arguments: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            act()

    return count


def run_counted() -> None:
    """Count the statements and commits of every database from the first on."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    number, signal, script = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    count = counting(number, lambda: os.kill(os.getpid(), signal))
    for moment in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(Engine, moment, count)
    sys.argv = sys.argv[3:]
    sys.path[0] = str(Path(script).parent)
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    run_counted()

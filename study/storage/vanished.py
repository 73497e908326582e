"""A database that is deleted, moved or replaced under a search is noticed at the next write, and what it held is kept.

SQLite would continue to write to the file that it has opened, which nobody can find any more.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy
import sqlalchemy.event

from study.storage.opening import FailedStorageError


@contextmanager
def noticed_if_gone(engine: sqlalchemy.Engine, path: Path) -> Iterator[None]:
    """Until the context ends, let transactions raise FailedStorageError once the file is deleted, moved or replaced.

    What had been stored by then is copied to a file beside. That takes a connection from before.
    """
    opened = path.stat()
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, check_same_thread=False)) as held:
        held.execute("SELECT count(*) FROM studies").fetchone()  # opens the file, and the log beside it
        copies: list[Path] = []

        def check(connection: sqlalchemy.Connection) -> None:
            if is_same(path, opened):
                return
            copies.extend([] if copies else kept_beside(path, held))
            what = "What was stored went with it: bring it back"
            if copies:
                what = f"What was stored is kept in {copies[0]}: move that there"
            raise FailedStorageError(
                f"the database {path} was deleted, moved or replaced while it was used. {what} and type the same "
                "command, or start again"
            )

        sqlalchemy.event.listen(engine, "begin", check)
        try:
            yield
        finally:
            sqlalchemy.event.remove(engine, "begin", check)


def is_same(path: Path, opened: os.stat_result) -> bool:
    """Whether the file that was opened is still there."""
    try:
        return os.path.samestat(path.stat(), opened)
    except OSError:
        return False


def kept_beside(path: Path, held: sqlite3.Connection) -> list[Path]:
    """Copy what the connection reads to a new file beside the path; empty if it cannot be written."""
    free = (path.with_name(f"{path.name}.kept{number or ''}") for number in range(1000))
    copy = next((one for one in free if not one.exists()), None)
    if copy is None:
        return []
    try:
        with closing(sqlite3.connect(copy)) as written:
            held.backup(written)
    except (sqlite3.Error, OSError):
        copy.unlink(missing_ok=True)
        return []
    return [copy]

"""Opening an SQLite file: why that failed, in words, and how a file in a read-only place is read."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from search_spaces.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

LEAST_ROOM = 65536
"""Bytes that SQLite needs at least to open a database."""
PATIENCE = 60.0
"""Seconds that SQLite waits while another process holds a database."""


class FailedStorageError(InputError):
    """A storage cannot be used any more, such as a database that is gone: that says nothing about its records."""


def why_unusable(path: Path, error: BaseException) -> str | None:
    """Why a database, which exists or not, cannot be opened or written to: a lock, the disk or the permissions, if
    it is these.

    error: what was raised.
    """
    if is_locked(error):
        return locked_in_words()
    folder = path.absolute().parent
    if not folder.is_dir():
        return "its folder is gone"
    if path.exists() and not os.access(path, os.R_OK):
        return "it may not be read (Permission denied)"
    if is_read_only(folder):
        return "its folder is read-only"
    if not os.access(folder, os.W_OK | os.X_OK):
        return "its folder may not be written to (Permission denied)"
    if path.exists() and not os.access(path, os.W_OK):
        return "it may not be written to (Permission denied)"
    if "is full" in str(error) or shutil.disk_usage(folder).free < LEAST_ROOM:
        return "no space is left on the disk"
    return None


def is_locked(error: BaseException | None) -> bool:
    """Whether SQLite has raised this, or its cause, since another process holds the database."""
    while error is not None:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return True
        error = error.__cause__
    return False


def locked_in_words() -> str:
    """What to say of a database that another process holds."""
    return f"another process has locked it for {PATIENCE:.0f} seconds: wait for that process, or stop it"


def is_read_only(folder: Path) -> bool:
    """Whether the file system of a folder is mounted read-only."""
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def readable(url: URL) -> URL:
    """The URL with which an SQLite file is read: where nothing can be written, SQLite must take it for immutable.

    Raises InputError if its last trials are in a file beside, which SQLite can only read if it may write there.
    """
    path = Path(url.database or "")
    if os.access(path.absolute().parent, os.W_OK) or not os.access(path, os.R_OK):
        return url
    beside = Path(f"{path}-wal")
    if beside.exists() and beside.stat().st_size:
        raise InputError(
            f"{path.parent} is read-only, and the last trials are in {beside}: copy both to another folder"
        )
    return url.set(database=f"file:{quote(str(path.absolute()))}", query={"immutable": "1", "uri": "true"})

"""Owning a study in any database: by a lock beside an SQLite file, or by a connection to a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock
from sqlalchemy.engine import URL

from study.storage.lock import owned
from study.storage.server import Connections
from study.storage.server_lock import Owner
from study.storage.server_storage import making_tables
from study.storage.url import is_server, lock_folder


@contextmanager
def owning(url: URL, name: str) -> Iterator[Connections | None]:
    """Own the study of this name until the context ends; yields the connections that do, if it is on a server.

    Raises InputError, naming the owner, if another process owns it; on a server, when the first connection is made.
    """
    if not is_server(url):
        with owned(lock_folder(url), name):
            yield None
        return
    connections = Connections(url, Owner(name))
    try:
        yield connections
    finally:
        connections.end()


@contextmanager
def alone_with_tables(url: URL) -> Iterator[None]:
    """No other process creates tables in this context: two would create the same. On a server, they exist."""
    with making_tables(url) if is_server(url) else FileLock(lock_folder(url) / "tables.lock"):
        yield

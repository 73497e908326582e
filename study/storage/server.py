"""PostgreSQL as storage: connections that wait while the server restarts, and why one cannot be made.

Whoever searches a study has a single connection, which owns the study (server_lock.py): what is written is written by
the owner, or not at all.
"""

from __future__ import annotations

import logging
import re
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import sqlalchemy
from optuna.storages import RDBStorage
from sqlalchemy.engine import URL, ExceptionContext

from search_spaces.errors import InputError
from study.storage.server_lock import Owner, wait_for_tables
from study.storage.url import rendered

if TYPE_CHECKING:
    import psycopg

SETTINGS = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,  # milliseconds
}
"""libpq's parameters of a connection, unless the URL sets them: a server that is gone is noticed within a minute."""
PATIENCE = 600.0
"""Seconds that a search waits for a server that it has lost."""
KEPT = "Finished trials are kept: type the same command to continue"
ADVICE = {
    "password authentication failed|no password supplied|role .* does not exist": (
        "check the user, and the password in ~/.pgpass or PGPASSWORD"
    ),
    "database .* does not exist": "create it with createdb, or correct --storage",
    "": "check --storage, and that the server is running and lets this machine in",
}
"""What to do, by a pattern of the reason."""


class NothingStoredError(InputError):
    """The database has no tables of Optuna's yet."""


class Connections:
    """Makes the connections of one storage.

    owner: of the study that is searched; None to read. makes_tables: whether the database may be empty. check: is
    called before another connection replaces one that was lost; raises InputError if the search must not continue.
    """

    def __init__(self, url: URL, owner: Owner | None = None, makes_tables: bool = False) -> None:
        self.url, self.owner, self.makes_tables = url, owner, makes_tables
        self.patience = PATIENCE if owner else 0.0
        self.check: Callable[[], None] = lambda: None
        self.made, self.ended = 0, False
        self.open: list[psycopg.Connection] = []

    def __call__(self) -> psycopg.Connection:
        """A new connection; raises InputError if it cannot be made."""
        connection = self.patient() if self.made else connect_to_server(self.url)
        if not (self.owner or self.makes_tables or self.made or has_tables(connection)):
            connection.close()
            raise NothingStoredError(f"{rendered(self.url)} holds no study yet: make one with scripts/search.py")
        if self.ended:
            connection.read_only = True
        elif self.owner:
            try:
                self.owner.take(connection)
                if self.made:
                    self.check()
            except BaseException:
                connection.close()
                raise
        self.made += 1
        self.open = [one for one in self.open if not one.closed] + [connection]
        return connection

    def end(self) -> None:
        """Close all; a study is released. Connections that are made later can only read."""
        self.ended = True
        for one in self.open:
            one.close()

    def patient(self) -> psycopg.Connection:
        """A connection to a server that was there before: it may be restarting."""
        began = time.monotonic()
        said = False
        while True:
            try:
                connection = connect_to_server(self.url)
            except InputError as error:
                if time.monotonic() - began >= self.patience:
                    raise InputError(f"{error}. {KEPT}") from error
                if not said:
                    minutes = f"{self.patience / 60:.0f} minutes"
                    logging.getLogger(__name__).warning(
                        f"{error}. Waiting for it for up to {minutes} (Ctrl-C twice to stop)"
                    )
                    said = True
                try:
                    time.sleep(0.5)
                except KeyboardInterrupt:
                    self.patience = 0.0  # nor for what is saved at the end
                    raise
            else:
                if said:
                    logging.getLogger(__name__).warning("The server is back: the search continues")
                return connection


def connect_to_server(url: URL) -> psycopg.Connection:
    """A connection of the driver; raises InputError, with what to do, if it cannot be made."""
    try:
        import psycopg
    except ImportError as error:
        raise InputError("PostgreSQL needs the package psycopg: pip install -e '.[postgresql]'") from error
    _, given = url.get_dialect()().create_connect_args(url)
    try:
        return psycopg.connect(**{**SETTINGS, **given})
    except psycopg.Error as error:
        reason = reason_of(error)
        advice = next(advice for pattern, advice in ADVICE.items() if re.search(pattern, reason))
        raise InputError(f"cannot connect to {rendered(url)} ({reason}): {advice}") from error


def reason_of(error: BaseException) -> str:
    """Why the server, or the driver, refuses.

    >>> reason_of(Exception('connection to server at "host" failed: FATAL:  database "x" does not exist'))
    'database "x" does not exist'
    """
    first = next(iter(str(error).splitlines()), type(error).__name__)
    return re.sub(r"^.*failed: (FATAL:\s+)?", "", first)


def has_tables(connection: psycopg.Connection) -> bool:
    """Whether Optuna has made its tables."""
    row = connection.execute("SELECT to_regclass('studies') IS NOT NULL").fetchone()
    connection.rollback()
    return bool(row and row[0])


def holds_studies(url: URL) -> bool:
    """Whether there may be studies at this URL of a server; raises InputError if it cannot be reached."""
    with closing(connect_to_server(url)) as connection:
        return has_tables(connection)


def server_storage(connections: Connections) -> RDBStorage:
    """Optuna's storage that uses these connections. An owner has only one, and must find the tables that it needs.

    Raises InputError if the server does not allow what is done. The storage raises it, too, if the connection is lost
    in the middle of a write: whether that was stored is known once the study is opened again.
    """
    url = connections.url
    owns = connections.owner is not None
    options = {"creator": connections, "pool_pre_ping": True, **({"pool_size": 1, "max_overflow": 0} if owns else {})}
    try:
        # Optuna's check of the tables needs a second connection.
        whole_url = url.render_as_string(hide_password=False)
        storage = RDBStorage(whole_url, engine_kwargs=options, skip_compatibility_check=owns, skip_table_creation=owns)
    except BaseException as error:
        connections.end()
        if isinstance(error, sqlalchemy.exc.DBAPIError) and (why := refusal(url, error.orig)):
            raise why from error
        raise

    def explain(context: ExceptionContext) -> None:
        if context.is_pre_ping:  # a new connection is made instead
            return
        if context.is_disconnect:
            raise InputError(
                f"the connection to {rendered(url)} was lost ({reason_of(context.original_exception)}). {KEPT}"
            )
        if why := refusal(url, context.original_exception):
            raise why

    sqlalchemy.event.listen(storage.engine, "handle_error", explain)
    weakref.finalize(storage, connections.end)
    return storage


def refusal(url: URL, error: BaseException | None) -> InputError | None:
    """What a server refuses for a reason that is not ours, and what to do; None for all else."""
    state = getattr(error, "sqlstate", None) or ""
    if state == "42501":
        what = f"the server does not allow this user to write ({reason_of(error or Exception())})"
        return InputError(f"{what} in {rendered(url)}: ask its owner for GRANT CREATE, USAGE ON SCHEMA public")
    if state == "25006":
        return InputError(
            f"{rendered(url)} can only be read ({reason_of(error or Exception())}): name the primary server"
        )
    if state.startswith("53"):  # its disk or its memory is full, or it has too many connections
        return InputError(f"the server of {rendered(url)} has no room ({reason_of(error or Exception())}). {KEPT}")
    return None


@contextmanager
def making_tables(url: URL) -> Iterator[None]:
    """Optuna's tables exist and are those of this version; no other process makes them, or a study, in this context."""
    with closing(connect_to_server(url)) as connection:
        wait_for_tables(connection)
        server_storage(Connections(url, makes_tables=True))
        yield

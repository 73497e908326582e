"""PostgreSQL as storage: connections that wait while the server restarts, and why one cannot be made.

Whoever searches a study has a single connection, which owns the study (server_lock.py): what is written is written by
the owner, or not at all.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import URL

from search_spaces.errors import InputError
from study.cli import interrupted_at_once
from study.storage.damage import UnreachableError
from study.storage.server_lock import Owner, first_of
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
log = logging.getLogger(__name__)
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


TABLES = ("studies", "trials", "version_info")
"""Some of Optuna's tables, which are made in one transaction."""
IN_SCHEMA = """
SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')
AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e') ORDER BY relname
"""


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
        connection = self.waited_for() if self.made else connect_to_server(self.url)
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

    def waited_for(self) -> psycopg.Connection:
        """The same as `patient`; an interruption ends the wait, and there is no other."""
        try:
            with interrupted_at_once():  # nothing is being written
                return self.patient()
        except KeyboardInterrupt:
            self.patience = 0.0  # nor for what is saved at the end
            raise

    def patient(self) -> psycopg.Connection:
        """A connection to a server that was there before: it may be restarting."""
        began, said = time.monotonic(), False
        while True:
            try:
                connection = raw_connection(self.url)
            except driver().OperationalError as error:
                reason = reason_of(error)
                lost = f"{rendered(self.url)} does not answer ({reason})"
                if time.monotonic() - began >= self.patience or advice_on(reason) != ADVICE[""]:
                    self.patience = 0.0  # whatever is read or saved at the end does not wait again
                    raise UnreachableError(f"{lost}. {KEPT}") from error
                if not said:
                    log.warning(f"{lost}: waiting for up to {self.patience / 60:.0f} minutes (Ctrl-C to stop)")
                    said = True
                time.sleep(0.5)
            else:
                if said:
                    log.warning(f"{rendered(self.url)} answers again: the search continues")
                return connection


def driver() -> Any:
    """Psycopg; raises InputError if it is not installed."""
    try:
        import psycopg
    except ImportError as error:
        raise InputError("PostgreSQL needs the package psycopg: pip install -e '.[postgresql]'") from error
    return psycopg


def raw_connection(url: URL) -> psycopg.Connection:
    """A connection of the driver; raises its errors."""
    _, given = url.get_dialect()().create_connect_args(url)
    connection: psycopg.Connection = driver().connect(**{**SETTINGS, **given})
    return connection


def connect_to_server(url: URL) -> psycopg.Connection:
    """A connection of the driver; raises InputError, with what to do, if it cannot be made."""
    try:
        return raw_connection(url)
    except driver().Error as error:
        reason = reason_of(error)
        raise UnreachableError(f"cannot connect to {rendered(url)} ({reason}): {advice_on(reason)}") from error


def advice_on(reason: str) -> str:
    """What to do if a connection cannot be made for this reason."""
    return next(advice for pattern, advice in ADVICE.items() if re.search(pattern, reason))


def reason_of(error: BaseException) -> str:
    """Why the server, or the driver, refuses.

    >>> reason_of(Exception('connection to server at "host" failed: FATAL:  database "x" does not exist'))
    'database "x" does not exist'
    """
    first = next(iter(str(error).splitlines()), type(error).__name__)
    return re.sub(r"^.*failed: (FATAL:\s+)?", "", first)


def has_tables(connection: psycopg.Connection) -> bool:
    """Whether Optuna has made its tables."""
    made = first_of(connection, "SELECT to_regclass(%s) IS NOT NULL", TABLES[0])
    connection.rollback()
    return made


def other_tables(connection: psycopg.Connection) -> list[str]:
    """The tables where Optuna's would be made, if these are not there; without those of extensions."""
    made = [first_of(connection, "SELECT to_regclass(%s) IS NOT NULL", table) for table in TABLES]
    rows = [] if all(made) else connection.execute(IN_SCHEMA).fetchall()
    connection.rollback()
    return [str(table) for (table,) in rows]


def holds_studies(url: URL) -> bool:
    """Whether there may be studies at this URL of a server; raises InputError if it cannot be reached."""
    with closing(connect_to_server(url)) as connection:
        return has_tables(connection)

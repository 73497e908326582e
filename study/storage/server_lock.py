"""Who owns a study on a PostgreSQL server: an advisory lock, which the server releases when its connection ends.

The lock names a study of a database, wherever its owner runs. The owner's name is that of its connection, which
everyone may read in pg_stat_activity.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING

from search_spaces.errors import InputError

if TYPE_CHECKING:
    import psycopg

LONGEST_NAME = 63
"""Bytes of the name of a connection."""
NOTICED_AFTER = {"tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "6"}
"""Settings of the server for this connection: a machine that is gone loses its studies after a minute and a half."""
GONE_WITHIN = 10.0
"""Seconds that the server may take to end a connection."""
TABLES_WITHIN = 60
"""Seconds that others may take to make their tables, or a new study."""
HOLDER = """
SELECT pid, application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND classid::bigint = %s AND objid::bigint = %s
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Owner:
    """This process as the owner of a study, over as many connections as it needs, one after the other."""

    def __init__(self, study: str) -> None:
        self.study, self.key = study, lock_key(f"study {study}")
        self.mark = secrets.token_hex(4)  # processes in containers may have the same number, and machines a name

    @property
    def name(self) -> str:
        """The name of its connections."""
        host = socket.gethostname().encode("ascii", "replace").decode()
        return f"{self.mark} process {os.getpid()} on {host}"[:LONGEST_NAME]

    def take(self, connection: psycopg.Connection) -> None:
        """Own the study by this connection; raises InputError, naming the owner, if another process does.

        If the owner is this process, by a connection that was lost and that the server has not noticed, that one ends.
        """
        configure(connection, {**NOTICED_AFTER, "application_name": self.name})
        deadline = time.monotonic() + GONE_WITHIN
        while not first_of(connection, "SELECT pg_try_advisory_lock(%s)", self.key):
            found = connection.execute(HOLDER, (self.key >> 32 & 0xFFFFFFFF, self.key & 0xFFFFFFFF)).fetchone()
            connection.rollback()  # a transaction sees the same connections as long as it lasts
            pid, name = found or (None, self.name)  # it may have ended meanwhile
            if name != self.name or time.monotonic() > deadline:
                who = (" ".join(name.split()[1:]) if name != self.name else "") or "another process"
                raise InputError(f"study {self.study!r} is being searched by {who}: wait for it, or stop it")
            if pid:
                connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
            time.sleep(0.1)
        connection.commit()


def lock_key(name: str) -> int:
    """The number of a lock: eight bytes with a sign, as PostgreSQL has them."""
    return int.from_bytes(sha256(f"learning-rate-study: {name}".encode()).digest()[:8], "big", signed=True)


def first_of(connection: psycopg.Connection, query: str, *values: int | str) -> bool:
    """The truth value that a query answers with."""
    row = connection.execute(query, values).fetchone()
    return bool(row and row[0])


def configure(connection: psycopg.Connection, settings: Mapping[str, str]) -> None:
    """Set these settings of the server for as long as the connection lasts."""
    for setting, value in settings.items():
        connection.execute("SELECT set_config(%s, %s, false)", (setting, value))
    connection.commit()


def wait_for_tables(connection: psycopg.Connection) -> None:
    """Hold the lock of whoever makes tables, once others have released it, until the connection ends.

    Raises the driver's LockNotAvailable if they have it for longer than `TABLES_WITHIN`.
    """
    configure(connection, {**NOTICED_AFTER, "lock_timeout": f"{TABLES_WITHIN}s"})
    connection.execute("SELECT pg_advisory_lock(%s)", (lock_key("tables"),))
    connection.commit()

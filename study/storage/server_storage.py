"""Optuna's storage on a PostgreSQL server, with what the server refuses in plain words."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager

import sqlalchemy
from optuna.storages import RDBStorage
from sqlalchemy.engine import URL, ExceptionContext

from search_spaces.errors import InputError
from study.storage.opening import FailedStorageError
from study.storage.server import KEPT, TABLES, Connections, connect_to_server, driver, other_tables, reason_of
from study.storage.server_lock import TABLES_WITHIN, wait_for_tables
from study.storage.url import rendered

OWNER_OF_TABLES = """
SELECT quote_ident(tableowner) FROM pg_tables WHERE tablename = %s AND tableowner <> current_user
"""
"""The role, if it is another one, that has made Optuna's tables: only its members may write to them."""


def server_storage(connections: Connections) -> RDBStorage:
    """Optuna's storage that uses these connections. An owner has only one, and must find the tables that it needs.

    Raises FailedStorageError if the server does not allow what is done. The storage raises it, too, if the connection
    is lost in the middle of a write: whether that was stored is known once the study is opened again.
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
            raise FailedStorageError(
                f"the connection to {rendered(url)} was lost ({reason_of(context.original_exception)}). {KEPT}"
            )
        if why := refusal(url, context.original_exception):
            raise why

    sqlalchemy.event.listen(storage.engine, "handle_error", explain)
    weakref.finalize(storage, connections.end)
    return storage


def refusal(url: URL, error: BaseException | None) -> FailedStorageError | None:
    """What a server refuses for a reason that is not ours, and what to do; None for all else."""
    state = getattr(error, "sqlstate", None) or ""
    if state == "42501":
        what = f"the server does not allow this user to write ({reason_of(error or Exception())})"
        return FailedStorageError(f"{what} in {rendered(url)}: {grant_needed(url)}")
    if state == "25006":
        return FailedStorageError(
            f"{rendered(url)} can only be read ({reason_of(error or Exception())}): name the primary server"
        )
    if state == "22001":
        return FailedStorageError("the name of the study has more than 512 characters: give a shorter one with --study")
    if state.startswith("53"):  # its disk or its memory is full, or it has too many connections
        return FailedStorageError(
            f"the server of {rendered(url)} has no room ({reason_of(error or Exception())}). {KEPT}"
        )
    return None


def grant_needed(url: URL) -> str:
    """What a user needs who may not write: to make tables, or the role that has made them."""
    with closing(connect_to_server(url)) as connection:
        (user,) = connection.execute("SELECT quote_ident(current_user)").fetchone() or ("",)
        owner = connection.execute(OWNER_OF_TABLES, TABLES[:1]).fetchone()
    if owner is None:
        return f"ask its owner for GRANT CREATE, USAGE ON SCHEMA public TO {user}"
    return f"ask an administrator for GRANT {owner[0]} TO {user}, or name the user {owner[0]} in --storage"


@contextmanager
def making_tables(url: URL) -> Iterator[None]:
    """Optuna's tables exist and are those of this version; no other process makes them, or a study, in this context.

    Raises InputError, and makes none, if the database has only tables of another program.
    """
    with closing(connect_to_server(url)) as connection:
        try:
            wait_for_tables(connection)
            found = other_tables(connection)
        except driver().errors.LockNotAvailable as error:
            what = f"another process has made tables or a study in {rendered(url)} for {TABLES_WITHIN} seconds"
            raise InputError(f"{what}: stop it, or type the same command again") from error
        except driver().Error as error:
            lost = f"the connection to {rendered(url)} was lost ({reason_of(error)})"
            raise FailedStorageError(f"{lost}. {KEPT}") from error
        if found:
            what = f"is the database of another program (it holds {', '.join(found[:3])}, no studies)"
            raise InputError(f"{rendered(url)} {what}: choose another with --storage")
        server_storage(Connections(url, makes_tables=True))
        yield

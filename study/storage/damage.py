"""What reading a storage raises, and how it is said: damaged records, and storages that fail."""

from __future__ import annotations

import csv
import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import optuna
import sqlalchemy

from search_spaces.errors import InputError, brief, words_of
from study.storage.opening import FailedStorageError, is_locked, locked_in_words

DAMAGED = (
    InputError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RecursionError,
    csv.Error,
)
"""What reading raises if the stored values are damaged, or this project did not write them."""
FAILED_MIDWAY = (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError)
"""What a storage raises that fails while an objective trains."""
STORAGE_ERRORS = (*FAILED_MIDWAY, sqlite3.Error)
"""What a storage raises that fails. While an objective trains, its own code may raise the driver's errors, too."""


class UnreachableError(FailedStorageError):
    """A server does not answer."""


def is_of_storage(error: BaseException) -> bool:
    """Whether a storage has failed, and not a database of the user's: then Optuna has raised this, or what it calls."""
    if not isinstance(error, sqlalchemy.exc.SQLAlchemyError):
        return isinstance(error, (FailedStorageError, *FAILED_MIDWAY))
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    return any(module.startswith("optuna.storages") for module in modules)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn what reading the records of this study raises into an InputError that names it."""
    try:
        yield
    except FailedStorageError:
        raise
    except (*DAMAGED, *STORAGE_ERRORS) as error:
        if is_locked(error):
            raise unusable(f"the database of study {name!r} cannot be read", error) from error
        raise damaged(name, error) from error


def unusable(what: str, error: BaseException) -> InputError:
    """The error for a storage that fails. what: which one, and that it cannot be used."""
    if is_locked(error):
        return FailedStorageError(f"{what}: {locked_in_words()}")
    return InputError(f"{what} ({cause(error)}): check --storage")


def damaged(name: str, error: BaseException) -> InputError:
    """The error for a study whose records cannot be read."""
    return InputError(
        f"the records of study {name!r} are damaged ({reason(error)}): restore a copy of the database, or choose "
        "another name with --study"
    )


def reason(error: BaseException) -> str:
    """Why stored values cannot be read, in words."""
    return f"{brief(error.args[0])} is missing" if isinstance(error, KeyError) and error.args else first_line(error)


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or its type; the other lines are for developers."""
    return words_of(next(iter(str(error).splitlines()), "") or type(error).__name__)


def cause(error: BaseException) -> str:
    """What happened first, in one line: the error that caused this one, if there is such a one."""
    while error.__cause__ is not None:
        error = error.__cause__
    return first_line(error)

"""What is said of a storage that fails: its true cause."""

import sqlite3
from contextlib import closing

import optuna
import pytest

from search_spaces import InputError
from study.storage.damage import reading
from study.storage.opening import FailedStorageError, why_unusable
from study.storage.studies import connect_to_read, read_studies, stored_attributes
from study.storage.url import parse
from tests.helpers import open_small, run_search

LOCKED = "another process has locked it for 0 seconds: wait for that process, or stop it"


@pytest.fixture
def held(storage, workload, tmp_path, monkeypatch):
    """(storage, a connection that can lock it) of a study that readers can be kept out of; nobody waits."""
    for room in ("opening", "url", "studies"):
        monkeypatch.setattr(f"study.storage.{room}.PATIENCE", 0.0)
    run_search(storage, workload, 1)
    with closing(sqlite3.connect(parse(storage).database)) as written:
        written.execute("VACUUM INTO ?", (str(tmp_path / "copy.db"),))  # which has no log beside it
    with closing(sqlite3.connect(tmp_path / "copy.db", isolation_level=None)) as connection:
        yield f"sqlite:///{tmp_path / 'copy.db'}", connection


def test_a_database_that_another_process_holds_is_not_called_damaged(held, workload):
    storage, connection = held
    connection.execute("BEGIN EXCLUSIVE")
    for act in (
        lambda: read_studies(storage, "small"),
        lambda: stored_attributes(storage, "small"),
        lambda: open_small(storage, workload).__enter__(),
    ):
        with pytest.raises(InputError, match=f"copy.db cannot be opened: {LOCKED}"):
            act()
    connection.execute("COMMIT")
    assert len(read_studies(storage, "small")[0].trials) == 1


def test_nor_one_that_is_held_while_its_records_are_read(held):
    storage, connection = held
    connected = connect_to_read(storage)
    connection.execute("BEGIN EXCLUSIVE")
    said = f"the database of study 'small' cannot be read: {LOCKED}"
    with pytest.raises(FailedStorageError, match=said), reading("small"):
        optuna.load_study(study_name="small", storage=connected)


def test_the_cause_is_found_behind_others(tmp_path):
    busy = sqlite3.OperationalError("database is locked")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY_SNAPSHOT
    error = RuntimeError("Optuna's")
    error.__cause__ = busy
    assert why_unusable(tmp_path / "studies.db", error).startswith("another process has locked it")
    busy.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    assert why_unusable(tmp_path / "studies.db", error) is None

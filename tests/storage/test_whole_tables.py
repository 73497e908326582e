"""A database whose tables an earlier start, which was killed, has made in part."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from optuna.storages import RDBStorage

from study.storage import whole_tables
from study.storage.studies import read_study
from study.storage.url import parse
from study.storage.whole_tables import INDEXES, make_missing_indexes
from tests.helpers import open_small


def indexes(path):
    with closing(sqlite3.connect(path)) as connection:
        return {statement for (statement,) in connection.execute(INDEXES)}


@pytest.fixture
def lost(storage, tmp_path):
    """The indexes of a new database, and the one of this storage, which has none of them."""
    for path in (parse(storage).database, tmp_path / "new.db"):
        RDBStorage(f"sqlite:///{path}").engine.dispose()
    with closing(sqlite3.connect(parse(storage).database)) as connection, connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
        for (name,) in names:
            connection.execute(f"DROP INDEX {name}")
    return indexes(tmp_path / "new.db")


def test_indexes_that_optuna_would_not_make_again_are_made(lost, storage, workload):
    assert indexes(parse(storage).database) == set()
    for _ in range(2):
        with open_small(storage, workload):
            pass
    assert indexes(parse(storage).database) == lost
    assert len(read_study(storage, "small").sessions) == 2


def test_also_in_a_database_that_has_a_study(lost, storage, workload):
    with open_small(storage, workload):
        pass
    with closing(sqlite3.connect(parse(storage).database)) as connection, connection:
        connection.execute("DROP INDEX ix_studies_study_name")
    with open_small(storage, workload):
        pass
    assert indexes(parse(storage).database) == lost


def test_two_starts_at_once_make_them_once(lost, storage, monkeypatch):
    """Both have looked before either makes one."""
    both = threading.Barrier(2)

    def new(url):
        both.wait(60)
        return RDBStorage(url)

    storages = [RDBStorage(storage, skip_table_creation=True) for _ in range(2)]
    monkeypatch.setattr(whole_tables, "RDBStorage", new)
    with ThreadPoolExecutor(2) as starts:
        assert list(starts.map(make_missing_indexes, storages)) == [None, None]
    for one in storages:
        one.engine.dispose()
    assert indexes(parse(storage).database) == lost

"""A database whose tables an earlier start, which was killed, has made in part."""

import sqlite3
from contextlib import closing

import pytest
from optuna.storages import RDBStorage

from study.storage.studies import read_study
from study.storage.url import parse
from study.storage.whole_tables import INDEXES
from tests.helpers import open_small


def indexes(path):
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute(INDEXES))


@pytest.fixture
def lost(storage, tmp_path):
    """The indexes of a new database, and the one of this storage, which has none of them."""
    for path in (parse(storage).database, tmp_path / "new.db"):
        RDBStorage(f"sqlite:///{path}").engine.dispose()
    with closing(sqlite3.connect(parse(storage).database)) as connection, connection:
        for name in indexes(tmp_path / "new.db"):
            connection.execute(f"DROP INDEX {name}")
    return indexes(tmp_path / "new.db")


def test_indexes_that_optuna_would_not_make_again_are_made(lost, storage, workload):
    assert indexes(parse(storage).database) == {}
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

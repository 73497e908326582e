"""Optuna's tables in an SQLite file, complete also if an earlier start was killed while they were made.

SQLite commits each statement by itself, and Optuna makes no index of a table that exists. Without the one that keeps
names of studies apart, a second start would make a second study of the same name.
"""

from __future__ import annotations

from optuna.storages import RDBStorage

INDEXES = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"


def make_missing_indexes(storage: RDBStorage) -> None:
    """Make the indexes that a new database of Optuna's has and this one lacks.

    Other starts may do the same meanwhile. Indexes exist before the first study, so later this only looks.
    """
    with storage.engine.begin() as connection:
        has_studies = connection.exec_driver_sql("SELECT 1 FROM studies LIMIT 1").first()
        keeps_apart = any(row[2] for row in connection.exec_driver_sql("PRAGMA index_list(studies)"))
        if has_studies and keeps_apart:
            return
        new = RDBStorage("sqlite://")  # in memory
        with new.engine.connect() as whole:
            wanted = list(whole.exec_driver_sql(INDEXES).scalars())
        new.engine.dispose()
        for statement in wanted:
            connection.exec_driver_sql(statement.replace(" INDEX ", " INDEX IF NOT EXISTS ", 1))

"""The studies of a storage by name, without their trials: Optuna's list of studies reads every trial of every one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import optuna
import sqlalchemy
from optuna.storages import RDBStorage


def study_names(storage: RDBStorage) -> list[str]:
    """The names of all studies, in the order in which they were made."""
    with storage.engine.connect() as connection:
        rows = connection.execute(sqlalchemy.text("SELECT study_name FROM studies ORDER BY study_id"))
        return [str(name) for (name,) in rows]


def attributes_of(storage: RDBStorage, name: str) -> dict[str, Any]:
    """The attributes of a study; empty if it does not exist. Raises ValueError if they are damaged."""
    try:
        return dict(optuna.load_study(study_name=name, storage=storage).user_attrs)
    except KeyError:
        return {}


def every_study(storage: RDBStorage) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and attributes of each study."""
    return ((name, attributes_of(storage, name)) for name in study_names(storage))

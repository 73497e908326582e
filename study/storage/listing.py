"""The studies of a storage, each read for itself: one that is damaged hides no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import optuna
import sqlalchemy
from optuna.storages import RDBStorage

from study.storage.damage import DAMAGED, damaged
from study.storage.opening import FailedStorageError
from study.storage.record_format import group_of


@dataclass(frozen=True)
class ListedStudy:
    """A study by its name and attributes. problem: what was raised if these cannot be read, and are empty here."""

    name: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    problem: Exception | None = None

    @property
    def ours(self) -> bool:
        """Whether this project made it, as far as one can see."""
        return "configuration" in self.attributes or self.problem is not None

    @property
    def group(self) -> str:
        """The benchmark that it belongs to, or its own name."""
        return group_of(self.name, str(self.attributes.get("group", self.name)))

    def refuse_damaged(self) -> None:
        """Raise InputError if its attributes cannot be read."""
        if self.problem:
            raise damaged(self.name, self.problem) from self.problem


def study_names(storage: RDBStorage) -> list[str]:
    """The names of all studies, in the order in which they were made; Optuna's own list reads every trial of each."""
    with storage.engine.connect() as connection:
        rows = connection.execute(sqlalchemy.text("SELECT study_name FROM studies ORDER BY study_id"))
        return [str(name) for (name,) in rows]


def listed_studies(storage: RDBStorage) -> list[ListedStudy]:
    """All studies, in the order in which they were made; raises one of `STORAGE_ERRORS` if their names are damaged."""
    return [listed_study(storage, name) for name in study_names(storage)]


def listed_study(storage: RDBStorage, name: str) -> ListedStudy:
    """The study of this name, which must exist; raises FailedStorageError if the storage fails."""
    try:
        return ListedStudy(name, optuna.load_study(study_name=name, storage=storage).user_attrs)
    except FailedStorageError:
        raise
    except DAMAGED as error:
        return ListedStudy(name, problem=error)

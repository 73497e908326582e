"""A study that is to be searched, and one that is open: what a search needs besides the executor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import optuna
from optuna.trial import FrozenTrial

from study.objective import Engine, Executor, Objective
from study.search.bracket import Bracket
from study.search.configuration import Configuration
from study.search.confirm import confirming
from study.search.search import search
from study.storage.study_record import StudyRecord


@dataclass(frozen=True)
class StudyPlan:
    """A study that is to be searched, or searched on.

    record: the configuration as it is stored. storage: a database URL; None keeps the study in memory. group: the
    comparison of families that it belongs to, its own name otherwise. known: the schedules it begins with, as
    parameters of trials. about: how the data was read, for people.
    """

    name: str
    objective: Objective
    configuration: Configuration
    record: dict[str, Any]
    storage: str | None
    group: str
    known: Sequence[dict[str, Any]] = ()
    about: str = ""


class Watcher(Protocol):
    """Shows a study elsewhere while it is searched. problem: what could not be shown, and why."""

    @property
    def problem(self) -> str | None: ...

    def attach(self, trial: FrozenTrial) -> FrozenTrial:
        """A trial that is to be stored, with what is shown of it."""

    def update(self, bracket: Bracket) -> None:
        """Show the present state, now and then."""


@dataclass
class OpenStudy:
    """A study that this process owns, with the executor that trains its runs. reason: why this engine."""

    plan: StudyPlan
    optuna_study: optuna.Study
    engine: Engine
    reason: str
    executor: Executor
    watcher: Watcher | None = None

    @property
    def record(self) -> StudyRecord:
        """What the study holds now."""
        return StudyRecord.of(self.optuna_study)

    def search(self, trials: int, interrupted: Callable[[], bool] = lambda: False) -> Iterator[Bracket]:
        """Search until the study holds this many finished trials; yields the bracket after every evaluation.

        Raises KeyboardInterrupt once `interrupted` says so; a study in memory then has every trial that ended a run.
        """
        attach: Callable[[FrozenTrial], FrozenTrial] = self.watcher.attach if self.watcher else lambda trial: trial
        objective, configuration = self.plan.objective, self.plan.configuration
        searching = search(self.optuna_study, objective, configuration, self.executor, trials, interrupted, attach)
        bracket = None
        try:
            for bracket in searching:
                if self.watcher:
                    self.watcher.update(bracket)
                yield bracket
        except KeyboardInterrupt:
            if bracket and not self.plan.storage:
                bracket.store_what_has_ended()
            raise

    def confirm(self, seeds: Sequence[int], interrupted: Callable[[], bool] = lambda: False) -> Iterator[float]:
        """Train the best schedule again with each of these seeds, and keep its values on test as `confirmed`.

        Yields the epochs trained by now. Does nothing if that is done, or if no trial ran to its end.
        """
        record = self.record
        best, kept = record.best, record.confirmed
        if best is None or (kept and (kept.trial, kept.seeds) == (best.number, tuple(seeds))):
            return
        objective, budget = self.plan.objective, self.plan.configuration.budget
        test: list[float] = []
        looks = confirming(objective, self.executor, best.schedule, budget, seeds, lambda _: interrupted())
        for epochs, test in looks:  # noqa: B007  # the last one is kept
            yield epochs
        if interrupted():
            raise KeyboardInterrupt
        self.optuna_study.set_user_attr("confirmed", {"trial": best.number, "seeds": list(seeds), "test": test})

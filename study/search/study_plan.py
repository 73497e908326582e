"""The plan of a study, and an open study: what a search needs besides the executor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import optuna
from optuna.trial import FrozenTrial

from study.objective import Engine, Executor, Objective
from study.search.bracket import Bracket
from study.search.configuration import Configuration
from study.search.finals import FinalsProgress, run_finals, training_again
from study.search.reference import Reference
from study.search.search import search
from study.speed import ChosenEngine, Speed
from study.storage.finals import FEWEST_LEFT, FailedRun, FinalRun
from study.storage.study_record import StudyRecord


@dataclass(frozen=True)
class StudyPlan:
    """The plan of a study that is to be searched, or continued.

    record: the configuration as it is stored. storage: a database URL; None keeps the study in memory. group: the
    comparison of families that it belongs to, its own name otherwise. known: the schedules to try first, as
    parameters of trials. about: how the data was read, for people. reference: what the answer is compared with, if
    anything. limit: a `Fitted` as plain values, which a new study stores; None without a limit of the cost. chosen: the
    engine of a new study, if the plan depends on its speed; otherwise it is chosen when the study is opened.
    artifacts: where pictures and curves of trials are kept; None for where the study has them, or beside the storage.
    accepted: what of the user's files and model may have changed since the study was made; None if nothing may.
    """

    name: str
    objective: Objective
    configuration: Configuration
    record: dict[str, Any]
    storage: str | None
    group: str
    known: Sequence[dict[str, Any]] = ()
    about: str = ""
    reference: Reference | None = None
    limit: Mapping[str, Any] | None = None
    chosen: ChosenEngine | None = None
    accepted: Sequence[str] | None = None
    artifacts: str | None = None


class Watcher(Protocol):
    """Shows a study in another place during a search. problem: what could not be shown, and why."""

    @property
    def problem(self) -> str | None: ...

    def attach(self, trial: FrozenTrial) -> FrozenTrial:
        """The trial as it is to be stored, with the files that show it."""

    def update(self, bracket: Bracket) -> None:
        """Show the present state, from time to time."""


@dataclass
class OpenStudy:
    """A study that this process owns, with the executor that trains its runs.

    reason: why it has this engine. speed: how fast that trains.
    """

    plan: StudyPlan
    optuna_study: optuna.Study
    engine: Engine
    reason: str
    executor: Executor
    watcher: Watcher | None = None
    speed: Speed = field(default_factory=Speed)

    @property
    def record(self) -> StudyRecord:
        """The present record of the study."""
        return StudyRecord.of(self.optuna_study)

    def search(self, trials: int, interrupted: Callable[[], bool] = lambda: False) -> Iterator[Bracket]:
        """Search until the study holds this many finished trials; yields the bracket after every evaluation.

        Raises KeyboardInterrupt once `interrupted` returns True; a study in memory then keeps every trial that has
        finished a run.
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

    def run_finals(
        self, seeds: int | None, interrupted: Callable[[], bool] = lambda: False
    ) -> Iterator[FinalsProgress]:
        """Confirm the answer: see `finals.run_finals`."""
        return run_finals(self.optuna_study, self.plan.objective, self.executor, seeds, lambda _: interrupted())

    def confirm(
        self, seeds: Sequence[int], interrupted: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[float, FailedRun | None]]:
        """Train the best schedule again with each of these seeds, and store its test values as `confirmed`.

        Yields the epochs trained so far, and the run that has just failed, if one has. Runs that failed have no value,
        and are trained again by the next start; if too many did, nothing is stored. Values of a schedule that is no
        longer the best are removed before. Does nothing if all is done already, or no trial has finished a full run.
        Raises InputError if several runs in a row failed.
        """
        record = self.record
        best, kept = record.best, record.confirmed
        if best is None:
            return
        if kept and kept.trial != best.number:
            self.optuna_study.set_user_attr("confirmed", None)  # it would pass for the result of the new best
            kept = None
        found = dict(zip(kept.seeds, kept.test, strict=True)) if kept else {}
        if kept and list(found) == list(seeds):
            return
        budget, failed = self.plan.configuration.budget, list[FailedRun]()
        places = [(best.number, seed) for seed in seeds]
        before = [FinalRun(best.number, seed, value, value) for seed, value in found.items()]
        known = len(set(found) & set(seeds))
        for trained, run in training_again(
            self.executor, record, places, budget, True, before, lambda _: interrupted()
        ):
            if isinstance(run, FailedRun):
                failed.append(run)
            elif run:
                found[run.seed] = run.validation if run.test is None else run.test
            yield (trained - known) * budget, run if isinstance(run, FailedRun) else None
        left = [seed for seed in seeds if seed in found]
        if len(left) >= min(FEWEST_LEFT, len(seeds)):
            values = {"trial": best.number, "seeds": left, "test": [found[seed] for seed in left]}
            self.optuna_study.set_user_attr("confirmed", values | ({"failed": failed} if failed else {}))

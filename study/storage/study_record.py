"""What is stored about a study, as typed values: read from Optuna's study or from the archive.

Analysis and reports know a study only by its record. `stored` holds the attributes as they are in the storage, for the
archive and for rebuilding the search from its configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import accumulate
from typing import Any

import optuna

from search_spaces.errors import InputError, brief
from search_spaces.optimizer_call import is_optimizer_call
from study.objective import Engine, Metric
from study.storage.attributes import Attributes, trials_under_way
from study.storage.checks import check_format
from study.storage.damage import reading
from study.storage.finals import FailedRun, Finals
from study.storage.provenance import Session
from study.storage.record_format import group_of
from study.storage.settings import Settings
from study.storage.stored_trials import FINISHED
from study.storage.trial_record import TrialRecord
from study.storage.typed import as_tuple, check_types


@dataclass(frozen=True)
class Confirmed:
    """A schedule evaluated on test: the number of its trial, the fresh training seeds, and the test metric of each.

    failed: runs with further seeds, which have no value, because their training failed.
    """

    trial: int
    seeds: tuple[int, ...]
    test: tuple[float, ...]
    failed: tuple[FailedRun, ...] = ()

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Confirmed:
        """From the attribute of a study."""
        failed = tuple(FailedRun(*as_tuple(run)) for run in as_tuple(stored.get("failed", ())))
        return cls(stored["trial"], as_tuple(stored["seeds"]), as_tuple(stored["test"]), failed)

    @property
    def asked(self) -> set[int]:
        """All seeds that it was to be trained with."""
        return {*self.seeds, *(run.seed for run in self.failed)}


@dataclass(frozen=True)
class Accepted:
    """Changes of the user's files or model, in words, that were accepted. trials: how many were stored then."""

    trials: int
    changes: tuple[str, ...]


@dataclass(frozen=True)
class StudyRecord:
    """A study.

    group: the benchmark that it belongs to, otherwise its own name. metric: what trials are evaluated by; it cannot
    measure. optimizer_code: how the optimizer is made, as code. validation_rows: rows that a trial's value is the mean
    over; None in studies made before it was kept. sessions: every start, in order. confirmed: of a benchmark's study,
    once that is done. unfinished: how many trials are under way. trials: the complete and the pruned ones, in the order
    in which they were asked. stored: the attributes as they are in the storage, but for `unfinished`, which is the
    number. finals: of a search, once they have begun. accepted: changes of what it is made of, in order. clip_norm: to
    which gradients were clipped, if they were, and if that was kept. seen: whether the optimizer is seen; it may not be
    in the user's own training.
    """

    name: str
    group: str
    workload: str
    metric: Metric
    settings: Settings
    steps_per_epoch: int
    optimizer_code: str
    validation_rows: int | None
    engine: Engine
    sessions: tuple[Session, ...]
    confirmed: Confirmed | None
    unfinished: int
    trials: tuple[TrialRecord, ...]
    stored: Mapping[str, Any]
    finals: Finals | None = None
    accepted: tuple[Accepted, ...] = ()
    clip_norm: float | None = None
    seen: bool = True

    @classmethod
    def of(cls, optuna_study: optuna.Study, before: StudyRecord | None = None) -> StudyRecord:
        """The record of a study in its present state.

        before: an earlier record of the same study, whose trials are not read again. Raises InputError, naming the
        study, if it was not made by this version of this project, or is damaged.
        """
        name = optuna_study.study_name
        known = {trial.number: trial for trial in before.trials} if before else {}
        with reading(name):
            attributes = optuna_study.user_attrs
            trials = optuna_study.get_trials(deepcopy=False, states=FINISHED)
        if "configuration" not in attributes:
            raise InputError(f"study {name!r} was not made by this project: choose another name with --study")
        check_format(name, attributes)
        with reading(name):
            record = cls.read(name, attributes, (known.get(t.number) or TrialRecord.of(t) for t in trials))
            numbers = {trial.number for trial in record.trials}
            named = record.finals.trials_named if record.finals else set()
            named |= {record.confirmed.trial} if record.confirmed else set()
            if not named <= numbers:
                raise ValueError(f"trial {min(named - numbers)} is missing")
            return record

    @classmethod
    def read(cls, name: str, attributes: Mapping[str, Any], trials: Iterable[TrialRecord]) -> StudyRecord:
        """The record of stored attributes; raises one of `DAMAGED` if this project did not write them."""
        check_types(dict(attributes), Attributes)
        metric, engine = attributes["metric"], attributes.get("engine", {"cohort": 1, "workers": 0})
        confirmed, unfinished = attributes.get("confirmed"), trials_under_way(attributes.get("unfinished", {}))
        record = cls(
            name=name,
            group=group_of(name, attributes["group"]),
            workload=attributes["workload"],
            metric=Metric(metric["name"], metric["direction"], metric["unit"], float(metric["worst"])),
            settings=Settings.read(attributes["configuration"]),
            steps_per_epoch=attributes["steps_per_epoch"],
            optimizer_code=attributes["optimizer_code"],
            validation_rows=attributes.get("validation_rows"),
            engine=Engine(engine["cohort"], engine["workers"], engine.get("threads")),
            sessions=tuple(map(Session.read, as_tuple(attributes["sessions"]))),
            confirmed=Confirmed.read(confirmed) if confirmed is not None else None,
            unfinished=unfinished,
            trials=tuple(sorted(trials, key=lambda trial: (trial.place.bracket, trial.place.position))),
            finals=Finals.read(attributes["finals"]) if "finals" in attributes else None,
            accepted=tuple(Accepted(one["trials"], as_tuple(one["changes"])) for one in attributes.get("accepted", ())),
            clip_norm=attributes.get("clip_norm"),
            seen=bool(attributes.get("first_run", {}).get("seen", True)),
            stored={key: unfinished if key == "unfinished" else value for key, value in attributes.items()},
        )
        record.check()
        return record

    def check(self) -> None:
        """Raise TypeError or ValueError, saying what is damaged, if this project writes no such value.

        Trials check themselves when they are read.
        """
        check_types(replace(self, trials=()))
        if not self.sessions:
            raise ValueError("sessions is empty")
        if not (self.settings.budgets and self.settings.epochs >= 1 and self.steps_per_epoch >= 1):
            raise ValueError("a run has no steps")
        if not is_optimizer_call(self.optimizer_code):
            raise ValueError(f"optimizer_code is {brief(self.optimizer_code)}")

    @property
    def configuration(self) -> Mapping[str, Any]:
        """Everything that determines the result, as plain values; the search builds its Configuration from it."""
        configuration: Mapping[str, Any] = self.stored["configuration"]
        return configuration

    @property
    def value_name(self) -> str:
        """The name of a trial's value, such as `val_error`."""
        return f"val_{self.metric.name}"

    @property
    def total_steps(self) -> int:
        """Optimizer steps of a full run."""
        return self.settings.epochs * self.steps_per_epoch

    @property
    def first_budget(self) -> int:
        """Epochs of the shortest runs that are compared: of the first rung, or of full runs if there are no rungs."""
        return self.settings.budgets[0]

    @property
    def complete(self) -> list[TrialRecord]:
        """The trials that ran to their end."""
        return [trial for trial in self.trials if trial.complete]

    @property
    def best(self) -> TrialRecord | None:
        """The best of the full runs within the search space, the earliest of equals; None if there is no full run."""
        return next(iter(self.ranked(self.searched)), None)

    @property
    def searched(self) -> list[TrialRecord]:
        """The trials within the search space that ran to their end."""
        return [trial for trial in self.complete if not trial.outside]

    @cached_property
    def asked(self) -> Mapping[int, int]:
        """The order in which the trials were asked, from 1, by the number of the trial.

        Optuna numbers trials in the order in which they are written, which is the order in which they end.
        """
        sizes = {trial.place.bracket: trial.place.size for trial in self.trials}
        before = dict(zip(sizes, accumulate(sizes.values(), initial=0), strict=False))
        return {trial.number: before[trial.place.bracket] + trial.place.position + 1 for trial in self.trials}

    def ranked(self, trials: Sequence[TrialRecord]) -> list[TrialRecord]:
        """These trials by value, the best first, the earlier of equals first."""
        return sorted(trials, key=lambda trial: (self.metric.sign * trial.value, trial.number))

    def trial(self, number: int) -> TrialRecord:
        """The finished trial of this number; raises InputError if it does not exist."""
        for trial in self.trials:
            if trial.number == number:
                return trial
        last = max((trial.number for trial in self.trials), default=None)
        held = "holds no finished trial yet" if last is None else f"holds trials 0 to {last}"
        raise InputError(f"study {self.name!r} {held}, but {number} was given")

    def changed_after(self, trial: TrialRecord) -> list[str]:
        """What has changed, in words, since the trial was trained, and was accepted."""
        later = [one.changes for one in self.accepted if trial.number < one.trials]
        return list(dict.fromkeys(change for changes in later for change in changes))

    def session_of(self, trial: TrialRecord) -> Session:
        """The start of the search that trained the trial: the last one before it ended."""
        ended = trial.ended or datetime.now(UTC)
        before = [session for session in self.sessions if session.time <= ended]
        return before[-1] if before else self.sessions[0]

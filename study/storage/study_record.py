"""What is stored about a study, as typed values: read from Optuna's study or from the archive.

Analysis and reports know a study only by its record. `stored` holds the attributes as they are in the storage, for the
archive and for rebuilding the search from its configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import accumulate
from typing import Any

import optuna

from search_spaces.errors import InputError, brief, words_of
from study.objective import Engine, Metric
from study.storage.checks import check_format
from study.storage.finals import Finals
from study.storage.provenance import Session
from study.storage.record_format import group_of
from study.storage.settings import Settings
from study.storage.stored_trials import FINISHED
from study.storage.trial_record import TrialRecord

DAMAGED = (InputError, LookupError, TypeError, ValueError, AttributeError)
"""What reading raises if the stored values are damaged, or this project did not write them."""


@dataclass(frozen=True)
class Confirmed:
    """A schedule evaluated on test: the number of its trial, the fresh training seeds, and the test metric of each."""

    trial: int
    seeds: tuple[int, ...]
    test: tuple[float, ...]


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
    number. finals: of a search, once they have begun. accepted: changes of what it is made of, in order.
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

    @classmethod
    def of(cls, optuna_study: optuna.Study, before: StudyRecord | None = None) -> StudyRecord:
        """The record of a study in its present state.

        before: an earlier record of the same study, whose trials are not read again. Raises InputError, naming the
        study, if it was not made by this version of this project, or is damaged.
        """
        name = optuna_study.study_name
        known = {trial.number: trial for trial in before.trials} if before else {}
        try:
            attributes = optuna_study.user_attrs
            trials = optuna_study.get_trials(deepcopy=False, states=FINISHED)
        except ValueError as error:
            raise damaged(name, error) from error
        if "configuration" not in attributes:
            raise InputError(f"study {name!r} was not made by this project: choose another name with --study")
        check_format(name, attributes)
        try:
            return cls.read(name, attributes, (known.get(t.number) or TrialRecord.of(t) for t in trials))
        except DAMAGED as error:
            raise damaged(name, error) from error

    @classmethod
    def read(cls, name: str, attributes: Mapping[str, Any], trials: Iterable[TrialRecord]) -> StudyRecord:
        """The record of stored attributes; raises one of `DAMAGED` if this project did not write them."""
        metric, engine = attributes["metric"], attributes.get("engine", {"cohort": 1, "workers": 0})
        confirmed, under_way = attributes.get("confirmed"), attributes.get("unfinished")
        unfinished = under_way if isinstance(under_way, int) else len((under_way or {}).get("candidates", ()))
        return cls(
            name=name,
            group=group_of(name, attributes["group"]),
            workload=attributes["workload"],
            metric=Metric(metric["name"], metric["direction"], metric["unit"], float(metric["worst"])),
            settings=Settings.read(attributes["configuration"]),
            steps_per_epoch=int(attributes["steps_per_epoch"]),
            optimizer_code=attributes["optimizer_code"],
            validation_rows=attributes.get("validation_rows"),
            engine=Engine(engine["cohort"], engine["workers"], engine.get("threads")),
            sessions=tuple(map(Session.read, attributes["sessions"])),
            confirmed=Confirmed(confirmed["trial"], tuple(confirmed["seeds"]), tuple(confirmed["test"]))
            if confirmed
            else None,
            unfinished=unfinished,
            trials=tuple(sorted(trials, key=lambda trial: (trial.place.bracket, trial.place.position))),
            finals=Finals.read(attributes["finals"]) if attributes.get("finals") else None,
            accepted=tuple(Accepted(one["trials"], tuple(one["changes"])) for one in attributes.get("accepted", ())),
            stored={key: unfinished if key == "unfinished" else value for key, value in attributes.items()},
        )

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


def damaged(name: str, error: Exception) -> InputError:
    """The error for a study whose records cannot be read."""
    return InputError(f"the records of study {name!r} are damaged ({reason(error)}): choose another name with --study")


def reason(error: Exception) -> str:
    """Why stored values cannot be read, in words."""
    return f"{brief(error.args[0])} is missing" if isinstance(error, KeyError) and error.args else words_of(error)

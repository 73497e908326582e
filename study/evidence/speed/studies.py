"""Times whole studies: ours, and one built from a tutorial; and the time per trial outside training."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search_spaces import from_params
from search_spaces.errors import InputError
from search_spaces.schedule import Schedule
from study.assembly import opened
from study.evidence.fresh_seeds import mean_test
from study.executors.options import ExecutorOptions
from study.objective import Metric
from study.search.study_plan import StudyPlan
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord


@dataclass(frozen=True)
class TriedSchedule:
    """A trial of any study: parameters, epochs trained, whether it was trained in full, and its last val metric."""

    params: Mapping[str, Any]
    epochs: float
    complete: bool
    value: float


@dataclass(frozen=True)
class StudyOutcome:
    """The result of a whole study, and its cost.

    schedule: the winner's. epochs: trained, over all trials. seconds: wall time. training: seconds of it spent on
    training, None if unknown.
    """

    schedule: Schedule
    trials: int
    epochs: float
    seconds: float
    training: float | None = None

    @classmethod
    def of(
        cls, tried: Sequence[TriedSchedule], metric: Metric, seconds: float, training: float | None = None
    ) -> StudyOutcome:
        """The outcome of these trials. The winner is the best trial that was trained in full; the first of equals.

        tried: in the order of suggestion. Raises InputError if no trial was trained in full.
        """
        complete = [trial for trial in tried if trial.complete]
        if not complete:
            raise InputError("no trial was trained in full: use more --trials")
        best = min(complete, key=lambda trial: metric.sign * trial.value)
        epochs = math.fsum(trial.epochs for trial in tried)
        return cls(from_params(best.params), len(tried), epochs, seconds, training)


StudyMaker = Callable[[StudyPlan, int], StudyOutcome]
"""(plan, number of trials) -> outcome: runs the study of a plan."""


@dataclass(frozen=True)
class RacedStudy:
    """One study: its wall time, and the test error of its winner, averaged over fresh training seeds.

    outside: fraction of the wall time outside training, None if unknown.
    """

    study: str
    search_seed: int
    seconds: float
    outside: float | None
    error: float


def race(name: str, make: StudyMaker, plan: StudyPlan, trials: int, confirm_seeds: int) -> RacedStudy:
    """Run a new study of the plan with `make`, and evaluate its winner. name: of the method."""
    outcome = make(plan, trials)
    error = mean_test(plan.objective, outcome.schedule, plan.configuration.epochs, confirm_seeds)
    outside = None if outcome.training is None else 1 - outcome.training / outcome.seconds
    return RacedStudy(name, plan.configuration.sampler_seed, outcome.seconds, outside, error)


def our_study(plan: StudyPlan, trials: int) -> StudyOutcome:
    """A `StudyMaker`: search like scripts/search.py."""
    began = time.perf_counter()
    record, _ = timed_search(plan, trials)
    seconds = time.perf_counter() - began
    tried = [TriedSchedule(trial.params, trial.epochs_spent, trial.complete, trial.value) for trial in record.trials]
    training = math.fsum(trial.seconds for trial in record.trials)
    return StudyOutcome.of(tried, record.metric, seconds, training)


def timed_search(plan: StudyPlan, trials: int) -> tuple[StudyRecord, list[float]]:
    """Search; returns the record, and the times when the search began and each bracket ended."""
    with opened(plan, ExecutorOptions()) as study:
        moments = [time.perf_counter()]
        for bracket in study.search(trials):
            if bracket.finished:
                moments.append(time.perf_counter())
        return study.record, moments


def overhead(plan: StudyPlan, at: Sequence[int]) -> dict[int, float]:
    """Seconds outside training per trial, in the brackets of one study that end at the trials `at`, by trial.

    at: ascending; the last is the number of trials in the study.
    """
    record, moments = timed_search(plan, at[-1])
    size = plan.configuration.bracket_size(plan.objective.steps(1))
    return {end: outside(record.trials, moments, math.ceil(end / size) - 1) for end in at}


def outside(trials: Sequence[TrialRecord], moments: Sequence[float], bracket: int) -> float:
    """Seconds outside training per trial of the bracket with this index. moments: as returned by `timed_search`."""
    training = [trial.seconds for trial in trials if trial.place.bracket == bracket]
    return (moments[bracket + 1] - moments[bracket] - math.fsum(training)) / len(training)

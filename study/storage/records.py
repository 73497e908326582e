"""What is kept of a study and of each trial: the names and the meaning of the stored attributes.

A study's attributes: `format` (FORMAT), `configuration` (all that decides what is found, but the engine; `enqueued` in
it: the parameters of the trials that it begins with, where it was given some), `engine` (engine, cohort and workers:
how its runs are trained, and what was asked for), `workload` (its name), `group` (the benchmark it belongs to, its own
name otherwise), `metric` (name, direction, unit, worst), `optimizer_code` and `unequal_groups` (how it is made; whether
its groups have rates of their own), `steps_per_epoch`, `confirmed` (of a benchmark: the trial judged on test, the
seeds, the test metrics), `sessions` (provenance of every start, in order), `unfinished` (the runs that a generation has
behind it, while it is trained).

A trial's attributes are those of trial_record.py. The files of a trial that ran to its end, its picture and its curve
as CSV, are noted where Optuna notes artifacts (artifacts.py). Analysis and reports read all of this as a `StudyRecord`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

FORMAT = 3
"""Version of this record format; a study of another version is refused."""
CURVE_POINTS = 50
"""Most evaluations kept of a run; also the most that are made."""
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


def finished_trials(optuna_study: optuna.Study) -> list[FrozenTrial]:
    """The complete and the pruned trials, in number order; failed ones do not count."""
    return [trial for trial in optuna_study.get_trials(deepcopy=False) if trial.state in FINISHED]


def enqueued(optuna_study: optuna.Study) -> list[dict[str, Any]]:
    """The parameters of the trials that the study was given to begin with, in order."""
    known: list[dict[str, Any]] = optuna_study.user_attrs.get("configuration", {}).get("enqueued", [])
    return known


def better_first(optuna_study: optuna.Study) -> int:
    """The sign that makes a smaller value the better one."""
    return 1 if optuna_study.direction == StudyDirection.MINIMIZE else -1


def best_trial(optuna_study: optuna.Study, trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
    """The best of the trials that ran to their end, the earliest of equals; None if there is none."""
    sign = better_first(optuna_study)
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    return min(complete, key=lambda trial: (sign * (trial.value or 0.0), trial.number), default=None)


def spent_epochs(trial: FrozenTrial) -> float:
    """Epochs trained for a finished trial, over all its rungs."""
    return float(sum(trial.user_attrs["record"]["epochs_used"].values()))

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
from datetime import UTC, datetime
from functools import partial
from typing import Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from search_spaces.errors import InputError
from study.objective import Evaluation

FORMAT = 3
"""Version of this record format; a study of another version is refused."""
CURVE_POINTS = 50
"""Most evaluations kept of a run; also the most that are made."""
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


def finished_trials(optuna_study: optuna.Study) -> list[FrozenTrial]:
    """The complete and the pruned trials, in number order; failed ones do not count."""
    return [trial for trial in optuna_study.get_trials(deepcopy=False) if trial.state in FINISHED]


def enqueued(optuna_study: optuna.Study) -> list[dict[str, Any]]:
    """The parameters of the trials that the study was told to begin with, in order."""
    known: list[dict[str, Any]] = optuna_study.user_attrs.get("configuration", {}).get("enqueued", [])
    return known


def trial_of(optuna_study: optuna.Study, number: int) -> FrozenTrial:
    """The finished trial of this number; raises InputError where there is none."""
    trials = {trial.number: trial for trial in finished_trials(optuna_study)}
    if number not in trials:
        held = f"holds trials 0 to {max(trials)}" if trials else "holds no finished trial yet"
        raise InputError(f"study {optuna_study.study_name!r} {held}, but {number} was given")
    return trials[number]


def session_of(optuna_study: optuna.Study, trial: FrozenTrial) -> dict[str, Any]:
    """The provenance of the start that trained the trial: the last one before it ended."""
    sessions: list[dict[str, Any]] = optuna_study.user_attrs["sessions"]
    ended = (trial.datetime_complete or datetime.now()).astimezone(UTC)
    before = [one for one in sessions if datetime.fromisoformat(one["time"]) <= ended]
    return before[-1] if before else sessions[0]


def better_first(optuna_study: optuna.Study) -> int:
    """The sign that makes a smaller value the better one."""
    return 1 if optuna_study.direction == StudyDirection.MINIMIZE else -1


def best_trial(optuna_study: optuna.Study, trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
    """The best of the trials that ran to their end, the earliest of equals; None where there is none."""
    sign = better_first(optuna_study)
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    return min(complete, key=lambda trial: (sign * (trial.value or 0.0), trial.number), default=None)


def spent_epochs(trial: FrozenTrial) -> float:
    """Epochs trained for a finished trial, over all its rungs."""
    return float(sum(trial.user_attrs["record"]["epochs_used"].values()))


def curve_columns(evaluations: Sequence[Evaluation], metric: str) -> dict[str, list[Any]]:
    """A run's evaluations as columns: updates done, validation loss and metric, and the optimizer's lr and momentum."""
    return {
        "step": [evaluation.step for evaluation in evaluations],
        "val_loss": [evaluation.loss if not evaluation.diverged else None for evaluation in evaluations],
        f"val_{metric}": [evaluation.metric for evaluation in evaluations],
        "lr": [evaluation.lr for evaluation in evaluations],
        "momentum": [evaluation.momentum for evaluation in evaluations],
    }


def plain_arguments(resolved: dict[str, Any]) -> dict[str, Any]:
    """Resolved torch arguments as JSON can hold them: a function with bound arguments as the source that makes it."""
    return {name: written(value) if isinstance(value, partial) else value for name, value in resolved.items()}


def written(value: Any) -> str:
    """A value as Python source; a partial as the call that makes it.

    >>> written(partial(max, default=0))
    'partial(max, default=0)'
    """
    if not isinstance(value, partial):
        return repr(value)
    bound = "".join(f", {name}={written(bound)}" for name, bound in value.keywords.items())
    return f"partial({value.func.__name__}{bound})"

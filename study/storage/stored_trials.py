"""The trials of an Optuna study that count, and those that it begins with."""

from __future__ import annotations

from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


def finished_trials(optuna_study: optuna.Study) -> list[FrozenTrial]:
    """The complete and the pruned trials, in number order; failed ones do not count."""
    return [trial for trial in optuna_study.get_trials(deepcopy=False) if trial.state in FINISHED]


def enqueued(optuna_study: optuna.Study) -> list[dict[str, Any]]:
    """The parameters of the trials that the study begins with, in order."""
    known: list[dict[str, Any]] = optuna_study.user_attrs.get("configuration", {}).get("enqueued", [])
    return known

"""The trials of an Optuna study that count."""

from __future__ import annotations

import optuna
from optuna.trial import FrozenTrial, TrialState

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


def finished_trials(optuna_study: optuna.Study) -> list[FrozenTrial]:
    """The complete and the pruned trials, in number order; failed ones do not count."""
    return [trial for trial in optuna_study.get_trials(deepcopy=False) if trial.state in FINISHED]

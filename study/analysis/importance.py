"""How much the values of a study's trials depend on each parameter that all families share.

Trials are compared at the first budget (comparable.py).
"""

from __future__ import annotations

import optuna
from optuna.trial import create_trial

from search_spaces.distributions import as_distribution
from search_spaces.ranges import Float
from study.analysis.comparable import comparable
from study.storage.study_record import StudyRecord

FEWEST_FOR_IMPORTANCE = 20
"""Trials below which there are no importances."""
WARMUP = Float(0.0, 1.0)
"""The range of `warmup_fraction` over all trials, those without a warm-up too."""


def importance(study: StudyRecord) -> tuple[dict[str, float], int]:
    """(parameter -> share, the most important first; n): how much the values of n trials depend on what all share.

    That is `family`, `peak_lr` and `warmup_fraction`, 0 without a warm-up. The shares sum to 1, also if chance alone
    decided. There are none of fewer than FEWEST_FOR_IMPORTANCE trials, nor if all have one value.

    By Optuna's mean decrease of impurity in a forest of trees. Its default, PED-ANOVA, compares where the best trials
    lie with where all lie, and so makes little of one choice of many, such as `family`, and of what the sampler has
    settled. Parameters of single families are left out: few trials have each.
    """
    from optuna.importance import MeanDecreaseImpurityImportanceEvaluator, get_param_importances  # loads scikit-learn

    compared = comparable(study)
    if len(compared) < FEWEST_FOR_IMPORTANCE or len({value for _, value in compared}) == 1:
        return {}, len(compared)
    ranges = {name: study.settings.space[name] for name in ("family", "peak_lr")} | {"warmup_fraction": WARMUP}
    shared = {name: as_distribution(searched) for name, searched in ranges.items()}
    throw_away = optuna.create_study(direction=study.metric.direction)
    for trial, value in compared:
        params = {"warmup_fraction": 0.0} | {name: trial.params[name] for name in shared if name in trial.params}
        throw_away.add_trial(create_trial(value=value, params=params, distributions=shared))
    return get_param_importances(throw_away, evaluator=MeanDecreaseImpurityImportanceEvaluator(seed=0)), len(compared)

"""How much the values of a study's trials depend on each parameter that all families share.

Trials are compared at the first budget (comparable.py).
"""

from __future__ import annotations

import optuna
from optuna.trial import create_trial

from search_spaces.distributions import as_distribution
from search_spaces.ranges import Float
from study.analysis.comparable import comparable
from study.storage.quiet import quiet_optuna
from study.storage.study_record import StudyRecord

FEWEST_FOR_IMPORTANCE = 20
"""The fewest trials that importances are computed from."""
WARMUP = Float(0.0, 1.0)
"""The range of `warmup_fraction` over all trials, including those without a warm-up."""


def importance(study: StudyRecord) -> tuple[dict[str, float], int]:
    """(parameter -> share, the most important first; n): how much the values of n trials depend on what all share.

    These parameters are `family`, `peak_lr`, `weight_decay`, if it is searched, and `warmup_fraction`, which is 0
    without a warm-up. The shares sum to 1, even if chance alone decided. There are no shares for fewer than
    FEWEST_FOR_IMPORTANCE trials, or if all trials have the same value.

    The method is Optuna's mean decrease of impurity in a forest of trees. Optuna's default, PED-ANOVA, compares the
    place of the best trials with that of all trials, which underrates a choice among many options, such as `family`,
    and what the sampler has settled already. Parameters of single families are left out, since few trials have each.
    """
    from optuna.importance import MeanDecreaseImpurityImportanceEvaluator, get_param_importances  # loads scikit-learn

    compared = comparable(study)
    if len(compared) < FEWEST_FOR_IMPORTANCE or len({value for _, value in compared}) == 1:
        return {}, len(compared)
    space = study.settings.space
    ranges = {name: space[name] for name in ("family", "peak_lr", "weight_decay") if name in space}
    ranges |= {"warmup_fraction": WARMUP}
    shared = {name: as_distribution(searched) for name, searched in ranges.items()}
    with quiet_optuna():
        in_memory = optuna.create_study(direction=study.metric.direction)
    for trial, value in compared:
        params = {"warmup_fraction": 0.0} | {name: trial.params[name] for name in shared if name in trial.params}
        in_memory.add_trial(create_trial(value=value, params=params, distributions=shared))
    return get_param_importances(in_memory, evaluator=MeanDecreaseImpurityImportanceEvaluator(seed=0)), len(compared)

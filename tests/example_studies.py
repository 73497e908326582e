"""Small studies made of rows, with ordinary and odd names, for tables and figures."""

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from search_spaces import FAMILIES
from study.reports.figures import Measure

ERROR = Measure("val_error", "fraction of rows")

NAMES = list(FAMILIES)

LONG = ["a_family_of_schedules_with_a_long_name", "a label that goes on for ever, and then some more"]

ODD = ["a<b>&c", "_under_score", "$x_1$ and $y$", '"quoted" \\alpha', "warm_restarts"]

VALUES = {name: [0.3 + 0.01 * place + 0.002 * seed**2 for seed in range(5)] for place, name in enumerate(NAMES)}


def row(family, peak_lr, value, full=None, diverged=False):
    """A finished trial with this value after 2 epochs and, if it is complete, that one after 20."""
    return create_trial(
        state=TrialState.PRUNED if full is None else TrialState.COMPLETE,
        value=value if full is None else full,
        params={"family": family, "peak_lr": peak_lr},
        distributions={
            "family": CategoricalDistribution([*NAMES, *ODD, *LONG]),
            "peak_lr": FloatDistribution(1e-5, 5.0, log=True),
        },
        intermediate_values={2: value} if full is None else {2: value, 20: full},
        user_attrs={
            "record": {"diverged": diverged, "epochs_used": {"2": 2} if full is None else {"2": 2, "20": 20}},
        },
    )


def study_of(rows, tried=(), direction="minimize"):
    study = optuna.create_study(direction=direction)
    study.set_user_attr("configuration", {"horizons": [2, 20], "epochs": 20, "families": list(tried)})
    study.set_user_attr("metric", {"name": "error", "unit": "fraction of rows"})
    study.add_trials(rows)
    return study

"""What can be searched: one file per family of learning-rate schedules.

schedule = suggest(trial)                              # draw one, in any Optuna objective
schedule = Cosine(peak_lr=0.1, warmup_fraction=0.05)   # or write one down
scheduler = schedule.build(optimizer, total_steps)     # torch's scheduler; step() it after every update
"""

from collections.abc import Iterable, Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import FixedTrial

from search_spaces.constant import Constant
from search_spaces.cosine import Cosine
from search_spaces.cyclic import Cyclic
from search_spaces.errors import InputError, unknown
from search_spaces.exponential import Exponential
from search_spaces.inverse_sqrt import InverseSqrt
from search_spaces.inverse_time import InverseTime
from search_spaces.linear import Linear
from search_spaces.multistep import MultiStep
from search_spaces.one_cycle import OneCycle
from search_spaces.plateau import Plateau
from search_spaces.polynomial import Polynomial
from search_spaces.ranges import distributions, draw
from search_spaces.rex import REX
from search_spaces.schedule import Schedule
from search_spaces.step import Step
from search_spaces.warm_restarts import WarmRestarts
from search_spaces.wsd import WSD

FAMILIES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "step": Step,
    "multistep": MultiStep,
    "exponential": Exponential,
    "inverse_time": InverseTime,
    "inverse_sqrt": InverseSqrt,
    "polynomial": Polynomial,
    "linear": Linear,
    "cosine": Cosine,
    "warm_restarts": WarmRestarts,
    "cyclic": Cyclic,
    "one_cycle": OneCycle,
    "wsd": WSD,
    "rex": REX,
    "plateau": Plateau,
}

SGD_PEAK_LR = (1e-3, 5.0)
"""Where the peak is searched for SGD, log scale."""
ADAMW_PEAK_LR = (1e-5, 1e-1)
"""Where the peak is searched for AdamW, log scale."""


def suggest(
    trial: Any, families: Iterable[str] = tuple(FAMILIES), peak_lr: tuple[float, float] = SGD_PEAK_LR
) -> Schedule:
    """Draw a schedule from an Optuna trial: `family`, `peak_lr`, the warm-up, then the family's own parameters.

    families: names among FAMILIES; one drawn as a categorical parameter. peak_lr: (lowest, highest), log scale.
    Raises InputError for a family that does not exist.
    """
    names = check_families(families)
    family = FAMILIES[trial.suggest_categorical("family", names)]
    peak = trial.suggest_float("peak_lr", *peak_lr, log=True)
    shared = {name: draw(trial, name, domain) for name, domain in family.shared_space().items()}
    return family(peak_lr=peak, **shared, **family.suggest(trial))


def from_params(params: Mapping[str, Any]) -> Schedule:
    """The schedule that `suggest` made of these parameters, as a stored trial holds them.

    >>> from_params({"family": "rex", "peak_lr": 0.1, "warmup_fraction_is_0": True})
    REX(peak_lr=0.1, warmup_fraction=0.0)
    """
    return suggest(FixedTrial(dict(params)), [params["family"]], (params["peak_lr"], params["peak_lr"]))


def space(families: Iterable[str], peak_lr: tuple[float, float]) -> dict[str, BaseDistribution]:
    """Every Optuna parameter that `suggest` may ask for, and its distribution."""
    names = check_families(families)
    found: dict[str, BaseDistribution] = {
        "family": CategoricalDistribution(names),
        "peak_lr": FloatDistribution(*peak_lr, log=True),
    }
    for name in names:
        for parameter, domain in FAMILIES[name].shared_space().items():
            found |= distributions(parameter, domain)
        for parameter, domain in FAMILIES[name].space.items():
            found |= distributions(f"{name}.{parameter}", domain)
    return found


def check_families(families: Iterable[str]) -> list[str]:
    """The names as a list; raises InputError where there is none, or one is unknown."""
    names = list(dict.fromkeys(families))
    for name in names:
        if name not in FAMILIES:
            raise unknown("family", name, FAMILIES)
    if not names:
        raise InputError(f"at least one family is needed. Valid: {', '.join(FAMILIES)}")
    return names


__all__ = [
    "ADAMW_PEAK_LR",
    "FAMILIES",
    "REX",
    "SGD_PEAK_LR",
    "WSD",
    "Constant",
    "Cosine",
    "Cyclic",
    "Exponential",
    "InputError",
    "InverseSqrt",
    "InverseTime",
    "Linear",
    "MultiStep",
    "OneCycle",
    "Plateau",
    "Polynomial",
    "Schedule",
    "Step",
    "WarmRestarts",
    "check_families",
    "from_params",
    "space",
    "suggest",
]  # fmt: skip

"""What can be searched: one file per family of learning-rate schedules.

schedule = suggest(trial)                              # draw one in any Optuna objective
schedule = Cosine(peak_lr=0.1, warmup_fraction=0.05)   # or construct one
scheduler = schedule.build(optimizer, total_steps)     # a torch scheduler: call step() after every optimizer step
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from search_spaces.errors import InputError, unknown
from search_spaces.families.constant import Constant
from search_spaces.families.cosine import Cosine
from search_spaces.families.cyclic import Cyclic
from search_spaces.families.exponential import Exponential
from search_spaces.families.greedy import Greedy
from search_spaces.families.inverse_sqrt import InverseSqrt
from search_spaces.families.inverse_time import InverseTime
from search_spaces.families.linear import Linear
from search_spaces.families.multistep import MultiStep
from search_spaces.families.one_cycle import OneCycle
from search_spaces.families.piecewise import Piecewise
from search_spaces.families.plateau import Plateau
from search_spaces.families.polynomial import Polynomial
from search_spaces.families.rex import REX
from search_spaces.families.schedule_free import ScheduleFree
from search_spaces.families.step import Step
from search_spaces.families.warm_restarts import WarmRestarts
from search_spaces.families.wsd import WSD
from search_spaces.ranges import (
    Choice,
    Domain,
    FixedParameters,
    Float,
    Range,
    draw_parameter,
    exactly,
    searched_parameters,
)
from search_spaces.schedule import Schedule

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
"""The families that are searched unless others are named. Studies depend on them: new ones are rivals."""

RIVALS: dict[str, type[Schedule]] = {
    "piecewise": Piecewise,
    "schedule_free": ScheduleFree,
    "greedy": Greedy,
}
"""The families that are searched only if they are named."""

EVERY_FAMILY = FAMILIES | RIVALS

NOT_OBSERVING = tuple(name for name, family in FAMILIES.items() if not family.evaluations)
"""The families that are searched by default and need no call but `step()`: all but `plateau`."""

SGD_PEAK_LR = (1e-3, 5.0)
"""Search range of `peak_lr` for SGD, log scale."""
ADAMW_PEAK_LR = (1e-5, 1e-1)
"""Search range of `peak_lr` for AdamW, log scale."""


Ranges = Mapping[str, Domain]
"""Domains by parameter name, such as `peak_lr` or `cosine.floor_ratio`."""
NO_OVERRIDES: Ranges = MappingProxyType({})
"""Every parameter keeps its family's range."""


def suggest(
    trial: Any,
    families: Iterable[str] = NOT_OBSERVING,
    peak_lr: tuple[float, float] = SGD_PEAK_LR,
    ranges: Ranges = NO_OVERRIDES,
) -> Schedule:
    """Draw a schedule from an Optuna trial: `family`, `peak_lr`, the warm-up, then the family's own parameters.

    families: names in EVERY_FAMILY; one is drawn, as a categorical parameter. Rivals are drawn only if they are named,
    as is `plateau`: in a loop that does not pass it the validation losses, it is a constant rate under another name.
    peak_lr: (lowest, highest), log scale.
    ranges: replacements for the families' own ranges, such as `read_space` reads from a file.
    Raises InputError if a family is unknown.
    """
    names = check_families(families)
    family = EVERY_FAMILY[trial.suggest_categorical("family", names)]
    domains = domains_of(family, peak_lr, ranges)
    shared = {name: draw_parameter(trial, name, domain) for name, domain in domains.items() if "." not in name}
    return family(**shared, **family.suggest(trial, domains))


def from_params(params: Mapping[str, Any]) -> Schedule:
    """The schedule with the parameters of a stored trial, as `suggest` drew it.

    Raises InputError if the family is unknown or a parameter is missing.

    >>> from_params({"family": "rex", "peak_lr": 0.1, "warmup_fraction_is_0": True})
    REX(peak_lr=0.1, warmup_fraction=0.0)
    """
    [family] = check_families([FixedParameters(params).suggest_categorical("family")])
    requested = requested_domains(EVERY_FAMILY[family], params)
    domains = domains_of(EVERY_FAMILY[family], SGD_PEAK_LR, requested)
    given = {name: exactly(params[name], domain) for name, domain in domains.items() if name in params}
    return suggest(FixedParameters(params), [family], ranges=requested | given)


def requested_domains(family: type[Schedule], params: Mapping[str, Any]) -> dict[str, Domain]:
    """The domains of the family's parameters on request that a trial with these parameters has, by full name."""
    full = {f"{family.family}.{name}": domain for name, domain in family.on_request.items()}
    return {name: domain for name, domain in full.items() if searched_parameters(name, domain).keys() & params.keys()}


def domains_of(
    family: type[Schedule], peak_lr: tuple[float, float], ranges: Ranges = NO_OVERRIDES
) -> dict[str, Domain]:
    """The domain of every parameter of a family, by its full name, `peak_lr` first.

    A parameter on request has one if `ranges` has it.
    """
    own = {f"{family.family}.{name}": domain for name, domain in family.space.items()}
    own |= {full: ranges[full] for name in family.on_request if (full := f"{family.family}.{name}") in ranges}
    domains = {"peak_lr": Float(*peak_lr, log=True), **family.shared_space(), **own}
    return {name: ranges.get(name, domain) for name, domain in domains.items()}


def space(families: Iterable[str], peak_lr: tuple[float, float], ranges: Ranges = NO_OVERRIDES) -> dict[str, Range]:
    """Every Optuna parameter that `suggest` may ask for, and its range."""
    names = check_families(families)
    found: dict[str, Range] = {"family": Choice(tuple(names))}
    for name in names:
        for parameter, domain in domains_of(EVERY_FAMILY[name], peak_lr, ranges).items():
            found |= searched_parameters(parameter, domain)
    return found


def check_families(families: Iterable[str]) -> list[str]:
    """The names as a list without duplicates; raises InputError if it is empty or a name is unknown."""
    names = list(dict.fromkeys(families))
    for name in names:
        if name not in EVERY_FAMILY:
            raise unknown("family", name, EVERY_FAMILY)
    if not names:
        raise InputError(f"at least one family is needed. Valid: {', '.join(EVERY_FAMILY)}")
    return names


__all__ = [
    "ADAMW_PEAK_LR",
    "EVERY_FAMILY",
    "FAMILIES",
    "REX",
    "RIVALS",
    "SGD_PEAK_LR",
    "WSD",
    "Constant",
    "Cosine",
    "Cyclic",
    "Exponential",
    "Greedy",
    "InputError",
    "InverseSqrt",
    "InverseTime",
    "Linear",
    "MultiStep",
    "OneCycle",
    "Piecewise",
    "Plateau",
    "Polynomial",
    "Ranges",
    "Schedule",
    "ScheduleFree",
    "Step",
    "WarmRestarts",
    "check_families",
    "domains_of",
    "from_params",
    "space",
    "suggest",
]  # fmt: skip

"""What a parameter may be searched over: Optuna's distributions, or an exact value beside one of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution


@dataclass(frozen=True)
class Either:
    """Either exactly `value`, or a number from `otherwise`.

    Optuna sees two parameters: `NAME_is_VALUE` (yes or no) and, where that is no, `NAME`.
    """

    value: float
    otherwise: FloatDistribution


Domain = BaseDistribution | Either


def draw(trial: Any, name: str, domain: Domain) -> Any:
    """Ask an Optuna trial for the parameter `name` within its domain."""
    match domain:
        case Either(value, otherwise):
            return (
                value
                if trial.suggest_categorical(choice(name, domain), [True, False])
                else draw(trial, name, otherwise)
            )
        case FloatDistribution():
            return trial.suggest_float(name, domain.low, domain.high, log=domain.log)
        case IntDistribution():
            return trial.suggest_int(name, domain.low, domain.high)
        case CategoricalDistribution():
            return trial.suggest_categorical(name, domain.choices)
    raise TypeError(f"{name}: no way to draw from a {type(domain).__name__}")


def exactly(value: Any, domain: Domain) -> BaseDistribution:
    """The domain of this value only, drawn in the way of another domain."""
    match domain:
        case Either():
            return exactly(value, domain.otherwise)
        case FloatDistribution():
            return FloatDistribution(value, value)
        case IntDistribution():
            return IntDistribution(value, value)
    return CategoricalDistribution([value])


def choice(name: str, domain: Either) -> str:
    """The name of the parameter that says whether `domain` takes its exact value."""
    return f"{name}_is_{domain.value:g}"


def exact_choice(name: str) -> tuple[str, float] | None:
    """Which parameter such a name is about, and the exact value; None for other names.

    >>> exact_choice("linear.end_ratio_is_0")
    ('linear.end_ratio', 0.0)
    """
    parameter, is_choice, value = name.rpartition("_is_")
    return (parameter, float(value)) if is_choice else None


def distributions(name: str, domain: Domain) -> dict[str, BaseDistribution]:
    """The Optuna parameters that `draw` may ask for."""
    if isinstance(domain, Either):
        return {choice(name, domain): CategoricalDistribution([True, False]), name: domain.otherwise}
    return {name: domain}


def share_of_range(value: float, searched: FloatDistribution | IntDistribution) -> float:
    """Where a value lies between the ends of its range, from 0 to 1, on the scale that it is searched on.

    >>> share_of_range(0.1, FloatDistribution(0.01, 1.0, log=True))
    0.5
    """
    if searched.single():
        return 0.5
    if searched.log:
        return math.log(value / searched.low) / math.log(searched.high / searched.low)
    return (value - searched.low) / (searched.high - searched.low)

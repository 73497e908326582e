"""What a parameter is searched over: value types of ours, which `distributions.py` turns into Optuna's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search_spaces.errors import InputError, require


@dataclass(frozen=True)
class Float:
    """A number from `low` to `high`, both included; with `log` on a logarithmic scale, which needs `low` above 0."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        require(self.low <= self.high, "low must be at most high", (self.low, self.high))
        require(not self.log or self.low > 0, "low must be above 0 if log is true", self.low)


@dataclass(frozen=True)
class Integer:
    """A whole number from `low` to `high`, both included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        require(self.low <= self.high, "low must be at most high", (self.low, self.high))


@dataclass(frozen=True)
class Choice:
    """One of the options, at least one: text, numbers, or True and False."""

    options: tuple[Any, ...]

    def __post_init__(self) -> None:
        require(bool(self.options), "a choice needs at least one option", self.options)


Range = Float | Integer | Choice
"""What one parameter of Optuna is searched over."""


@dataclass(frozen=True)
class Either:
    """Either exactly `value`, or a number from `otherwise`.

    Optuna sees two parameters: `NAME_is_VALUE` (yes or no) and, if that is no, `NAME`.
    """

    value: float
    otherwise: Float


Domain = Range | Either
"""What a parameter of a family is searched over."""


def draw_parameter(trial: Any, name: str, domain: Domain) -> Any:
    """Ask an Optuna trial for the parameter `name` within its domain."""
    match domain:
        case Either(value, otherwise):
            exact = trial.suggest_categorical(exact_flag(name, domain), [True, False])
            return value if exact else draw_parameter(trial, name, otherwise)
        case Float(low, high, log):
            return trial.suggest_float(name, low, high, log=log)
        case Integer(low, high):
            return trial.suggest_int(name, low, high)
        case Choice(options):
            return trial.suggest_categorical(name, options)


@dataclass(frozen=True)
class FixedParameters:
    """A trial that answers with these parameters, whatever range it is asked for."""

    params: Mapping[str, Any]

    def suggest_float(self, name: str, *_: Any, **__: Any) -> Any:
        """The parameter of this name; raises InputError if there is none."""
        if name not in self.params:
            raise InputError(f"the parameter {name!r} is missing: {', '.join(self.params)} were given")
        return self.params[name]

    suggest_int = suggest_categorical = suggest_float


def exactly(value: Any, domain: Domain) -> Range:
    """The range of this value only, drawn in the way of another domain."""
    match domain:
        case Float() | Either():
            return Float(value, value)
        case Integer():
            return Integer(value, value)
        case Choice():
            return Choice((value,))


def exact_flag(name: str, domain: Either) -> str:
    """The name of the parameter that says whether `domain` takes its exact value."""
    return f"{name}_is_{domain.value:g}"


def read_exact_flag(name: str) -> tuple[str, float] | None:
    """Which parameter an `exact_flag` is about, and the exact value; None for any other name.

    >>> read_exact_flag("linear.end_ratio_is_0")
    ('linear.end_ratio', 0.0)
    """
    parameter, is_flag, value = name.rpartition("_is_")
    return (parameter, float(value)) if is_flag else None


def searched_parameters(name: str, domain: Domain) -> dict[str, Range]:
    """The Optuna parameters that `draw_parameter` may ask for, and the range of each."""
    if isinstance(domain, Either):
        return {exact_flag(name, domain): Choice((True, False)), name: domain.otherwise}
    return {name: domain}


def share_of_range(value: float, searched: Float | Integer) -> float:
    """Where a value lies between the ends of its range, from 0 to 1, on the scale that it is searched on.

    A range of one value has it in the middle.

    >>> share_of_range(0.1, Float(0.01, 1.0, log=True))
    0.5
    """
    if searched.low == searched.high:
        return 0.5
    if isinstance(searched, Float) and searched.log:
        return math.log(value / searched.low) / math.log(searched.high / searched.low)
    return (value - searched.low) / (searched.high - searched.low)

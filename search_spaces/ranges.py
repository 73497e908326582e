"""The domains of parameters, as value types; `distributions.py` converts them to Optuna's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search_spaces.errors import InputError, require


@dataclass(frozen=True)
class Float:
    """A number from `low` to `high`, both included. With `log`, the scale is logarithmic and `low` must be above 0."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        require(self.low <= self.high, "low must be at most high", (self.low, self.high))
        require(not self.log or self.low > 0, "low must be above 0 if log is true", self.low)


@dataclass(frozen=True)
class Integer:
    """An integer from `low` to `high`, both included."""

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
"""The domain of one Optuna parameter."""


@dataclass(frozen=True)
class Either:
    """Either exactly `value`, or a number from `otherwise`.

    Optuna sees two parameters: `NAME_is_VALUE` (true or false) and, if it is false, `NAME`.
    """

    value: float
    otherwise: Float


Domain = Range | Either
"""The domain of a family's parameter."""


def draw_parameter(trial: Any, name: str, domain: Domain) -> Any:
    """Suggest the parameter `name` within its domain, from an Optuna trial."""
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
    """A stand-in for an Optuna trial that returns these parameters and ignores the requested range."""

    params: Mapping[str, Any]

    def suggest_float(self, name: str, *_: Any, **__: Any) -> Any:
        """The parameter of this name; raises InputError if it is missing."""
        if name not in self.params:
            raise InputError(f"the parameter {name!r} is missing: {', '.join(self.params)} were given")
        return self.params[name]

    suggest_int = suggest_categorical = suggest_float


def exactly(value: Any, domain: Domain) -> Range:
    """The range that contains only this value, of the same kind as `domain`."""
    match domain:
        case Float() | Either():
            return Float(value, value)
        case Integer():
            return Integer(value, value)
        case Choice():
            return Choice((value,))


def exact_flag(name: str, domain: Either) -> str:
    """The name of the Optuna parameter that selects the exact value of `domain`."""
    return f"{name}_is_{domain.value:g}"


def read_exact_flag(name: str) -> tuple[str, float] | None:
    """(parameter, exact value) of a name made by `exact_flag`; None for any other name.

    >>> read_exact_flag("linear.end_ratio_is_0")
    ('linear.end_ratio', 0.0)
    """
    parameter, is_flag, value = name.rpartition("_is_")
    return (parameter, float(value)) if is_flag else None


def searched_parameters(name: str, domain: Domain) -> dict[str, Range]:
    """The Optuna parameters that `draw_parameter` may suggest, and the range of each."""
    if isinstance(domain, Either):
        return {exact_flag(name, domain): Choice((True, False)), name: domain.otherwise}
    return {name: domain}


def is_fixed(searched: Range) -> bool:
    """Whether the range holds one value."""
    return len(searched.options) == 1 if isinstance(searched, Choice) else searched.low == searched.high


def share_of_range(value: float, searched: Float | Integer) -> float:
    """The position of a value within its range, from 0 (low) to 1 (high), on the scale of the search.

    If the range holds a single value, the result is 0.5.

    >>> share_of_range(0.1, Float(0.01, 1.0, log=True))
    0.5
    """
    if searched.low == searched.high:
        return 0.5
    if isinstance(searched, Float) and searched.log:
        return math.log(value / searched.low) / math.log(searched.high / searched.low)
    return (value - searched.low) / (searched.high - searched.low)

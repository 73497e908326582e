"""Schedules as JSON files: exported from a trial, and read back as parameters that a study tries first.

{"family": "cosine", "peak_lr": 0.1, "parameters": {"warmup_fraction": 0.05, "t_max_fraction": 1.0, "floor_ratio": 0.0}}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from search_spaces import EVERY_FAMILY, Schedule, from_params, requested_domains
from search_spaces.errors import InputError, require, unknown, words_of
from search_spaces.ranges import read_exact_flag, searched_parameters

KEYS = ("family", "peak_lr", "parameters", "weight_decay", "provenance")


def as_written(params: Mapping[str, Any]) -> dict[str, Any]:
    """The schedule of a trial with these parameters, as the content of a file; with its weight decay, if it has one."""
    schedule = from_params(params)
    own = {f"{schedule.family}.{name}": domain for name, domain in schedule.space.items()}
    own |= requested_domains(type(schedule), params)
    searched = [
        name
        for name, domain in {**schedule.shared_space(), **own}.items()
        if searched_parameters(name, domain).keys() & params.keys()
    ]
    names = [name.removeprefix(f"{schedule.family}.") for name in searched]
    return {
        "family": schedule.family,
        "peak_lr": schedule.peak_lr,
        "parameters": {name: getattr(schedule, name) for name in names},
        **({"weight_decay": params["weight_decay"]} if "weight_decay" in params else {}),
    }


def read_file(path: str, usage: str) -> Iterator[tuple[str, Any]]:
    """(name for messages, content) of each schedule in a file; raises InputError if it cannot be read as JSON.

    usage: what the flag takes, for the message.
    """
    try:
        content = json.loads(Path(path).read_text("utf-8-sig"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}. {usage}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path} is not valid JSON ({words_of(error)}): create it with scripts/export.py --format json"
        ) from error
    if not isinstance(content, list):
        yield path, content
        return
    require(bool(content), f"{path} must contain at least one schedule", content)
    for number, written in enumerate(content, start=1):
        yield f"{path}, schedule {number}", written


def as_params(written: Any, where: str, suggest: Callable[[Any], Schedule]) -> dict[str, Any]:
    """The trial parameters from which `suggest` makes this schedule. where: the schedule's name in messages.

    Raises InputError if the content is not a schedule, or lies outside the search space.
    """
    try:
        given = Given.of(written)
        suggest(given)
        given.check_all_taken()
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    return given.params


@dataclass
class Given:
    """A stand-in for an Optuna trial that returns the values of a file if they lie within the search space.

    weight_decay: None if the file has none. taken: the names read so far, as in the file. params: the values returned,
    by Optuna's names. exact: by parameter, the exact value allowed outside its range.
    """

    family: str
    peak_lr: Any
    parameters: Mapping[str, Any]
    weight_decay: Any = None
    taken: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    exact: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, written: Any) -> Given:
        """From the content of a file; raises InputError if it is not a schedule."""
        require(isinstance(written, dict), "a schedule is an object with family, peak_lr and parameters", written)
        for key in written:
            if key not in KEYS:
                raise unknown("key", key, KEYS)
        for key in ("family", "peak_lr"):
            require(key in written, f"a schedule needs the key {key!r}", written)
        family = str(written["family"])
        if family not in EVERY_FAMILY:
            raise unknown("family", family, EVERY_FAMILY)
        parameters = written.get("parameters", {})
        require(isinstance(parameters, dict), "parameters must be an object of names and values", parameters)
        return cls(family, written["peak_lr"], parameters, written.get("weight_decay"))

    def suggest_float(self, name: str, low: float, high: float, log: bool = False) -> float:
        """The number; raises InputError if it is outside the range."""
        value = self.take(name)
        within = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
        exact = f"{self.exact[name]:g} or " if name in self.exact else ""
        require(within, f"{self.key(name)} must be {exact}from {low:g} to {high:g}", value)
        self.params[name] = float(value)
        return float(value)

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """The integer; raises InputError if it is outside the range."""
        value = self.take(name)
        within = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        require(within, f"{self.key(name)} must be an integer from {low} to {high}", value)
        self.params[name] = value
        return int(value)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """The choice that equals the value in the file; for an `exact_flag`, whether the file gives the exact value."""
        exact = read_exact_flag(name)
        if exact:
            parameter, self.exact[parameter] = exact
            value = self.take(parameter) == self.exact[parameter]
        else:
            value = self.take(name)
        same = [c for c in choices if c == value and isinstance(c, bool) == isinstance(value, bool)]
        if not same and name == "family":
            raise InputError(f"family {value!r} is not searched here: add it to --families")
        listed = ", ".join(json.dumps(choice) for choice in choices)
        require(bool(same), f"{self.key(name)} must be one of {listed}", value)
        self.params[name] = same[0]
        return same[0]

    def key(self, name: str) -> str:
        """The name in the file of the parameter that Optuna calls `name`."""
        return name.removeprefix(f"{self.family}.")

    def take(self, name: str) -> Any:
        """The value of this name in the file; raises InputError if it is missing."""
        if name in ("family", "peak_lr", "weight_decay"):
            return getattr(self, name)
        key = self.key(name)
        if key not in self.parameters:
            raise InputError(f"{self.family} needs the parameter {key!r}")
        self.taken.append(key)
        return self.parameters[key]

    def check_all_taken(self) -> None:
        """Raise InputError for a parameter in the file that the schedule did not use."""
        if self.weight_decay is not None and "weight_decay" not in self.params:
            raise InputError(
                "weight_decay is not searched here: add --search weight_decay, which your own training does not take, "
                "or give a JSON file without it"
            )
        for key in self.parameters:
            if key not in self.taken:
                valid = ", ".join(dict.fromkeys(self.taken)) or "none"
                raise InputError(f"{self.family} does not take the parameter {key!r} here. Valid: {valid}")

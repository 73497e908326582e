"""A search space as a TOML file: which families are searched, and over which ranges.

families = ["cosine", "wsd"]                              # default: all
peak_lr = { low = 0.01, high = 1.0, log = true }          # default: the range of the optimizer
warmup_fraction = 0.05                                    # a single value is fixed, not searched

[cosine]
floor_ratio = { low = 0.01, high = 0.3, log = true, or_exactly = 0.0 }

[wsd]
shape = ["linear", "1-sqrt"]                              # a choice

Parameters that a file does not mention keep their range; those on request, such as the floor of `wsd`, their value. A
range of `weight_decay`, which belongs to no schedule, adds it to the search. The files in presets/ can be given by bare
name.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from search_spaces import EVERY_FAMILY, FAMILIES, SGD_PEAK_LR, Ranges, check_families, domains_of, space, suggest
from search_spaces.errors import InputError, require, unknown, words_of
from search_spaces.ranges import (
    Choice,
    Domain,
    Either,
    FixedParameters,
    Float,
    Integer,
    Range,
    exactly,
    searched_parameters,
)
from search_spaces.usual_weight_decay import USUAL

RANGE_KEYS = ("low", "high", "log", "or_exactly")
BESIDES: Ranges = {"weight_decay": Float(*USUAL["SGD"], log=True)}
"""What can be searched besides the schedule, and its range for SGD; the usual one depends on the optimizer."""


class SpaceFile(NamedTuple):
    """The content of a file: the families to search, and the domains that replace their own."""

    families: tuple[str, ...]
    ranges: Ranges


def read_space(name: str) -> SpaceFile:
    """The search space of a preset or a file; raises InputError, naming the file and the key, if it is invalid."""
    try:
        text = presets().get(name) or Path(name).read_text("utf-8-sig")  # Notepad begins a file with a byte order mark
        values = tomllib.loads(text)
    except FileNotFoundError as error:
        raise unknown("space", name, [*presets(), "a FILE.toml"]) from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"the space {name} is not valid TOML ({words_of(error)})") from error
    families = values.pop("families", list(FAMILIES))
    if not (isinstance(families, list) and all(isinstance(family, str) for family in families)):
        raise InputError(f'{name}: families must be a list such as ["cosine", "wsd"], but {families!r} was given')
    try:
        families = check_families(families)
    except InputError as error:
        raise InputError(f"{name}: families: {error}") from error
    ranges = read_ranges(name, values, families)
    for family in families:
        for schedule in corners(family, SGD_PEAK_LR, ranges):
            if isinstance(schedule, InputError):
                raise InputError(f"{name}: [{family}]: {schedule}")
    for besides in ranges.keys() & BESIDES.keys():
        lowest = min(ends_of(searched_parameters(besides, ranges[besides])[besides]))
        require(lowest >= 0, f"{name}: {besides} must be at least 0", lowest)
    return SpaceFile(tuple(families), ranges)


def presets() -> dict[str, str]:
    """The text of each preset, by bare name."""
    found = {entry.name: entry for entry in (files("search_spaces") / "presets").iterdir()}
    return {name.removesuffix(".toml"): found[name].read_text() for name in sorted(found) if name.endswith(".toml")}


def read_ranges(name: str, values: Mapping[str, Any], families: Iterable[str]) -> dict[str, Domain]:
    """The domains in a file, by full parameter name."""
    usual: dict[str, Domain] = {**BESIDES}
    for family in families:
        usual |= domains_of(EVERY_FAMILY[family], SGD_PEAK_LR)
        usual |= {f"{family}.{name}": domain for name, domain in EVERY_FAMILY[family].on_request.items()}
    found: dict[str, Domain] = {}
    for key, value in values.items():
        inner = [full.removeprefix(f"{key}.") for full in usual if full.startswith(f"{key}.")]
        if key in usual and "." not in key:
            found[key] = read_domain(f"{name}: {key}", value, usual[key])
        elif inner:
            require(isinstance(value, dict), f"{name}: {key} must be a table, [{key}] followed by its keys", value)
            for parameter, given in value.items():
                if parameter not in inner:
                    raise unknown("key", parameter, inner, f"[{key}] of {name}")
                full = f"{key}.{parameter}"
                found[full] = read_domain(f"{name}: [{key}] {parameter}", given, usual[full])
        elif key in EVERY_FAMILY and key not in families:
            raise InputError(
                f"{name}: [{key}] is given, but families does not list {key}: add it to families, or remove [{key}]"
            )
        else:
            raise unknown("key", key, ["families", *dict.fromkeys(full.split(".")[0] for full in usual)], name)
    return found


def read_domain(where: str, value: Any, usual: Domain) -> Domain:
    """The domain that a value in the file stands for. where: file and key. usual: the parameter's default domain."""
    if isinstance(value, list):
        require(bool(value), f"{where} must list at least one choice", value)
        return Choice(tuple(checked(where, choice, usual) for choice in value))
    if not isinstance(value, dict):
        return exactly(checked(where, value, usual), usual)
    for key in value:
        if key not in RANGE_KEYS:
            raise unknown("key", key, RANGE_KEYS, where)
    if isinstance(usual, Choice):
        raise InputError(f"{where} is a choice, not a range: give one or several of {list(usual.options)}")
    require({"low", "high"} <= set(value), f"{where} needs low and high", value)
    low, high = (checked(f"{where}.{end}", value[end], usual) for end in ("low", "high"))
    require(low <= high, f"{where}: low must be at most high", (low, high))
    numbers = usual.otherwise if isinstance(usual, Either) else usual
    log = value.get("log", getattr(numbers, "log", False))
    require(isinstance(log, bool), f"{where}.log must be true or false", log)
    require(not log or isinstance(numbers, Float), f"{where} is an integer: remove log", log)
    if log and low <= 0:
        from_0 = "; give log = false for a range from 0" if usual in BESIDES.values() and "log" not in value else ""
        raise InputError(f"{where}: low must be above 0 if log is true, but {low} was given{from_0}")
    if isinstance(numbers, Integer):
        inside: Float | Integer = Integer(int(low), int(high))
    else:
        inside = Float(low, high, log=log and low < high)
    if "or_exactly" not in value:
        return inside
    if not (isinstance(usual, Either) and isinstance(inside, Float)):
        raise InputError(f"{where} has no exact value besides its range: remove or_exactly")
    require(value["or_exactly"] == usual.value, f"{where}.or_exactly must be {usual.value:g}", value["or_exactly"])
    return Either(usual.value, inside)


def checked(where: str, value: Any, usual: Domain) -> Any:
    """The value, with integers converted if floats are expected; raises InputError if its type does not fit."""
    match usual:
        case Float() | Either():
            fits = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
            require(fits, f"{where} must be a finite number", value)
            return float(value)
        case Integer():
            require(isinstance(value, int) and not isinstance(value, bool), f"{where} must be an integer", value)
            return value
    kind = type(usual.options[0])
    whole = kind is float and type(value) is int and abs(value) <= sys.float_info.max
    value = float(value) if whole else value
    allowed = list(usual.options) if kind is not float else f"numbers such as {list(usual.options)}"
    require(type(value) is kind, f"{where} must be among {allowed}", value)
    return value


def corners(family: str, peak_lr: tuple[float, float], ranges: Ranges) -> Iterable[Any]:
    """The schedules at all combinations of a family's range ends; an InputError in place of each invalid one."""
    ends = {name: ends_of(found) for name, found in space([family], peak_lr, ranges).items()}
    for values in product(*ends.values()):
        try:
            yield suggest(FixedParameters(dict(zip(ends, values, strict=True))), [family], peak_lr, ranges)
        except InputError as error:
            yield error


def ends_of(searched: Range) -> tuple[Any, ...]:
    """The lowest and the highest value of a range, or all options of a choice."""
    if isinstance(searched, Choice):
        return searched.options
    return tuple(dict.fromkeys((searched.low, searched.high)))


def space_toml(families: Iterable[str], peak_lr: tuple[float, float], ranges: Ranges) -> str:
    """A search space as TOML that `read_space` reads back as the same space."""
    lines = [f"families = {json.dumps(list(families))}"]
    own: list[str] = []
    for family in families:
        domains = domains_of(EVERY_FAMILY[family], peak_lr, ranges)
        shared = [f"{name} = {domain_toml(domain)}" for name, domain in domains.items() if "." not in name]
        shared += [f"{name} = {domain_toml(ranges[name])}" for name in BESIDES if name in ranges]
        lines += [line for line in shared if line not in lines]
        inner = [f"{n.partition('.')[2]} = {domain_toml(domain)}" for n, domain in domains.items() if "." in n]
        own += ["", f"[{family}]", *inner] if inner else []
    return "\n".join([*lines, *own]) + "\n"


def domain_toml(domain: Domain) -> str:
    """A domain as a TOML value."""
    match domain:
        case Either(value, otherwise):
            low, high = otherwise.low, otherwise.high
            return f"{{ low = {low!r}, high = {high!r}, log = {json.dumps(otherwise.log)}, or_exactly = {value!r} }}"
        case Choice():
            choices = [json.dumps(choice) for choice in domain.options]
            return choices[0] if len(choices) == 1 else f"[{', '.join(choices)}]"
    if domain.low == domain.high:
        return repr(domain.low)
    log = "" if isinstance(domain, Integer) else f", log = {json.dumps(domain.log)}"
    return f"{{ low = {domain.low!r}, high = {domain.high!r}{log} }}"

"""Options given as Python arguments, with the names and messages of the flags."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import wraps
from typing import Any, ParamSpec, TypeVar, get_args, get_origin, get_type_hints

from search_spaces.errors import InputError, require, unknown

P = ParamSpec("P")
T = TypeVar("T")


def options_of(values: Mapping[str, Any], *kinds: type[Any]) -> list[Any]:
    """One instance of each kind of options, from the values named after its fields.

    Raises InputError for an unknown name or a value of the wrong type.
    """
    types = {name: hint for kind in kinds for name, hint in get_type_hints(kind).items()}
    names = [field.name for kind in kinds for field in fields(kind)]
    given = {}
    for name, value in values.items():
        if name not in names:
            raise unknown("option", name, names)
        given[name] = tuple(value) if isinstance(value, list) else value
        wanted = str(types[name]).removeprefix("<class '").removesuffix("'>")
        require(fits(given[name], types[name]), f"{name} must be {wanted}", value)
    return [kind(**{f.name: given[f.name] for f in fields(kind) if f.name in given}) for kind in kinds]


def naming_arguments(function: Callable[P, T]) -> Callable[P, T]:
    """A function whose errors name its arguments, not the flags of the same names."""

    @wraps(function)
    def call(*args: P.args, **options: P.kwargs) -> T:
        try:
            return function(*args, **options)
        except InputError as error:
            raise InputError(as_arguments(str(error))) from error

    return call


def as_arguments(message: str) -> str:
    """A message about flags, for who gave them as arguments. Commands in it and output below it stay as they are.

    >>> as_arguments("--least-steps must be at least 1, but 0 was given")
    'least_steps must be at least 1, but 0 was given'
    """
    first, *output = message.split("\n")
    if "scripts/" not in first:
        first = re.sub(r"--([a-z][a-z-]*)", lambda flag: flag[1].replace("-", "_"), first)
    return "\n".join([first, *output])


def fits(value: Any, wanted: Any) -> bool:
    """Whether a value has this type: a plain one, a union, or a tuple of any length. A whole number counts as float."""
    if get_origin(wanted) is tuple:
        return isinstance(value, tuple) and all(fits(one, get_args(wanted)[0]) for one in value)
    if get_args(wanted):
        return any(fits(value, one) for one in get_args(wanted))
    if isinstance(value, bool):
        return wanted is bool
    return isinstance(value, int | float if wanted is float else wanted)

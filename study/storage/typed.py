"""Whether a record holds what its fields promise: what stands in a database may be anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Required, Union, get_args, get_origin, get_type_hints, is_typeddict

from search_spaces.errors import brief


def check_types(record: Any, kind: Any = None) -> None:
    """Raise TypeError, naming the field, if a value within a dataclass or a named tuple is not of its field's type.

    kind: a TypedDict, whose fields the record, which is a dict, may have; KeyError if a required one is missing.

    A whole number will do for a float, but True for no number. Functions are not looked at.
    """
    if is_typeddict(kind):
        extras = get_type_hints(kind, include_extras=True)
        missing = {name for name, hint in extras.items() if get_origin(hint) is Required} - record.keys()
        if missing:
            raise KeyError(min(missing))
        pairs = [(name, record[name], hint) for name, hint in fields_of(kind).items() if name in record]
    else:
        own: Any = type(record)
        pairs = [(name, getattr(record, name), hint) for name, hint in fields_of(own).items()]
    for name, value, hint in pairs:
        if not is_of(value, hint):
            raise TypeError(f"{name} is {brief(value)}")


@cache
def fields_of(kind: Any) -> Mapping[str, Any]:
    """The fields of a dataclass, a named tuple or a TypedDict with their types."""
    hints = get_type_hints(kind)
    return {one.name: hints[one.name] for one in fields(kind)} if is_dataclass(kind) else hints


def is_of(value: Any, hint: Any) -> bool:
    """Whether the value is of this type, in any depth; raises TypeError if it is a record that is not.

    >>> is_of(1, float), is_of(True, int), is_of((1, None), tuple[int | None, ...]), is_of({"a": 1}, Mapping[str, str])
    (True, False, True, False)
    """
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(is_of(value, one) for one in inner)
    if origin is Literal:
        return any(value is one or (type(value) is type(one) and value == one) for one in inner)
    if origin in (tuple, list):
        if not isinstance(value, tuple if origin is tuple else (list, tuple)):  # a study in memory keeps tuples
            return False
        if origin is tuple and inner[-1:] != (...,):
            return len(value) == len(inner) and all(map(is_of, value, inner))
        return all_fit(value, inner[0])
    if is_typeddict(hint):
        if isinstance(value, dict):
            check_types(value, hint)
        return isinstance(value, dict)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all_fit(value, inner[0]) and all_fit(value.values(), inner[1])
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint is Any or not isinstance(hint, type):  # such as a function
        return True
    if not isinstance(value, hint):
        return False
    if is_dataclass(hint) or hasattr(hint, "_fields"):
        check_types(value)
    return True


QUICK: Mapping[Any, set[type]] = {float: {float, int}, float | None: {float, int, NoneType}, int: {int}, str: {str}}
"""Types of which a long column can be looked at at once."""


def all_fit(values: Any, hint: Any) -> bool:
    """Whether all values are of this type."""
    if hint is Any or (hint in QUICK and set(map(type, values)) <= QUICK[hint]):
        return True
    return all(is_of(value, hint) for value in values)


def as_tuple(value: Any) -> tuple[Any, ...]:
    """A stored list; raises TypeError for anything else that Python would take for one, such as text."""
    if not isinstance(value, list | tuple):
        raise TypeError(f"{brief(value)} is no list")
    return tuple(value)

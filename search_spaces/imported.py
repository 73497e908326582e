"""Attributes that are imported when they are first read, so that describing a schedule does not import torch."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Imported:
    """A class attribute that resolves to the class or function at `package.module:name`.

    >>> class Circle:
    ...     pi = Imported("math:pi")
    >>> Circle.pi, Circle().pi
    (3.141592653589793, 3.141592653589793)
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return import_named(self.path)


def import_named(path: str) -> Any:
    """Import the object at `package.module:name`."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)

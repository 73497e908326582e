"""Flags: the fields of documented dataclasses. flag_parser.py reads them from a command line.

A field's docstring is its help, its default is shown after it, unless the docstring itself says what the default is.
A field that is a dataclass is a group of flags, under the field's name.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

Device = Literal["auto", "cpu", "cuda"]
"""What `--device` takes."""


@dataclass(frozen=True)
class Shown:
    """How --help shows a flag, as in `Annotated[int, Shown("rarely needed")]`.

    group: the heading that it stands under. metavar: what stands for its value.
    """

    group: str | None = None
    metavar: str | None = None


OPTIONS = "options"
"""The group that comes first: what a command's own fields, and those that it calls common, stand in."""
RARE = Shown("rarely needed")
"""Marks a flag that most users never need; these come last."""


@dataclass(frozen=True)
class Flag:
    """One flag.

    path: the names of the nested fields that lead to its value. default: MISSING if it must be given. about: the
    docstring of the field.
    """

    path: tuple[str, ...]
    type: Any
    default: Any
    about: str
    group: str
    metavar: str

    @property
    def name(self) -> str:
        """As it is typed, without the `_` behind a word of Python. A switch that is on is typed to turn it off."""
        name = self.path[-1].rstrip("_").replace("_", "-")
        return f"--no-{name}" if self.is_switch and self.default else f"--{name}"

    @property
    def is_switch(self) -> bool:
        """Whether it takes no value."""
        return self.type is bool

    @property
    def takes_several(self) -> bool:
        """Whether it takes any number of values."""
        return get_origin(self.type) is tuple

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is MISSING

    @property
    def usage(self) -> str:
        """What follows the name."""
        if self.is_switch:
            return ""
        return f"[{self.metavar} ...]" if self.takes_several else self.metavar

    @property
    def shown_default(self) -> str:
        """The default as one would type it; empty if it has none."""
        if self.default in (MISSING, None, ()) or self.is_switch:
            return ""
        values = self.default if self.takes_several else [self.default]
        home = str(Path.home())
        return " ".join(re.sub(f"^{re.escape(home)}(?=/)", "~", str(value)) for value in values)

    @property
    def meaning(self) -> str:
        """What it does."""
        return f"Turn off: {self.about}" if self.is_switch and self.default else self.about

    @property
    def help(self) -> str:
        """What it does, then its default."""
        if self.required:
            return f"{self.meaning} (required)"
        if not self.shown_default or "default" in self.about.lower():
            return self.meaning
        return f"{self.meaning} (default: {self.shown_default})"


def flags_of(options: type, defaults: Any = None, group: str = OPTIONS, path: tuple[str, ...] = ()) -> Iterator[Flag]:
    """The flags of a dataclass, in the order of its fields. defaults: an instance whose values are the defaults."""
    hints, documented = get_type_hints(options, include_extras=True), docs(options)
    for field in fields(options):
        if not field.init:
            continue
        shown = Shown()
        kind = hints[field.name]
        if get_origin(kind) is Annotated:
            kind, shown = get_args(kind)[:2]
        default = getattr(defaults, field.name, field.default)
        where = (*path, field.name)
        if is_dataclass(kind):
            nested = flags_of(kind, None if default is MISSING else default, field.name, where)  # type: ignore[arg-type]
            yield from nested
        else:
            kind = without_none(kind)
            metavar = shown.metavar or METAVARS.get(item_type(kind), "NAME")
            yield Flag(where, kind, default, documented.get(field.name, ""), shown.group or group, metavar)


METAVARS = {int: "N", float: "X", Path: "PATH"}
"""What stands for a value in help, by its type."""


def grouped(options: type) -> dict[str, list[Flag]]:
    """The flags as --help lists them, by the title of their group: common ones first, the rarely needed last.

    The names in `options.common` stand in the first group, in that order, wherever their fields are.
    """
    flags = list(flags_of(options))
    common: Sequence[str] = getattr(options, "common", [flag.path[-1] for flag in flags if flag.group == OPTIONS])
    by_name = {flag.path[-1]: flag for flag in flags}
    groups: dict[str, list[Flag]] = {OPTIONS: [by_name[name] for name in common]}
    for flag in flags:
        if flag.path[-1] not in common:
            groups.setdefault(flag.group, []).append(flag)
    rare = groups.pop(str(RARE.group), [])
    return groups | ({str(RARE.group): rare} if rare else {})


@cache
def docs(options: type) -> dict[str, str]:
    """The docstring of each field, on one line: the text below it in the source of the class."""
    found = {}
    for kind in reversed(options.__mro__):
        if is_dataclass(kind):
            try:
                body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
            except OSError:  # a class that was made at run time, of others
                continue
            assert isinstance(body, ast.ClassDef)
            for statement, below in pairwise(body.body):
                match statement, below:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                        found[name] = " ".join(text.split())
    return found


def without_none(kind: Any) -> Any:
    """The type without None: that is the absence of the flag."""
    others = [one for one in get_args(kind) if one is not type(None)]
    return others[0] if type(None) in get_args(kind) else kind


def item_type(kind: Any) -> Any:
    """The type of one value of a flag."""
    return get_args(kind)[0] if get_origin(kind) is tuple else kind

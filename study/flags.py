"""Flags: the fields of documented dataclasses, as a command line. Nothing heavy is loaded to read them, or for --help.

A field's docstring is its help, its default is shown after it, unless the docstring itself says what the default is.
A field that is a dataclass is a group of flags, under the field's name.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from difflib import get_close_matches
from itertools import groupby, pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from search_spaces.errors import InputError, unknown

T = TypeVar("T")

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
    """One flag. path: the names of the nested fields that lead to its value. default: MISSING if it must be given."""

    path: tuple[str, ...]
    type: Any
    default: Any
    about: str
    group: str
    metavar: str

    @property
    def name(self) -> str:
        """As it is typed. A switch that is on by default is typed to turn it off."""
        name = self.path[-1].replace("_", "-")
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
        """The default as one would type it; empty if there is none to show."""
        if self.default in (MISSING, None, ()) or self.is_switch:
            return ""
        values = self.default if self.takes_several else [self.default]
        home = str(Path.home())
        return " ".join(re.sub(f"^{re.escape(home)}(?=/)", "~", str(value)) for value in values)

    @property
    def help(self) -> str:
        """What it means, then its default."""
        if self.required:
            return f"{self.about} (required)"
        if not self.shown_default or "default" in self.about.lower():
            return self.about
        return f"{self.about} (default: {self.shown_default})"


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


def read_flags(options: type[T], words: Sequence[str], prog: str, description: str) -> T:
    """The options that these words give; `--help` prints help, and exits.

    Raises InputError for an unknown flag, a missing one, and a value of another type.
    """
    parser = parser_of(options, prog, description)
    given, rest = parser.parse_known_args([typed(word) for word in words])
    flags = list(flags_of(options))
    if rest:
        raise not_understood(rest[0], [flag.name for flag in flags], prog)
    missing = [flag.name for flag in flags if flag.required and not hasattr(given, flag.name)]
    if missing:
        raise InputError(f"{' and '.join(missing)} must be given. All flags: {prog} --help")
    values = {flag.path: read_value(flag, getattr(given, flag.name)) for flag in flags if hasattr(given, flag.name)}
    return build(options, values)


def typed(word: str) -> str:
    """A word with hyphens in the name of its flag: --trials_per_batch is --trials-per-batch."""
    name, equals, value = word.partition("=")
    return f"{name.replace('_', '-')}{equals}{value}" if word.startswith("--") else word


def not_understood(word: str, names: Sequence[str], prog: str) -> InputError:
    """The error for a word that is no flag, nor the value of one."""
    if not word.startswith("-"):
        return InputError(f"unexpected {word!r}: it follows no flag. All flags: {prog} --help")
    nearest = get_close_matches(word.partition("=")[0], names, n=1)
    hint = f": did you mean {nearest[0]}?" if nearest else "."
    return InputError(f"unknown flag {word}{hint} All flags: {prog} --help")


def read_value(flag: Flag, given: Any) -> Any:
    """The value that was typed, as the type of the flag; raises InputError if it is of another."""
    if flag.is_switch:
        return given
    if flag.takes_several:
        return tuple(converted(flag, item_type(flag.type), text) for text in given)
    return converted(flag, flag.type, given)


def converted(flag: Flag, kind: Any, text: str) -> Any:
    """One value."""
    if get_origin(kind) is Literal:
        if text not in get_args(kind):
            raise unknown(flag.path[-1], text, get_args(kind))
        return text
    try:
        return kind(text)
    except ValueError as error:
        wanted = "a whole number" if kind is int else "a number"
        raise InputError(f"{flag.name} must be {wanted}, but {text!r} was given") from error


def build(options: type[T], values: dict[tuple[str, ...], Any], defaults: Any = None, path: tuple[str, ...] = ()) -> T:
    """The instance of a dataclass with these values, by their path, and defaults for the others."""
    arguments, hints = {}, get_type_hints(options)
    for field in fields(options):  # type: ignore[arg-type]
        where, default = (*path, field.name), getattr(defaults, field.name, field.default)
        if is_dataclass(kind := hints[field.name]):
            arguments[field.name] = build(kind, values, None if default is MISSING else default, where)  # type: ignore[arg-type]
        elif field.init and (where in values or default is not MISSING):
            arguments[field.name] = values.get(where, default)
    return options(**arguments)


class Parser(argparse.ArgumentParser):
    """Reports a mistake as an InputError, in place of the usage and an exit."""

    def error(self, message: str) -> Any:
        """Raise it."""
        raise InputError(f"{message.removeprefix('argument ')}. All flags: {self.prog} --help")


def parser_of(options: type, prog: str, description: str) -> Parser:
    """The parser, with its flags in their groups."""
    columns, groups = shutil.get_terminal_size().columns, grouped(options)
    longest = max(len(f"{flag.name} {flag.usage}") for flags in groups.values() for flag in flags)
    help_width = columns - min(longest + 4, 24) - 2  # as argparse places the help
    parser = Parser(
        prog=prog,
        usage=f"{prog} [options]",
        description=wrapped(description, columns - 2),
        add_help=False,
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("-h", "--help", action="help", help=filled("Show this help and exit.", help_width))
    for title, flags in groups.items():
        group = parser if title == OPTIONS else parser.add_argument_group(title)
        for flag in flags:
            about = filled(flag.help, help_width).replace("%", "%%")
            if flag.is_switch:
                group.add_argument(flag.name, dest=flag.name, help=about, action="store_const", const=not flag.default)
            else:
                several = "*" if flag.takes_several else None
                group.add_argument(flag.name, dest=flag.name, help=about, metavar=flag.metavar, nargs=several)
    return parser


def wrapped(text: str, width: int) -> str:
    """Paragraphs wrapped to the width; indented lines, such as commands and formulas, stay as they are."""
    parts = []
    for kept, group in groupby(text.strip().splitlines(), lambda line: line.startswith(" ") or not line):
        lines = list(group)
        parts += lines if kept else [filled(" ".join(lines), width)]
    return "\n".join(parts)


def filled(text: str, width: int) -> str:
    """One paragraph, whose words, flags and names stay whole."""
    return textwrap.fill(text, max(width, 20), break_on_hyphens=False, break_long_words=False)

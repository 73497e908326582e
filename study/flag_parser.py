"""Reads flags from a command line with argparse, and prints --help. Nothing heavy is loaded for either."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from itertools import groupby
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from search_spaces.errors import InputError, require_text, unknown
from study.flags import OPTIONS, Flag, flags_of, grouped, item_type

T = TypeVar("T")


def read_flags(options: type[T], words: Sequence[str], prog: str, description: str) -> T:
    """The options that these words give; `--help` prints help, and exits.

    Raises InputError for an unknown flag, a missing one, and a value of another type.
    """
    for word in words:
        require_text(word)
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
    nearest = get_close_matches(word.partition("=")[0].lstrip("-"), [name.lstrip("-") for name in names], n=1)
    hint = f": did you mean --{nearest[0]}?" if nearest else "."
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

"""Numbers as people write them in tables: $1,234.50, 52.3 %, 1.234,5, 12 kg, (300), and - for no number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

NEARLY_ALL = 0.95
"""Fraction of a column's cells that must be numbers for it to be a column of numbers."""
PLACEHOLDERS = frozenset(
    {
        "-",
        "--",
        "---",
        "\u2013",
        "\u2014",
        "?",
        ".",
        "..",
        "*",
        "na",
        "n/a",
        "#n/a",
        "n.a.",
        "nd",
        "n.d.",
        "nan",
        "-nan",
    }
    | {"<na>", "nil", "none", "null", "missing", "unknown", "tbd", "#value!", "#div/0!", "#ref!"}
)
"""What stands in a column of numbers for an empty cell, in any case."""
CURRENCY = r"[$\u00a2-\u00a5\u20a0-\u20cf]|USD|EUR|GBP|JPY|CNY|INR|CHF|Rs\.?"
CELL = re.compile(
    rf"(?P<sign>[-+\u2212(]?)\s*(?P<before>(?:{CURRENCY})?)\s*(?P<minus>[-\u2212]?)"
    rf"(?P<body>[\d.,](?:[\d.,'\u2019\u00a0\u202f ]*[\d.,])?(?:[eE][-+]?\d+)?)"
    rf"\s*(?P<after>(?:%|\u2030|{CURRENCY}|[^\W\d_][^\W\d_\u00b7/.]{{0,9}}[\u00b2\u00b3]?|\u00b0[CF]?)?)\s*(?P<close>\)?)"
)
"""A number with what may stand around it: a currency, a percent sign, a unit."""


class Style(NamedTuple):
    """How digits are separated. thousands: characters in a regular expression's set."""

    name: str
    thousands: str
    decimal: str


STYLES = (
    Style("", "", "."),
    Style("thousands separated by ,", ",", "."),
    Style("decimal commas", ".'\u2019\u00a0\u202f ", ","),
    Style("thousands separated by spaces", "'\u2019\u00a0\u202f ", "."),
)


@dataclass(frozen=True)
class NumberCells:
    """The distinct cells of a column, read as numbers.

    values: by cell. placeholders, odd: how often each cell occurs that is not a number: one that stands for an empty
    cell, and any other. form: what was removed or replaced, for people; empty if the cells were bare numbers.
    """

    values: Mapping[str, float]
    placeholders: Mapping[str, int]
    odd: Mapping[str, int]
    form: str

    @property
    def unread(self) -> dict[str, int]:
        """How often each cell occurs that is not a number."""
        return {**self.placeholders, **self.odd}


def number_cells(counts: Mapping[str, int], decimal_commas: bool = False) -> NumberCells | None:
    """The cells as numbers; None unless nearly all are, apart from placeholders, with one currency or unit.

    counts: how often each distinct cell occurs, stripped. decimal_commas: how 1,234 is read if nothing else decides.

    >>> number_cells({"$1,200": 1, "$7": 3, "-": 1})
    NumberCells(values={'$1,200': 1200.0, '$7': 7.0}, placeholders={'-': 1}, odd={}, form='$, thousands separated by ,')
    >>> number_cells({"a": 1, "7": 3})
    """
    placeholders = {cell: count for cell, count in counts.items() if cell.lower() in PLACEHOLDERS}
    matched = {cell: CELL.fullmatch(cell) for cell in counts if cell not in placeholders}
    around = Counter[tuple[str, str]]()
    for cell, match in matched.items():
        if match:
            around[match["before"], match["after"]] += counts[cell]
    if not around:
        return None
    usual = around.most_common(1)[0][0]
    bodies = {cell: match for cell, match in matched.items() if match and (match["before"], match["after"]) == usual}
    styles = sorted(STYLES, key=lambda style: style.decimal == ("." if decimal_commas else ","))
    read = {
        style: {cell: v for cell, match in bodies.items() if (v := value(match, style)) is not None} for style in styles
    }
    best = max(styles, key=lambda style: sum(counts[cell] for cell in read[style]))
    values = read[best]
    odd = {cell: count for cell, count in counts.items() if cell not in values and cell not in placeholders}
    numbers = sum(counts[cell] for cell in values)
    if not values or numbers < NEARLY_ALL * (numbers + sum(odd.values())):
        return None
    return NumberCells(values, placeholders, odd, ", ".join(filter(None, [*usual, best.name])))


def value(match: re.Match[str], style: Style) -> float | None:
    """The number, None if its digits are not separated in this style or it begins like a code, as 007 does."""
    body, decimal = match["body"], re.escape(style.decimal)
    grouped = rf"|\d{{1,3}}(?:[{style.thousands}]\d{{3}})+" if style.thousands else ""
    if not re.fullmatch(rf"(?:\d+{grouped})?(?:{decimal}\d*)?(?:[eE][-+]?\d+)?", body) or not re.search(r"\d", body):
        return None
    if re.match(r"0\d", body) or (match["sign"] == "(") != bool(match["close"]):
        return None
    bare = re.sub(f"[{style.thousands}]", "", body) if style.thousands else body
    negative = match["sign"] in ("-", "\u2212", "(") or bool(match["minus"])
    return (-1 if negative else 1) * float(bare.replace(style.decimal, "."))

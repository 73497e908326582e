"""The parameters of trials as points, with one coordinate for each parameter, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces.ranges import Choice, Float, Integer, Range, share_of_range

Points = NDArray[np.float64]
"""Shape (points, coordinates)."""


@dataclass(frozen=True)
class Coordinates:
    """The coordinates of searched parameters: of a number its share of the range, on the scale of the search; of a
    choice the position of the option.
    """

    ranges: Mapping[str, Range]

    def points(self, params: Sequence[Mapping[str, Any]]) -> Points:
        """The points of these parameters; others than those of the ranges are ignored."""
        return np.array([[coordinate(one[name], searched) for name, searched in self.ranges.items()] for one in params])

    def params(self, point: NDArray[np.float64]) -> dict[str, Any]:
        """The parameters at a point."""
        return {name: value_at(x, one) for (name, one), x in zip(self.ranges.items(), point.tolist(), strict=True)}

    def drawn(self, number: int, rng: np.random.Generator) -> Points:
        """Random points; all values of a parameter are equally likely."""
        return np.column_stack([drawn_in(searched, number, rng) for searched in self.ranges.values()])

    def columns(self, points: Points) -> Points:
        """The points as a kernel measures distances: an option has a column, so any two options are 1 apart."""
        columns = []
        for place, searched in enumerate(self.ranges.values()):
            column = points[:, [place]]
            if isinstance(searched, Choice):
                column = (column == np.arange(len(searched.options))) / np.sqrt(2)
            columns.append(column)
        return np.concatenate(columns, axis=1)

    @property
    def parameter_of_column(self) -> list[int]:
        """The position of the parameter that each column belongs to."""
        widths = [len(one.options) if isinstance(one, Choice) else 1 for one in self.ranges.values()]
        return np.repeat(np.arange(len(widths)), widths).tolist()


def coordinate(value: Any, searched: Range) -> float:
    """The coordinate of a value in its range."""
    return float(searched.options.index(value)) if isinstance(searched, Choice) else share_of_range(value, searched)


def value_at(x: float, searched: Range) -> Any:
    """The value at a coordinate of its range."""
    match searched:
        case Choice(options):
            return options[int(x)]
        case Integer(low, high):
            return low + round(x * (high - low))
        case Float(low, high, log=True):
            return min(max(low * (high / low) ** x, low), high)
        case Float(low, high):
            return min(max(low + x * (high - low), low), high)


def drawn_in(searched: Range, number: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Random coordinates of values in this range."""
    match searched:
        case Choice(options):
            return rng.integers(len(options), size=number).astype(float)
        case Integer(low, high):
            return rng.integers(high - low, size=number, endpoint=True) / max(high - low, 1)
        case Float():
            return rng.random(number)

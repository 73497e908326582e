"""Measure: what runs are evaluated by, and how its values are written; shares of rows are written in percent."""

from __future__ import annotations

import math
from typing import NamedTuple

from study.analysis.statistics import Interval
from study.objective import FRACTION_OF_ROWS
from study.storage.study_record import StudyRecord


class Measure(NamedTuple):
    """What runs are evaluated by, such as `test_error`, in its unit; maximize: whether a higher value is better.

    unit: empty if it is not known.
    """

    name: str
    unit: str
    maximize: bool = False

    @property
    def scale(self) -> int:
        """What a value is multiplied by to be shown: 100 if it is a share of rows."""
        return 100 if self.unit == FRACTION_OF_ROWS else 1

    @property
    def shown_unit(self) -> str:
        """The unit of what is shown."""
        return "%" if self.scale == 100 else self.unit

    @property
    def axis(self) -> str:
        """For an axis."""
        return f"{self.name} ({self.shown_unit})" if self.unit else self.name

    def badness(self, value: float) -> float:
        """A number that is lower for a better value; infinite if the value is not finite."""
        return math.inf if not math.isfinite(value) else -value if self.maximize else value

    def number(self, value: float, sign: str = "") -> str:
        """The value as it is shown, without its unit. sign: `+` writes a plus too, for differences.

        >>> Measure("test_error", FRACTION_OF_ROWS).number(0.28375), Measure("test_rmse", "mm").number(0.28375)
        ('28.4', '0.2838')
        """
        return f"{self.scale * value:{sign}{self.digits(value)}}"

    def interval(self, interval: Interval, sign: str = "") -> str:
        """A mean with its interval, written as `number` writes the mean."""
        mean, low, high, n = interval
        scaled = Interval(self.scale * mean, self.scale * low, self.scale * high, n)
        return f"{scaled:{sign}{self.digits(mean)}}"

    def text(self, value: float) -> str:
        """The value with its unit, for a sentence.

        >>> Measure("test_error", FRACTION_OF_ROWS).text(0.0173), Measure("test_rmse", "mm").text(20)
        ('1.73 %', '20 mm')
        """
        return f"{self.number(value)} {self.shown_unit}".rstrip()

    def digits(self, value: float) -> str:
        """The format of a number: one decimal of a percentage from 10 % up, two below; four digits otherwise."""
        if self.scale == 1:
            return ".4g"
        return ".1f" if abs(value) >= 0.1 else ".2f"


def validation_measure(study: StudyRecord) -> Measure:
    """What the study's trials are evaluated by."""
    return Measure(study.value_name, study.metric.unit, study.metric.direction == "maximize")


def confirmed_measure(study: StudyRecord) -> Measure:
    """What the study's schedule is evaluated by when it is confirmed."""
    return Measure(f"test_{study.metric.name}", study.metric.unit, study.metric.direction == "maximize")

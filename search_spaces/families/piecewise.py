import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from search_spaces.errors import require
from search_spaces.imported import Imported
from search_spaces.ranges import Domain, Float, Integer, draw_parameter
from search_spaces.schedule import Schedule

INNER = ("ratio_1", "ratio_2", "ratio_3")
"""The rates at the knots between the first and the last, in order."""


def piecewise(step: int, steps: int, ratios: list[float]) -> float:
    """Learning rate at `step`, as a fraction of the peak. ratios: at each knot."""
    place = step / steps * (len(ratios) - 1)
    knot = min(int(place), len(ratios) - 2)
    return ratios[knot] * math.pow(ratios[knot + 1] / ratios[knot], place - knot)


@dataclass(frozen=True, kw_only=True)
class Piecewise(Schedule):
    """A free shape: knots at evenly spaced places of the body, between which the logarithm of the rate is linear.

    lr(s) = peak_lr * r(k) ** (1 - u) * r(k + 1) ** u

    s is the step within the body (the run without its warm-up), from 0 to N - 1; N is the number of steps of the body.
    k is the knot before s, counted from 0, and u = (knots - 1) * s / N - k is the fraction of the way to the next one.
    r(k) = 1 at the first knot, ratio_1, ratio_2 and ratio_3 at those that follow, and end_ratio at the last.

    The first knot is the peak: a rise to it is the warm-up's. After it the rate may fall, stay or rise again, up to the
    peak.

    Ranges: Naganuma 2026 searched shapes without a family, found warm-up and decay in the best of them, and the common
    families not optimal; the ranges hold the shapes of those families, down to a hundredth of the peak before the end.
    """

    family = "piecewise"
    torch_class = Imported("torch.optim.lr_scheduler:LambdaLR")
    space = {
        "knots": Integer(3, 5),
        **dict.fromkeys(INNER, Float(0.01, 1.0, log=True)),
        "end_ratio": Float(1e-3, 1.0, log=True),
    }

    knots: int = 5
    """Number of knots, from 3 to 5."""
    ratio_1: float = 0.9
    """The learning rate at the second knot as a fraction of the peak, above 0 and at most 1."""
    ratio_2: float = 0.6
    """The same at the third of 4 or 5 knots."""
    ratio_3: float = 0.3
    """The same at the fourth of 5 knots."""
    end_ratio: float = 0.01
    """The final learning rate as a fraction of the peak, above 0 and at most 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(3 <= self.knots <= 5, "knots must be from 3 to 5", self.knots)
        for name in (*INNER, "end_ratio"):
            ratio = getattr(self, name)
            require(0 < ratio <= 1, f"{name} must be above 0, at most 1", ratio)

    @classmethod
    def suggest(cls, trial: Any, domains: Mapping[str, Domain]) -> dict[str, Any]:
        # Ratios of knots that do not exist are not drawn: a trial should not record a parameter that had no effect.
        knots = draw_parameter(trial, "piecewise.knots", domains["piecewise.knots"])
        names = (*INNER[: knots - 2], "end_ratio")
        return {"knots": knots} | {
            name: draw_parameter(trial, f"piecewise.{name}", domains[f"piecewise.{name}"]) for name in names
        }

    def effective(self) -> list[str]:
        return ["knots", *INNER[: self.knots - 2], "end_ratio"]

    def arguments(self, steps: int) -> dict[str, Any]:
        inner = [self.ratio_1, self.ratio_2, self.ratio_3][: self.knots - 2]
        return {"lr_lambda": partial(piecewise, steps=steps, ratios=[1.0, *inner, self.end_ratio])}

    def body(self, steps: int) -> Any:
        ratios = self.arguments(steps)["lr_lambda"].keywords["ratios"]
        place = np.arange(steps) / steps * (len(ratios) - 1)
        return self.peak_lr * np.exp(np.interp(place, range(len(ratios)), [math.log(ratio) for ratio in ratios]))

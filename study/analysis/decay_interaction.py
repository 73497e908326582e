"""How weight decay and the peak of the learning rate interact, in a study that searches both.

A higher peak may need a lower weight decay, or a higher one. The sign is that of the product term of a quadratic fit of
the value on the logarithms of both, over all trials that can be compared: effects that only add up have none. Trials of
the reference are left out, as they have one weight decay. The sampler suggests trials near good ones, and a quadratic
fits only roughly, so the interval is a rough one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from search_spaces.ranges import is_fixed
from study.analysis.comparable import comparable
from study.analysis.statistics import Interval, product_term
from study.storage.study_record import StudyRecord

FEWEST = 20
"""The fewest trials that a quadratic is fitted to."""


@dataclass(frozen=True)
class DecayInteraction:
    """What the trials of a study say.

    better, others: (peak_lr, weight decay) of each trial of the better half, and of the other half, the best first.
    product_term: of the fit, in standard deviations of the value. Above 0 a higher peak goes with a lower weight decay,
    below 0 with a higher one, whether the metric is minimized or maximized. None if the trials are fewer than FEWEST,
    one has a weight decay of 0, or their peaks and weight decays are too few or too dependent for a fit.
    """

    better: tuple[tuple[float, float], ...]
    others: tuple[tuple[float, float], ...]
    product_term: Interval | None

    @classmethod
    def of(cls, study: StudyRecord) -> DecayInteraction | None:
        """Of a study in any state; None if it does not search weight decay."""
        searched = study.settings.space.get("weight_decay")
        if searched is None or is_fixed(searched):
            return None
        own = [pair for pair in comparable(study) if not pair[0].is_reference]
        own.sort(key=lambda pair: (study.metric.sign * pair[1], pair[0].number))
        points = tuple((trial.peak_lr, trial.weight_decay or 0.0) for trial, _ in own)
        half = math.ceil(len(points) / 2)
        return cls(points[:half], points[half:], fitted(points, [study.metric.sign * value for _, value in own]))

    @property
    def products(self) -> list[float]:
        """The lower quartile, the median and the upper quartile of peak_lr times weight decay in the better half."""
        return [float(one) for one in np.quantile([peak * decay for peak, decay in self.better], [0.25, 0.5, 0.75])]


def fitted(points: tuple[tuple[float, float], ...], values: list[float]) -> Interval | None:
    """The product term of (peak_lr, weight decay), if it can be fitted to these values, of which lower is better."""
    if len(points) < FEWEST or any(decay <= 0 for _, decay in points):
        return None
    peaks, decays = np.log(points).T
    return product_term(peaks, decays, values)

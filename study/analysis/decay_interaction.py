"""How weight decay and the peak of the learning rate interact, in a study that searches both.

Among the better half of the trials that can be compared, a higher peak may go with a lower weight decay, or the
reverse: then neither can be tuned alone. Trials of the reference are left out, as they have one weight decay. The
sampler suggests trials near good ones, so they are no independent draws, and the interval is a rough one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from search_spaces.ranges import Choice, Range
from study.analysis.comparable import comparable
from study.analysis.statistics import Interval, rank_correlation
from study.storage.study_record import StudyRecord

FEWEST = 20
"""The fewest trials whose better half is looked at."""


@dataclass(frozen=True)
class DecayInteraction:
    """What the trials of a study say.

    better, others: (peak_lr, weight decay) of each trial of the better half, and of the other half, the best first.
    correlation: of the ranks of peak and weight decay in the better half, from -1 to 1; None if the trials are fewer
    than FEWEST, or the better half has one peak or one weight decay.
    """

    better: tuple[tuple[float, float], ...]
    others: tuple[tuple[float, float], ...]
    correlation: Interval | None

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
        better, others = points[:half], points[half:]
        peaks, decays = [peak for peak, _ in better], [decay for _, decay in better]
        return cls(better, others, rank_correlation(peaks, decays) if len(points) >= FEWEST else None)

    @property
    def products(self) -> list[float]:
        """The lower quartile, the median and the upper quartile of peak_lr times weight decay in the better half."""
        return [float(one) for one in np.quantile([peak * decay for peak, decay in self.better], [0.25, 0.5, 0.75])]


def is_fixed(searched: Range) -> bool:
    """Whether the range holds one value."""
    return len(searched.options) == 1 if isinstance(searched, Choice) else searched.low == searched.high

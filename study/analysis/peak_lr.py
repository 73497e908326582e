"""How sensitive each family is to its peak learning rate: the peaks of the better half of its trials.

Trials are compared at the first budget (comparable.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from study.analysis.comparable import comparable
from study.storage.study_record import StudyRecord

FEWEST_OF_A_FAMILY = 4
"""The fewest trials of a family that a span is computed from."""
SPAN_HEADS = ("family", "trials", "best peak_lr", "lowest", "highest", "spread of the better half", "spread of all")
"""The columns of `span_rows`: the best peak, the ends of the better half, their ratio, the ratio of all."""


class PeakSpan(NamedTuple):
    """The peak_lr of a family's n trials: of the best one, at the ends of the better half, at the ends of all."""

    n: int
    best: float
    low: float
    high: float
    all_low: float
    all_high: float


def peak_spans(study: StudyRecord) -> dict[str, PeakSpan]:
    """The span of peak_lr in the better half of each family's trials, if they are enough, most tried first.

    A wide span means that the family is forgiving, a narrow one that the peak must be tuned carefully, unless the
    sampler tried few other peaks: compare with the ends of all. The half is rounded up; among equal values the earlier
    trial counts as better.
    """
    sign = study.metric.sign
    peaks: dict[str, list[float]] = {}
    for trial, _ in sorted(comparable(study), key=lambda pair: (sign * pair[1], pair[0].number)):
        peaks.setdefault(trial.family, []).append(trial.peak_lr)
    spans = {}
    for family, own in sorted(peaks.items(), key=lambda item: -len(item[1])):
        if len(own) >= FEWEST_OF_A_FAMILY:
            better = own[: math.ceil(len(own) / 2)]
            spans[family] = PeakSpan(len(own), own[0], min(better), max(better), min(own), max(own))
    return spans


def span_rows(spans: Mapping[str, PeakSpan]) -> list[list[str]]:
    """A line for each family under SPAN_HEADS."""
    rows = []
    for family, span in spans.items():
        factors = (span.high / span.low, span.all_high / span.all_low)
        peaks = (f"{peak:.2g}" for peak in (span.best, span.low, span.high))
        rows.append([family, str(span.n), *peaks, *(f"{factor:.{1 if factor < 10 else 0}f}" for factor in factors)])
    return rows

"""Whether averaged weights are better than those at the end of a run."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mean

from study.analysis.answer import recommended
from study.analysis.statistics import Interval, t_interval
from study.storage.study_record import StudyRecord


@dataclass(frozen=True)
class Averaging:
    """What averaging the weights did for the schedule to use, on validation.

    averaged, raw: the metric, a mean over the seeds that confirm the schedule, or over those that chose it, or of the
    one run of the search. gain: how much better averaged weights are, paired by seed; above 0 is better. better_in:
    full runs of the search in which they were better, of `full_runs`.
    """

    averaged: float
    raw: float
    gain: Interval
    better_in: int
    full_runs: int

    @classmethod
    def of(cls, study: StudyRecord) -> Averaging | None:
        """Of a study in any state; None if it does not average, or no full run has ended."""
        chosen, sign = recommended(study), study.metric.sign
        searched = [(one.value, one.raw_value) for one in study.complete if one.raw_value is not None]
        if chosen is None or chosen.raw_value is None:
            return None
        finals = study.finals
        runs = finals.of(chosen.number, finals.seeds or finals.selection_seeds) if finals else []
        pairs = [(run.validation, run.raw) for run in runs if run.raw is not None] or [(chosen.value, chosen.raw_value)]
        return cls(
            averaged=mean(averaged for averaged, _ in pairs),
            raw=mean(raw for _, raw in pairs),
            gain=t_interval([sign * (raw - averaged) for averaged, raw in pairs]),
            better_in=sum(sign * averaged < sign * raw for averaged, raw in searched),
            full_runs=len(searched),
        )

    @property
    def tied(self) -> bool:
        """Whether the seeds cannot tell the two apart: an interval of several that holds 0, or a single run."""
        return not (self.gain.low > 0 or self.gain.high < 0)

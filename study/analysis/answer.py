"""The answer of a search: the schedule to use, how good it is over fresh seeds, and whether it beats the reference."""

from __future__ import annotations

import math
from dataclasses import dataclass

from study.analysis.cost import Cost
from study.analysis.ranking import DECIMALS
from study.analysis.statistics import Interval, deviation, t_interval
from study.storage.finals import FEWEST_LEFT, FinalRun, Finals
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

FEWEST_TIED = 3
"""With fewer seeds the interval of a difference is so wide that it nearly always holds 0."""


@dataclass(frozen=True)
class Answer:
    """What to use, by the finals of a search.

    recommended: the winner, if it is significantly better than the reference, or there is no reference; otherwise the
    reference, which is the simpler choice. other: the one that it was compared with, if any. value, other_value: the
    mean of each over the seeds, with its 95 % interval. on_test: whether values are of the test rows; else they
    are of the validation rows. gain: how much better the recommended schedule is than the other, paired by seed; above
    0 is better, whatever the metric's direction. full_runs: that the search has cost. confirming: runs of the finals,
    those of earlier ones included. same_on_every_seed: whether the seeds changed no value, so that the interval says
    nothing. left_out: seeds that count for neither schedule, because a run with them failed.
    """

    recommended: TrialRecord
    other: TrialRecord | None
    value: Interval
    other_value: Interval | None
    on_test: bool
    gain: Interval | None
    full_runs: float
    confirming: int
    same_on_every_seed: bool = False
    left_out: int = 0

    @classmethod
    def of(cls, study: StudyRecord) -> Answer | None:
        """The answer of a study; None until its finals are finished, and again once it has more trials.

        None too if runs failed, and too few of the seeds are left.
        """
        finals = ended_finals(study)
        if finals is None or not (finals.decided and finals.chosen and finals.seeds):
            return None
        seeds = finals.shared(finals.chosen, finals.seeds)
        if len(seeds) < min(FEWEST_LEFT, len(finals.seeds)):
            return None
        runs = {number: finals.of(number, seeds) for number in finals.chosen}
        on_test = any(run.test is not None for own in runs.values() for run in own)
        values = {number: [value_of(run, on_test, study.metric.worst) for run in own] for number, own in runs.items()}
        recommended, other, gain = next(iter(runs)), None, None
        if finals.winner is not None and finals.reference is not None:
            gain = gain_of(values[finals.winner], values[finals.reference], study.metric.sign)
            recommended, other = finals.winner, finals.reference
            if not gain.low > 0:
                recommended, other = other, recommended
                gain = Interval(-gain.mean, -gain.high, -gain.low, gain.n)
        return cls(
            recommended=study.trial(recommended),
            other=None if other is None else study.trial(other),
            value=t_interval(values[recommended]),
            other_value=None if other is None else t_interval(values[other]),
            on_test=on_test,
            gain=gain,
            full_runs=Cost.of(study).full_runs,
            confirming=len(finals.runs),
            same_on_every_seed=all(is_constant(own, study.metric.worst) for own in values.values()),
            left_out=len(finals.seeds) - len(seeds),
        )

    @property
    def tied(self) -> bool:
        """Whether the seeds cannot tell the two schedules apart."""
        return self.gain is not None and self.gain.low <= 0 <= self.gain.high

    @property
    def inconclusive(self) -> bool:
        """Whether the two are tied only because there are few seeds.

        That is so with fewer than FEWEST_TIED seeds, and if the difference is larger than its standard deviation over
        the seeds: with seven seeds or more, such a difference is significant. Never if every seed shows the same one.
        """
        if self.gain is None or not self.tied or not self.smallest_gain:
            return False
        return self.gain.n < FEWEST_TIED or abs(self.gain.mean) > deviation(self.gain)

    @property
    def smallest_gain(self) -> float:
        """The smallest difference between the two schedules that these seeds can show: half the interval's width.

        0 if the difference is the same with every seed.
        """
        return (self.gain.high - self.gain.low) / 2 if self.gain else math.nan


def ended_finals(study: StudyRecord) -> Finals | None:
    """The finals of a study, if all their runs have ended or failed, and it has the same trials still."""
    finals = study.finals
    if finals is None or not finals.ended or finals.trials not in (None, len(study.trials)):
        return None
    return finals if set(finals.chosen) <= {trial.number for trial in study.trials} else None


def gain_of(better: list[float], worse: list[float], sign: int) -> Interval:
    """How much better the first values are than the second, seed by seed; what differs by rounding only is equal."""
    largest = max(map(abs, [*better, *worse]))
    decimals = DECIMALS - math.ceil(math.log10(largest)) if largest else DECIMALS
    return t_interval([round(sign * (b - a), decimals) for a, b in zip(better, worse, strict=True)])


def value_of(run: FinalRun, on_test: bool, worst: float) -> float:
    """What a run found; the worst value if it has diverged."""
    if not on_test:
        return run.validation
    return worst if run.test is None else run.test


def is_constant(values: list[float], worst: float) -> bool:
    """Whether several seeds gave one value, other than that of diverged runs, or of an easy task that all solve."""
    return len(values) > 1 and set(values) == {values[0]} and values[0] not in (worst, 0.0, 1.0)


def recommended(study: StudyRecord) -> TrialRecord | None:
    """The trial to use: the answer's, or the best full run of a search that is not confirmed; None without either."""
    answer = Answer.of(study)
    return answer.recommended if answer else study.best

"""What runs are expected to cost before they are trained: steps, full runs, and time at the measured speed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from study.objective import Engine, Objective
from study.search.configuration import Configuration
from study.search.rungs import references_promoted
from study.speed import Speed

SECONDS_A_TRIAL = 0.07
"""What suggesting and storing a trial takes: that of studies.md, with Optuna's Gaussian process; ours takes less."""


class Runs(NamedTuple):
    """Runs that are trained at the same time: how many, and the budget of each."""

    number: int
    budget: int


@dataclass(frozen=True)
class ExpectedCost:
    """The expected cost of runs. full_runs: as many would have these steps. seconds: None if the speed is unknown."""

    steps: float
    full_runs: float
    seconds: float | None

    @classmethod
    def of(
        cls, runs: Sequence[Runs], objective: Objective, budget: int, engine: Engine, speed: Speed, trials: int = 0
    ) -> ExpectedCost:
        """Of these runs. budget: of a full run. trials: that are suggested for them."""
        steps = float(sum(one.number * objective.steps(one.budget) for one in runs))
        seconds = None
        if speed.known:
            training = (speed.seconds(one.number, objective.steps(one.budget), engine) for one in runs)
            seconds = math.fsum(training) + trials * SECONDS_A_TRIAL
        return cls(steps, steps / objective.steps(budget), seconds)

    def left_after(self, steps: float) -> ExpectedCost:
        """What is left of it after this many steps."""
        share = max(0.0, 1 - steps / self.steps)
        return ExpectedCost(share * self.steps, share * self.full_runs, self.seconds and share * self.seconds)


def expected_runs(
    configuration: Configuration, steps_per_epoch: int, trials: int, reference: bool = False
) -> list[Runs]:
    """The runs of a search of this many trials, in order: bracket by bracket, rung by rung.

    One in `reduction` is promoted at each rung, and at least one. Ties may promote more; pruning midway trains less.
    reference: whether the study has one; its best trials are promoted besides.
    """
    size = configuration.bracket_size(steps_per_epoch)
    sizes = [size] * (trials // size) + ([trials % size] if trials % size else [])
    brackets = (
        runs_of_bracket(configuration, steps_per_epoch, own, reference and number == 0)
        for number, own in enumerate(sizes)
    )
    return list(chain.from_iterable(brackets))


def runs_of_bracket(configuration: Configuration, steps_per_epoch: int, size: int, reference: bool) -> Iterator[Runs]:
    """The runs of one bracket: batches at the first rung, then all that are promoted together, then the audit's."""
    first, *later = configuration.budgets(steps_per_epoch)
    batch = configuration.trials_per_batch
    yield from (Runs(min(batch, size - begin), first) for begin in range(0, size, batch))
    promoted = size
    for budget in later:
        promoted = max(1, promoted // configuration.reduction)
        yield Runs(promoted + reference * references_promoted(budget, later[-1]), budget)
    if later and (audited := round(configuration.audit * (size - promoted))):
        yield Runs(audited, later[-1])

"""Our pruning: a trial is tried as short complete runs, and the best are promoted to longer ones.

Each run goes through the whole schedule, compressed, so no run is evaluated in its middle.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from optuna.pruners import BasePruner, NopPruner

from study.objective import Evaluation
from study.search.bracket import Bracket
from study.search.candidate import Candidate
from study.search.sampler_study import is_outside, values_seen
from study.storage.damage import reading
from study.storage.record_format import GAUSSIAN_PROCESSES


class Rungs:
    """A `Strategy`. budgets: epochs of each run, ascending, the last one the full run.

    Of the reference, the two best trials are promoted at each rung, and the best one to the full run, even if other
    trials are better.

    A Gaussian process learns from complete trials only, so it sees all trials as complete, with the value of their
    first run; other samplers see them as pruned.
    """

    saves_runs = True
    keeps_notes = False

    def __init__(self, budgets: Sequence[int], sampler: str) -> None:
        self.pruner: BasePruner = NopPruner()
        self.budgets = budgets
        self.completes_first_runs = sampler in GAUSSIAN_PROCESSES
        self.needs_history = sampler != "random"

    def run(self, bracket: Bracket) -> Iterator[None]:
        """Try all at the first rung, batch by batch, then train those that are promoted."""
        first, full = self.budgets[0], self.budgets[-1]
        while batch := bracket.ask():
            yield from bracket.train(batch, first)
            with reading(bracket.optuna_study.study_name):  # runs of an earlier start
                for candidate in batch:
                    candidate.trial.report(candidate.reported[first], step=first)
            bracket.tell(batch)
        bracket.explored = True
        yield
        earlier = [values_seen(trial) for trial in bracket.earlier if not is_outside(trial)]
        live, audited = bracket.candidates, list[Candidate]()
        sign, reduction = bracket.objective.metric.sign, bracket.configuration.reduction
        for before, budget in pairwise(self.budgets):
            within = [candidate.reported for candidate in live if not candidate.outside]
            seen = [*earlier, *within]
            worst = worst_to_promote([sign * values[before] for values in seen if before in values], reduction)
            kept = best_references(live, before, references_promoted(budget, full), sign)
            for candidate in live:
                if candidate.pruned or candidate.position in kept:
                    continue
                if candidate.outside or sign * candidate.reported[before] > worst:
                    bracket.prune(candidate, before)
            bracket.store([candidate for candidate in live if candidate.pruned])
            audited += [candidate for candidate in live if candidate.audited_from]
            live = [candidate for candidate in live if not candidate.pruned and not candidate.audited_from]
            yield from bracket.train(live, budget)
        bracket.store(live)
        yield from bracket.train(audited, full)  # apart, so that other cohorts are as without them
        bracket.store(audited)

    def observe(self, bracket: Bracket, candidate: Candidate, evaluation: Evaluation, budget: int) -> None:
        """Report the value at the end of each run."""
        if evaluation.last:
            candidate.report(budget, evaluation.metric)


def references_promoted(budget: int, full: int) -> int:
    """How many trials of the reference are promoted to runs of this budget, at least."""
    return 1 if budget == full else 2


def best_references(live: Sequence[Candidate], budget: int, most: int, sign: int) -> set[int]:
    """Positions of the reference's trials that are promoted after runs of this budget, whatever the others do."""
    own = [candidate for candidate in live if candidate.is_reference and not candidate.pruned]
    own.sort(key=lambda candidate: sign * candidate.reported[budget])
    return {candidate.position for candidate in own[:most]}


def worst_to_promote(values: Sequence[float], reduction: int) -> float:
    """The worst value that is promoted to the next rung: of the best 1/reduction, and at least of the best one.

    values: all values at the rung so far, lower is better; each is from a complete run of the compressed schedule. Of
    none, nothing is promoted.

    >>> worst_to_promote([0.3, 0.1, 0.4, 0.2], 2)
    0.2
    """
    return sorted(values)[max(1, len(values) // reduction) - 1] if values else -math.inf

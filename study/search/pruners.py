"""Optuna's pruners, and no pruner: every trial starts a full run, and may be pruned midway.

Values are reported at every epoch, as in `study.optimize`; in a run of more epochs than a curve has points, at every
evaluation. The trials of the reference are never pruned.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, SuccessiveHalvingPruner

from search_spaces.errors import unknown
from study.objective import Evaluation
from study.search.bracket import Bracket
from study.search.candidate import Candidate
from study.search.configuration import PRUNES_MIDWAY


class FullRuns:
    """A `Strategy`. pruner: by its name. epochs: of a full run.

    Runs are saved only if nothing is pruned: the decisions of Optuna's pruners depend on how far the other trials are.
    """

    completes_first_runs = False
    needs_history = True

    def __init__(self, pruner: str, epochs: int) -> None:
        self.pruner = make_pruner(pruner, epochs)
        self.saves_runs = pruner not in PRUNES_MIDWAY
        self.keeps_notes = pruner in ("hyperband", "halving")
        self.epochs = epochs

    def run(self, bracket: Bracket) -> Iterator[None]:
        """Train each batch in full."""
        while batch := bracket.ask():
            for candidate in batch:  # runs of an earlier start
                for epochs, value in candidate.reported.items():
                    candidate.trial.report(value, step=epochs)
            yield from bracket.train(batch, self.epochs)
            bracket.tell(batch)
        bracket.store(bracket.candidates)

    def observe(self, bracket: Bracket, candidate: Candidate, evaluation: Evaluation, budget: int) -> None:
        """Report the first value of each epoch, and ask the pruner."""
        epochs = whole_epochs(evaluation, budget, bracket.steps_per_epoch)
        if candidate.report(epochs, evaluation.metric) and not candidate.audited_from:
            candidate.trial.report(evaluation.metric, step=epochs)
            if not evaluation.last and not candidate.is_reference and candidate.trial.should_prune():
                bracket.prune(candidate, epochs)


def whole_epochs(evaluation: Evaluation, budget: int, steps_per_epoch: int) -> int:
    """The whole number of epochs that a value is reported after: epochs done, or begun by a run that diverged."""
    if evaluation.step == evaluation.total_steps:
        return budget
    epochs = evaluation.step / steps_per_epoch
    return math.ceil(epochs) if evaluation.diverged else math.floor(epochs)


def make_pruner(name: str, epochs: int) -> BasePruner:
    """The pruner of this name for runs of this many epochs; `none` prunes nothing.

    Raises InputError for another name.
    """
    match name:
        case "median":
            return MedianPruner()
        case "hyperband":
            return HyperbandPruner(min_resource=1, max_resource=epochs)
        case "halving":
            return SuccessiveHalvingPruner()
        case "none":
            return NopPruner()
    raise unknown("pruner", name, [*PRUNES_MIDWAY, "none"])

"""Candidate: a trial under way through the rungs."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from optuna.trial import FixedTrial, Trial

from search_spaces.schedule import Schedule
from study.objective import Evaluation
from study.storage.typed import check_types


@dataclass
class Candidate:
    """A trial that has not ended.

    trial: in the sampler's study, or a fixed one outside the search space. position: in its bracket. batch: the number
    of its batch there. evaluations: of its last run. epochs_used and cohorts: by budget. reported: values by epoch.
    trained: the largest budget that it has been trained for, 0 for none. pruned: whether it ends here. audited_from:
    the epochs at which it would have been pruned, but for an audit. seconds: of training. epochs_loaded: those of an
    earlier start. is_reference: whether it tries a peak of the reference.
    """

    trial: Trial | FixedTrial
    schedule: Schedule
    position: int
    batch: int
    began: datetime = field(default_factory=datetime.now)
    evaluations: list[Evaluation] = field(default_factory=list)
    epochs_used: dict[int, float] = field(default_factory=dict)
    cohorts: dict[int, int] = field(default_factory=dict)
    reported: dict[int, float] = field(default_factory=dict)
    trained: int = 0
    pruned: bool = False
    audited_from: int | None = None
    seconds: float = 0.0
    epochs_loaded: float = 0.0
    is_reference: bool = False

    @property
    def outside(self) -> bool:
        """Whether its schedule lies outside the search space."""
        return isinstance(self.trial, FixedTrial)

    @property
    def weight_decay(self) -> float | None:
        """Of its runs, if that is searched; None for the optimizer's own."""
        return self.trial.params.get("weight_decay")

    def observe(self, evaluation: Evaluation, budget: int, steps_per_epoch: int) -> None:
        """Take in an evaluation of the present run, which has this budget. A run that has diverged ends."""
        self.evaluations.append(evaluation)
        self.epochs_used[budget] = evaluation.step / steps_per_epoch
        self.cohorts[budget] = evaluation.cohort
        self.pruned = evaluation.diverged
        if evaluation.last:
            self.trained = max(self.trained, budget)

    def report(self, epochs: int, value: float) -> bool:
        """Note the value after this whole number of epochs, unless one is as late; returns whether it was noted."""
        if epochs <= max(self.reported, default=0):
            return False
        self.reported[epochs] = value
        return True

    def saved(self) -> dict[str, Any]:
        """Everything that training has changed, as plain values for JSON."""
        return {
            "epochs_used": {str(budget): epochs for budget, epochs in self.epochs_used.items()},
            "cohort": {str(budget): runs for budget, runs in self.cohorts.items()},
            "trained": self.trained,
            "seconds": self.seconds,
            "params": self.trial.params,
            "evaluations": [asdict(e) | {"loss": None if e.diverged else e.loss} for e in self.evaluations],
            "reported": list(self.reported.items()),
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Restore the state saved earlier; ignored if the parameters differ, as other versions may draw others.

        Raises one of `DAMAGED` if that is no state of a candidate that has been trained.
        """
        if saved["params"] != self.trial.params:
            return
        self.epochs_used = {int(budget): epochs for budget, epochs in saved["epochs_used"].items()}
        self.cohorts = {int(budget): runs for budget, runs in saved["cohort"].items()}
        self.trained, self.seconds = saved["trained"], saved["seconds"]
        for values in saved["evaluations"]:
            loss = math.inf if values["loss"] is None else values["loss"]
            self.evaluations.append(Evaluation(**values | {"loss": loss, "too_large": tuple(values["too_large"])}))
        self.reported = {int(epochs): value for epochs, value in saved["reported"]}
        self.check()
        self.epochs_loaded = sum(self.epochs_used.values())

    def check(self) -> None:
        """Raise TypeError or ValueError, saying what is damaged, if no training leads to this state."""
        for evaluation in self.evaluations:
            check_types(evaluation)
        values = [self.seconds, *self.reported.values(), *(one.metric for one in self.evaluations)]
        possible = all(one.cohort >= 1 and 1 <= one.step <= one.total_steps for one in self.evaluations)
        if not (self.evaluations and possible and all(map(math.isfinite, values))):
            raise ValueError(f"the saved runs of trial {self.position} of a bracket have no result")
        ended = {budget for budget in self.epochs_used if budget <= self.trained}
        missing = ended - self.reported.keys() if not self.evaluations[-1].diverged else set[int]()
        if self.trained not in ended & self.cohorts.keys() or missing:
            raise ValueError(f"a saved run of trial {self.position} of a bracket is missing")

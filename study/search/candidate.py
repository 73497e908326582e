"""Candidate: a trial on its way through the rungs, and the row that is made of it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from search_spaces.schedule import Schedule
from study.executors.choice import Engine
from study.search.configuration import Configuration
from study.storage.records import curve_columns, plain_arguments
from study.training.loop import Evaluation
from study.workloads.workload import Workload


@dataclass
class Candidate:
    """A trial that has not ended.

    trial: in the view. position: in its generation. batch: the number of its batch there. evaluations: of its last
    run. epochs_used and cohort: by horizon. reported: values by epoch. trained: the longest horizon that it has behind
    it, 0 for none. pruned: whether it goes no further. audited_from: the epochs at which it would have been pruned, but
    for an audit. seconds: of training. epochs_loaded: those of an earlier start.
    """

    trial: Trial
    schedule: Schedule
    position: int
    batch: int
    began: datetime = field(default_factory=datetime.now)
    evaluations: list[Evaluation] = field(default_factory=list)
    epochs_used: dict[str, float] = field(default_factory=dict)
    cohort: dict[str, int] = field(default_factory=dict)
    reported: dict[int, float] = field(default_factory=dict)
    trained: int = 0
    pruned: bool = False
    audited_from: int | None = None
    seconds: float = 0.0
    epochs_loaded: float = 0.0

    def hear(self, evaluation: Evaluation, horizon: int, at_every_epoch: bool, steps_per_epoch: int) -> int | None:
        """Take in an evaluation of the present run; the epoch that its value is reported under, None if it is not.

        The first value of an epoch counts.
        """
        self.evaluations.append(evaluation)
        self.epochs_used[str(horizon)] = evaluation.step / steps_per_epoch
        self.cohort[str(horizon)] = evaluation.cohort
        if evaluation.last:
            self.trained = max(self.trained, horizon)
        epoch = epoch_to_report(evaluation, horizon, at_every_epoch, steps_per_epoch)
        if epoch <= max(self.reported, default=0):
            return None
        self.reported[epoch] = evaluation.metric
        return epoch

    def saved(self) -> dict[str, Any]:
        """All that training has changed, as JSON can hold it."""
        evaluations = [asdict(e) | {"loss": None if e.diverged else e.loss} for e in self.evaluations]
        kept = {name: getattr(self, name) for name in ("epochs_used", "cohort", "trained", "seconds")}
        return kept | {
            "params": self.trial.params,
            "evaluations": evaluations,
            "reported": list(self.reported.items()),
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Be as one was when `saved` was called; not if that was another schedule, drawn by other versions perhaps."""
        if saved["params"] != self.trial.params:
            return
        for name in ("epochs_used", "cohort", "trained", "seconds"):
            setattr(self, name, saved[name])
        for values in saved["evaluations"]:
            loss = math.inf if values["loss"] is None else values["loss"]
            self.evaluations.append(Evaluation(**values | {"loss": loss, "too_large": tuple(values["too_large"])}))
        self.reported = dict(saved["reported"])
        self.epochs_loaded = sum(self.epochs_used.values())


def epoch_to_report(evaluation: Evaluation, horizon: int, at_every_epoch: bool, steps_per_epoch: int) -> int:
    """The whole number of epochs that a value is reported under: a run's horizon, or the epochs done; 0 is none yet."""
    if not at_every_epoch:
        return horizon if evaluation.last else 0
    if evaluation.step == evaluation.total_steps:
        return horizon
    epochs = evaluation.step / steps_per_epoch
    return math.ceil(epochs) if evaluation.diverged else math.floor(epochs)


def frozen(
    candidate: Candidate, where: dict[str, int], workload: Workload, configuration: Configuration
) -> FrozenTrial:
    """The finished trial, as it is stored. where: its generation, and the size of that."""
    evaluations, last = candidate.evaluations, candidate.evaluations[-1]
    sign = 1 if workload.metric.direction == "minimize" else -1
    best = min(evaluations, key=lambda evaluation: sign * evaluation.metric)
    resolved = candidate.schedule.resolve(configuration.epochs * workload.steps_per_epoch)
    record: dict[str, Any] = {
        "place": {**where, "position": candidate.position, "batch": candidate.batch},
        "seeds": {name: getattr(configuration, name) for name in ("sampler_seed", "train_seed", "split_seed")},
        "torch": plain_arguments(resolved),
        "epochs_used": candidate.epochs_used,
        "cohort": candidate.cohort,
        "engine": Engine(last.cohort).name,
        "too_large": list(last.too_large),
        "best_epoch": best.step / workload.steps_per_epoch,
        "diverged": last.diverged,
        "audited_from": candidate.audited_from,
        "seconds": round(candidate.seconds, 3),
    }
    attributes = {"record": record, "curve": curve_columns(evaluations, workload.metric.name)}
    seen = candidate.trial.study.get_trials(deepcopy=False)[candidate.trial.number]
    if configuration.pruner in ("hyperband", "halving"):
        attributes["pruner_notes"] = seen.system_attrs
    trial = create_trial(
        state=TrialState.PRUNED if candidate.pruned else TrialState.COMPLETE,
        # A diverged run has the worst value: a trial that failed would teach the sampler nothing.
        value=last.metric,
        params=seen.params,
        distributions=seen.distributions,
        intermediate_values=candidate.reported,
        user_attrs=attributes,
    )
    trial.datetime_start = candidate.began
    return trial

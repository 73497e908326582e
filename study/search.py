"""The search: ask a batch of trials, train them rung by rung, report, prune, tell.

The sampler and the pruner work on a view of what whole batches left (view.py). A trial is written to the storage once
its last run has ended, in one piece: what is there is finished, whatever happens to this process.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import optuna
from optuna.trial import Trial, TrialState, create_trial

from search_spaces import suggest
from search_spaces.schedule import Schedule
from study.configuration import Configuration
from study.engine import Engine, lower_cohort
from study.records import CURVE_POINTS, better_first, curve_columns, finished_trials, plain_arguments
from study.trainer import Trainer
from study.training import Evaluation, Run
from study.view import make_sampler, make_view, next_batch, place
from study.workers import Workers
from study.workload import Workload


@dataclass
class Candidate:
    """A trial of the present batch, on its way through the rungs.

    trial: in the view. stored: whether its row is in the storage. evaluations: of its last run. epochs_used and
    cohort: by horizon. began: when its first run did. seconds: of training.
    """

    trial: Trial
    schedule: Schedule
    batch: dict[str, int]
    stored: bool
    began: datetime
    evaluations: list[Evaluation] = field(default_factory=list)
    epochs_used: dict[str, float] = field(default_factory=dict)
    cohort: dict[str, int] = field(default_factory=dict)
    reported: dict[int, float] = field(default_factory=dict)
    pruned: bool = False
    seconds: float = 0.0

    def report(self, value: float, epoch: int) -> None:
        """Tell the view what so many epochs were worth; the first value of an epoch counts."""
        if epoch > max(self.reported, default=0):
            self.reported[epoch] = value
            self.trial.report(value, step=epoch)


@dataclass
class Batch:
    """The trials asked together. finished: whether all of it is stored."""

    candidates: list[Candidate]
    finished: bool = False

    @property
    def epochs_trained(self) -> float:
        """Over all candidates and rungs, up to now."""
        return sum(sum(candidate.epochs_used.values()) for candidate in self.candidates)


def search(
    optuna_study: optuna.Study,
    workload: Workload,
    configuration: Configuration,
    engine: Engine,
    trials: int,
    interrupted: Callable[[], bool] = lambda: False,
) -> Generator[Batch, None, None]:
    """Search until the study holds so many finished trials; yields the present batch after every evaluation.

    The study must be this process's own (`storage.open_study`). interrupted: asked at every update, and never while
    something is written; where it says so, the search ends with a KeyboardInterrupt. What the present batch has stored
    by then stays, and the rest is trained again.
    """
    finished = sorted(finished_trials(optuna_study), key=place)
    number, size, stored = next_batch(finished, configuration.trials_per_batch, trials)
    view = make_view(
        [trial for trial in finished if place(trial) < (number, 0)],
        workload.metric.direction,
        configuration,
    )
    done = len(finished) - len(stored)
    with engine.trainer(workload) as trainer:
        while done + len(stored) < trials:
            view.sampler = make_sampler(configuration.sampler_seed, number)
            batch = ask(view, workload, configuration, number, size, stored)
            for _ in try_at_rungs(optuna_study, workload, configuration, trainer, batch, interrupted):
                yield batch
            if trainer.cohort < engine.cohort:
                engine = lower_cohort(optuna_study, trainer.cohort)
            for candidate in batch.candidates:
                tell(view, candidate)
            batch.finished = True
            yield batch
            done += size
            number, size, stored = number + 1, min(configuration.trials_per_batch, trials - done), set()


def ask(
    view: optuna.Study, workload: Workload, configuration: Configuration, number: int, size: int, stored: set[int]
) -> Batch:
    """Draw a batch; stored: positions that an earlier start of the search finished already."""
    asked = [view.ask() for _ in range(size)]
    return Batch(
        [
            Candidate(
                trial,
                suggest(trial, configuration.families, workload.peak_lr),
                batch={"number": number, "position": position, "size": size},
                stored=position in stored,
                began=datetime.now(),
            )
            for position, trial in enumerate(asked)
        ]
    )


def try_at_rungs(
    optuna_study: optuna.Study,
    workload: Workload,
    configuration: Configuration,
    trainer: Trainer | Workers,
    batch: Batch,
    interrupted: Callable[[], bool],
) -> Iterator[None]:
    """Train the batch at each horizon in turn, let go on who may, and store the others; yields at every evaluation.

    The horizon pruner judges complete runs, when all of the batch have reported; the others judge at every epoch.
    """
    live = batch.candidates
    for horizon in configuration.horizons:
        yield from train_rung(workload, configuration, trainer, live, horizon, interrupted)
        if interrupted():
            raise KeyboardInterrupt
        if horizon < configuration.epochs:
            for candidate in live:
                candidate.pruned = candidate.pruned or candidate.trial.should_prune()
        for candidate in live:
            if (candidate.pruned or horizon == configuration.epochs) and not candidate.stored:
                store(optuna_study, workload, configuration, candidate)
        live = [candidate for candidate in live if not candidate.pruned]


def train_rung(
    workload: Workload,
    configuration: Configuration,
    trainer: Trainer | Workers,
    live: list[Candidate],
    horizon: int,
    interrupted: Callable[[], bool],
) -> Iterator[None]:
    """Train one run of so many epochs for each candidate, and report what it was worth; yields at every evaluation."""
    at_every_epoch = configuration.pruner != "horizon"
    runs = [
        Run(candidate.schedule, horizon, configuration.train_seed, min(horizon, CURVE_POINTS)) for candidate in live
    ]
    for candidate in live:
        candidate.evaluations = []
    began = time.perf_counter()
    for evaluation in trainer.train(runs, lambda run: live[run].pruned or interrupted()):
        candidate = live[evaluation.run]
        candidate.evaluations.append(evaluation)
        candidate.epochs_used[str(horizon)] = evaluation.step / workload.steps_per_epoch
        candidate.cohort[str(horizon)] = evaluation.cohort
        if evaluation.last or at_every_epoch:
            epoch = epoch_to_report(evaluation, horizon, at_every_epoch, workload.steps_per_epoch)
            candidate.report(evaluation.metric, epoch)
        candidate.pruned = evaluation.diverged or (
            at_every_epoch and not evaluation.last and candidate.trial.should_prune()
        )
        yield
    seconds = time.perf_counter() - began
    updates = sum(candidate.evaluations[-1].step for candidate in live if candidate.evaluations)
    for candidate in live:
        if candidate.evaluations:
            candidate.seconds += seconds * candidate.evaluations[-1].step / updates


def epoch_to_report(evaluation: Evaluation, horizon: int, at_every_epoch: bool, steps_per_epoch: int) -> int:
    """The whole number of epochs that a value is reported under: a run's horizon, or the epochs done; 0 is none yet."""
    if not at_every_epoch or evaluation.step == evaluation.total_steps:
        return horizon
    epochs = evaluation.step / steps_per_epoch
    return math.ceil(epochs) if evaluation.diverged else math.floor(epochs)


def store(optuna_study: optuna.Study, workload: Workload, configuration: Configuration, candidate: Candidate) -> None:
    """Write the finished trial, in one transaction."""
    evaluations, last = candidate.evaluations, candidate.evaluations[-1]
    best = min(evaluations, key=lambda evaluation: better_first(optuna_study) * evaluation.metric)
    resolved = candidate.schedule.resolve(configuration.epochs * workload.steps_per_epoch)
    record: dict[str, Any] = {
        "batch": candidate.batch,
        "seeds": {name: getattr(configuration, name) for name in ("sampler_seed", "train_seed", "split_seed")},
        "torch": plain_arguments(resolved),
        "epochs_used": candidate.epochs_used,
        "cohort": candidate.cohort,
        "engine": Engine(last.cohort).name,
        "too_large": list(last.too_large),
        "best_epoch": best.step / workload.steps_per_epoch,
        "diverged": last.diverged,
        "seconds": round(candidate.seconds, 3),
    }
    attributes = {"record": record, "curve": curve_columns(evaluations, workload.metric.name)}
    seen = candidate.trial.study.get_trials(deepcopy=False)[candidate.trial.number]
    if configuration.pruner == "hyperband":
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
    optuna_study.add_trial(trial)
    candidate.stored = True


def tell(view: optuna.Study, candidate: Candidate) -> None:
    """Let the view know what became of the trial."""
    if candidate.pruned:
        view.tell(candidate.trial, state=TrialState.PRUNED)
    else:
        view.tell(candidate.trial, candidate.evaluations[-1].metric)

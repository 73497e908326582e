"""The search: ask a batch of trials, train them rung by rung, report, prune, tell.

The sampler and the pruner work on a view of what earlier whole batches left (view.py); the rows of the storage are
written beside it, and finished in number order when the batch ends.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from search_spaces import suggest
from search_spaces.schedule import Schedule
from study.configuration import ENGINE, Configuration
from study.records import CURVE_POINTS, better_first, curve_columns, finished_trials, plain_arguments
from study.storage import fail_running
from study.training import Evaluation, Run, train
from study.view import Replay, make_view, next_batch
from study.workload import Workload


@dataclass
class Candidate:
    """A trial of the present batch, on its way through the rungs.

    trial: in the view. row: in the storage; None where an earlier start of the search finished it already.
    evaluations: of its last run. epochs_used: by horizon.
    """

    trial: Trial
    schedule: Schedule
    row: Trial | None
    evaluations: list[Evaluation] = field(default_factory=list)
    epochs_used: dict[str, float] = field(default_factory=dict)
    reported: int = 0
    pruned: bool = False
    finished: bool = False
    seconds: float = 0.0

    def report(self, value: float, epoch: int) -> None:
        """Tell view and storage what so many epochs were worth; the first value of an epoch counts."""
        if epoch <= self.reported:
            return
        self.reported = epoch
        for trial in (self.trial, self.row):
            if trial:
                trial.report(value, step=epoch)


def search(
    optuna_study: optuna.Study,
    workload: Workload,
    configuration: Configuration,
    trials: int,
    interrupted: Callable[[], bool] = lambda: False,
) -> Generator[list[Candidate], None, None]:
    """Search until the study holds so many finished trials; yields the present batch after every evaluation.

    The study must be this process's own (`storage.open_study`). interrupted: asked at every update, and never while
    something is written; where it says so, the search ends with a KeyboardInterrupt. If the caller stops early, by
    closing the generator or by an exception, the trials of the present batch that are not finished are marked FAIL.
    """
    try:
        while len(finished := finished_trials(optuna_study)) < trials:
            number, size, kept = next_batch(finished, configuration.trials_per_batch, trials)
            earlier = [trial for trial in finished if trial.user_attrs["batch"]["number"] < number]
            batch = ask(earlier, workload, configuration, number, size)
            for position, candidate in enumerate(batch):
                if position not in kept:
                    where = {"number": number, "position": position, "size": size}
                    candidate.row = add_row(optuna_study, workload, configuration, candidate, where)
            for _ in try_at_rungs(workload, configuration, batch, interrupted):
                yield batch
            for candidate in batch:
                if candidate.row:
                    finish_row(optuna_study, workload, configuration, candidate, candidate.row)
                candidate.finished = True
            yield batch
    finally:
        fail_running(optuna_study)


def ask(
    earlier: list[FrozenTrial], workload: Workload, configuration: Configuration, number: int, size: int
) -> list[Candidate]:
    """Draw a batch, from nothing but the trials of earlier batches and the seeds."""
    view = make_view(earlier, workload.metric.direction, configuration, number)
    asked = [view.ask() for _ in range(size)]
    return [Candidate(trial, suggest(trial, configuration.families, workload.peak_lr), row=None) for trial in asked]


def add_row(
    optuna_study: optuna.Study,
    workload: Workload,
    configuration: Configuration,
    candidate: Candidate,
    where: dict[str, int],
) -> Trial:
    """Write the trial to the storage as running, with all that is known before it is trained."""
    optuna_study.sampler = Replay(candidate.trial.params)
    row = optuna_study.ask()
    suggest(row, configuration.families, workload.peak_lr)
    resolved = candidate.schedule.resolve(configuration.epochs * workload.steps_per_epoch)
    for key, value in {
        "batch": where,
        "seeds": {name: getattr(configuration, name) for name in ("sampler_seed", "train_seed", "split_seed")},
        "engine": ENGINE,
        "torch": plain_arguments(resolved),
    }.items():
        row.set_user_attr(key, value)
    return row


def try_at_rungs(
    workload: Workload, configuration: Configuration, batch: list[Candidate], interrupted: Callable[[], bool]
) -> Iterator[None]:
    """Train the batch at each horizon in turn, and let go on who may; yields after every evaluation.

    The horizon pruner judges complete runs, when all of the batch have reported; the others judge at every epoch.
    """
    live = batch
    for horizon in configuration.horizons:
        yield from train_rung(workload, configuration, live, horizon, interrupted)
        if interrupted():
            raise KeyboardInterrupt
        if horizon < configuration.epochs:
            for candidate in live:
                candidate.pruned = candidate.pruned or candidate.trial.should_prune()
        live = [candidate for candidate in live if not candidate.pruned]


def train_rung(
    workload: Workload,
    configuration: Configuration,
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
    before = time.perf_counter()
    for evaluation in train(workload, runs, lambda run: live[run].pruned or interrupted()):
        candidate = live[evaluation.run]
        candidate.evaluations.append(evaluation)
        candidate.epochs_used[str(horizon)] = evaluation.step / workload.steps_per_epoch
        if evaluation.last or at_every_epoch:
            epoch = epoch_to_report(evaluation, horizon, at_every_epoch, workload.steps_per_epoch)
            candidate.report(evaluation.metric, epoch)
        candidate.pruned = evaluation.diverged or (
            at_every_epoch and not evaluation.last and candidate.trial.should_prune()
        )
        candidate.seconds += time.perf_counter() - before
        before = time.perf_counter()
        yield


def epoch_to_report(evaluation: Evaluation, horizon: int, at_every_epoch: bool, steps_per_epoch: int) -> int:
    """The whole number of epochs that a value is reported under: a run's horizon, or the epochs done; 0 is none yet."""
    if not at_every_epoch or evaluation.step == evaluation.total_steps:
        return horizon
    epochs = evaluation.step / steps_per_epoch
    return math.ceil(epochs) if evaluation.diverged else math.floor(epochs)


def finish_row(
    optuna_study: optuna.Study, workload: Workload, configuration: Configuration, candidate: Candidate, row: Trial
) -> None:
    """Write what became of the trial, and last of all that it is finished."""
    evaluations = candidate.evaluations
    best = min(evaluations, key=lambda evaluation: better_first(optuna_study) * evaluation.metric)
    attributes = {
        "epochs_used": candidate.epochs_used,
        "curve": curve_columns(evaluations, workload.metric.name),
        "best_epoch": best.step / workload.steps_per_epoch,
        "diverged": evaluations[-1].diverged,
        "seconds": round(candidate.seconds, 3),
    }
    if configuration.pruner == "hyperband":
        notes = candidate.trial.study.get_trials(deepcopy=False)[candidate.trial.number].system_attrs
        attributes["pruner_notes"] = notes
    for key, value in attributes.items():
        row.set_user_attr(key, value)
    if candidate.pruned:
        optuna_study.tell(row, state=TrialState.PRUNED)  # its value is the last one reported
    else:
        optuna_study.tell(row, evaluations[-1].metric)

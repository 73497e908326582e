"""Bracket: the trials that compete for the longer runs, from asking to storing.

The sampler works on a study of its own (sampler_study.py), and learns from every batch before the next one is asked.
The strategy decides which trials are pruned, and when: our rungs (rungs.py), or Optuna's pruners (pruners.py).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import optuna
from optuna.pruners import BasePruner
from optuna.trial import FixedTrial, FrozenTrial, Trial

from search_spaces import from_params
from search_spaces.schedule import Schedule
from study.cli import interrupted_at_once
from study.machine import torch_threads
from study.objective import Engine, Evaluation, Executor, Objective, PatientExecutor, Run
from study.search.candidate import Candidate
from study.search.configuration import Configuration
from study.search.failures import Failures
from study.search.reference import Reference, planned_batch
from study.search.sampler_study import (
    ask,
    is_reference,
    make_sampler_study,
    pruner_notes,
    tell,
)
from study.search.samplers.choice import make_sampler
from study.storage.damage import reading
from study.storage.record_format import evaluations_of
from study.storage.studies import lower_cohort
from study.storage.trial_record import Place, Seeds, TrialRecord
from study.storage.trial_row import plain_arguments, recorded_curve, trial_row

SAVE_EVERY = 5.0
"""Seconds between two saves of the runs that an unfinished bracket has finished. A search that is killed loses at most
the work of this time, and the cohorts in training; with pruners that prune midway, the batch."""


class Strategy(Protocol):
    """Which trials are pruned, and when.

    pruner: of the sampler's study. completes_first_runs: whether the sampler sees each trial as complete, with the
    value of its first run. needs_history: whether sampler or pruner look at trials of earlier brackets. saves_runs:
    whether runs that have ended are saved while their bracket is unfinished. keeps_notes: whether the pruner
    must find its notes on a trial again.
    """

    pruner: BasePruner
    completes_first_runs: bool
    needs_history: bool
    saves_runs: bool
    keeps_notes: bool

    def run(self, bracket: Bracket) -> Iterator[None]:
        """Ask, train, prune and store all trials of the bracket; yields after every evaluation."""

    def observe(self, bracket: Bracket, candidate: Candidate, evaluation: Evaluation, budget: int) -> None:
        """Report the value of the evaluation, and prune the candidate if it is due."""


@dataclass
class Bracket:
    """One bracket under way.

    earlier: the trials of the brackets before it. stored: positions that are in the storage. stored_before: positions
    that an earlier start of the search has stored. learnt: the sampler's study of the bracket before it, if the sampler
    knows from it what the earlier trials would tell it. training, budget: the candidates that are trained now, and the
    epochs of their runs. ahead: the next bracket, if it has begun. is_ahead: whether the bracket before it has not
    ended. explored: whether all trials have had their first run. finished: whether all trials are stored.
    """

    number: int
    size: int
    optuna_study: optuna.Study
    objective: Objective
    configuration: Configuration
    executor: Executor
    strategy: Strategy
    earlier: Sequence[FrozenTrial] = ()
    stored: set[int] = field(default_factory=set)
    interrupted: Callable[[], bool] = lambda: False
    attach: Callable[[FrozenTrial], FrozenTrial] = lambda trial: trial
    failures: Failures = field(default_factory=Failures)
    learnt: optuna.Study | None = None
    candidates: list[Candidate] = field(default_factory=list)
    training: Sequence[Candidate] = ()
    budget: int = 0
    ahead: Bracket | None = None
    is_ahead: bool = False
    explored: bool = False
    finished: bool = False

    def __post_init__(self) -> None:
        self.stored_before = frozenset(self.stored)
        self.saved_at = time.monotonic()
        self.saved = self.load()
        self.steps_per_epoch = self.objective.steps(1)
        self.besides = self.configuration.besides(self.objective)
        stored = self.optuna_study.user_attrs.get("configuration", {})
        self.split_seed = stored.get("split_seed", 0)
        self.known, self.reference = stored.get("enqueued", ()), Reference.read(stored.get("reference"))
        self.earlier_references = [TrialRecord.of(trial) for trial in self.earlier if is_reference(trial)]
        self.sampler_study = self.learnt or make_sampler_study(
            self.earlier if self.strategy.needs_history else (),
            self.objective.metric.direction,
            self.strategy.pruner,
            self.strategy.completes_first_runs,
        )

    def run(self) -> Iterator[None]:
        """Train and store all trials; yields after every evaluation."""
        try:
            yield from self.strategy.run(self)
        except KeyboardInterrupt:
            self.save()  # what has ended since the last time
            raise
        if self.optuna_study.user_attrs.get("unfinished"):
            self.optuna_study.set_user_attr("unfinished", self.saved_ahead())
        self.finished = True

    def ask(self) -> list[Candidate]:
        """Draw the next batch, with the runs that it has already had; empty if the bracket is full."""
        begin, c = len(self.candidates), self.configuration
        number = begin // c.trials_per_batch
        self.sampler_study.sampler = make_sampler(c.sampler, c.startup_trials, c.sampler_seed, self.number, number)
        places = range(len(self.earlier) + begin, len(self.earlier) + min(begin + c.trials_per_batch, self.size))
        planned = planned_batch(places, self.known, self.reference, self.tried_references())
        with torch_threads(1), interrupted_at_once():  # a Gaussian process's matrices are too small to share
            asked = [ask(self.sampler_study, one) for one in planned]
            schedules = [self.suggest(trial) for trial in asked]
        batch = []
        for position, (trial, schedule, one) in enumerate(zip(asked, schedules, planned, strict=True), start=begin):
            batch.append(Candidate(trial, schedule, position, number, is_reference=bool(one and one.is_reference)))
            if str(position) in self.saved:
                with reading(self.optuna_study.study_name):
                    batch[-1].load(self.saved[str(position)])
        self.candidates += batch
        return batch

    def tried_references(self) -> list[tuple[Mapping[str, Any], float]]:
        """Parameters and value after the first run of each trial of the reference so far; a lower value is better."""
        first, metric = self.configuration.budgets(self.steps_per_epoch)[0], self.objective.metric
        tried = [(one.params, one.reported) for one in self.earlier_references]
        tried += [(one.trial.params, one.reported) for one in self.candidates if one.is_reference]
        return [(params, metric.sign * reported.get(first, metric.worst)) for params, reported in tried]

    def suggest(self, trial: Trial | FixedTrial) -> Schedule:
        """Draw one schedule; raises KeyboardInterrupt before, as this takes seconds with some samplers."""
        if self.interrupted():
            raise KeyboardInterrupt
        if isinstance(trial, FixedTrial):
            return from_params(trial.params)
        return self.configuration.suggest(trial, self.objective.peak_lr, self.besides)

    def tell(self, batch: Sequence[Candidate]) -> None:
        """Let the sampler learn from the values that these trials have reported."""
        for candidate in batch:
            tell(self.sampler_study, candidate.trial, self.strategy.completes_first_runs)

    def train(self, live: Sequence[Candidate], budget: int) -> Iterator[None]:
        """Train one run of this budget for each candidate that has not had it; yields after every evaluation."""
        self.training, self.budget = live, budget
        seed = self.configuration.train_seed
        looks = evaluations_of(budget)
        runs = [Run(one.schedule, budget, seed, looks, weight_decay=one.weight_decay) for one in live]
        done = {index for index, candidate in enumerate(live) if candidate.trained >= budget}
        for candidate in live:
            if candidate.trained == budget:  # loaded: it ended here at an earlier start
                candidate.pruned = candidate.evaluations[-1].diverged
        begun: dict[int, Candidate] = {}
        seconds_before = [candidate.seconds for candidate in live]
        spent = 0.0

        def stop(run: int) -> bool:
            return (run in begun and live[run].pruned) or self.interrupted()

        def share_seconds() -> None:
            steps = sum(candidate.evaluations[-1].step for candidate in begun.values())
            for index, candidate in begun.items():
                candidate.seconds = seconds_before[index] + spent * candidate.evaluations[-1].step / steps

        executor = self.executor
        train = executor.train_patiently if isinstance(executor, PatientExecutor) else executor.train
        training = train(runs, stop, done)
        while True:
            began = time.perf_counter()
            try:
                evaluation = next(training)
            except StopIteration:
                break
            finally:
                spent += time.perf_counter() - began
            if evaluation is None:  # it waits
                yield
                continue
            candidate = live[evaluation.run]
            if evaluation.run not in begun:
                begun[evaluation.run] = candidate
                candidate.evaluations = []
            if evaluation.too_large and not self.is_ahead:
                lower_cohort(self.optuna_study, math.ceil(evaluation.too_large[-1] / 2))
            candidate.observe(evaluation, budget, self.steps_per_epoch)
            self.strategy.observe(self, candidate, evaluation, budget)
            self.failures.count(evaluation)
            if time.monotonic() - self.saved_at > SAVE_EVERY:
                share_seconds()
                self.save()
            yield
        if self.interrupted():
            raise KeyboardInterrupt
        if begun:
            share_seconds()

    def prune(self, candidate: Candidate, epochs: int) -> None:
        """Prune after these epochs, unless the audit draws the candidate, which is the same at every start."""
        seed = [self.configuration.sampler_seed, self.number, candidate.position, 1]
        if np.random.default_rng(seed).random() < self.configuration.audit:
            candidate.audited_from = epochs
        else:
            candidate.pruned = True

    def store(self, ended: Sequence[Candidate]) -> None:
        """Write the trials that have ended to the storage, each in one transaction."""
        for candidate in ended:
            if candidate.position not in self.stored:
                self.optuna_study.add_trial(self.attach(self.row(candidate)))
                self.stored.add(candidate.position)

    def store_what_has_ended(self) -> None:
        """Store the candidates whose last run has ended, as they are: a study in memory is kept by nothing else."""
        ended = [one for one in self.candidates if one.evaluations and one.evaluations[-1].last]
        for candidate in ended:
            candidate.pruned = candidate.pruned or candidate.trained < self.configuration.budget
        self.store(ended)
        if self.ahead:
            self.ahead.store_what_has_ended()

    def row(self, candidate: Candidate) -> FrozenTrial:
        """The candidate, which has ended, as it is stored."""
        c, metric = self.configuration, self.objective.metric
        last = candidate.evaluations[-1]
        best = min(candidate.evaluations, key=lambda evaluation: metric.sign * evaluation.metric)
        record = TrialRecord(
            number=candidate.trial.number,
            complete=not candidate.pruned,
            value=last.metric,
            params=candidate.trial.params,
            reported=candidate.reported,
            place=Place(self.number, self.size, candidate.position, candidate.batch),
            seeds=Seeds(c.sampler_seed, c.train_seed, self.split_seed),
            torch_arguments=plain_arguments(
                self.objective.fitted(candidate.schedule, c.budget).resolve(self.objective.steps(c.budget))
            ),
            epochs_used=candidate.epochs_used,
            cohorts=candidate.cohorts,
            engine=Engine(last.cohort).name,
            too_large=last.too_large,
            best_epoch=best.step / self.steps_per_epoch,
            diverged=last.diverged,
            audited_from=candidate.audited_from,
            seconds=round(candidate.seconds, 3),
            curve=recorded_curve(candidate.evaluations, metric.name),
            failure=last.failure,
            is_reference=candidate.is_reference,
            outside=candidate.outside,
            raw_value=last.raw_metric,
        )
        notes = pruner_notes(self.sampler_study, candidate.trial) if self.strategy.keeps_notes else {}
        return trial_row(record, candidate.trial.distributions, candidate.began, notes)

    def save(self) -> None:
        """Save the finished runs of unfinished trials, if the strategy allows it."""
        self.saved_at = time.monotonic()
        if self.strategy.saves_runs:
            kept = {str(candidate.position): candidate.saved() for candidate in self.candidates if candidate.trained}
            mine: dict[str, Any] = {"generation": self.number, "size": self.size, "candidates": kept}
            before = self.optuna_study.user_attrs.get("unfinished", {})
            if self.is_ahead and before.get("generation") != self.number:  # it is, once the one before it has finished
                mine = {**before, "ahead": {**mine, "cohort": self.cohort}}
            elif (ahead := before.get("ahead")) and ahead["generation"] != self.number:
                mine["ahead"] = ahead
            self.optuna_study.set_user_attr("unfinished", mine)

    def load(self) -> dict[str, dict[str, Any]]:
        """The runs of this bracket that an earlier start has saved, by position."""
        for one in (self.optuna_study.user_attrs.get("unfinished", {}), self.saved_ahead()):
            if (one.get("generation"), one.get("size")) == (self.number, self.size):
                return dict(one.get("candidates", {}))
        return {}

    def saved_ahead(self) -> dict[str, Any]:
        """What is saved of a bracket ahead; nothing if memory ran out since, as it then trains in smaller cohorts."""
        ahead: dict[str, Any] = self.optuna_study.user_attrs.get("unfinished", {}).get("ahead", {})
        return ahead if ahead.get("cohort") == self.cohort else {}

    def forget(self) -> None:
        """Delete what is saved of this bracket."""
        kept = self.optuna_study.user_attrs.get("unfinished", {})
        if kept.get("generation") == self.number:
            self.optuna_study.set_user_attr("unfinished", {})
        elif "ahead" in kept:
            self.optuna_study.set_user_attr("unfinished", {key: kept[key] for key in kept if key != "ahead"})

    @property
    def cohort(self) -> int | None:
        """Maximum number of runs trained together, if several cohorts can be trained at the same time."""
        return self.executor.cohort if isinstance(self.executor, PatientExecutor) else None

    def provisional_rows(self) -> list[FrozenTrial]:
        """The candidates as far as they are trained: what the next bracket is asked from, if it begins before the end.

        All must have had their first run.
        """
        return [self.row(candidate) for candidate in self.candidates]

    def follow(self, earlier: Sequence[FrozenTrial], executor: Executor, failures: Failures) -> None:
        """Continue as the first bracket that has not ended. earlier: the trials of the brackets before it, all stored.
        failures: of their runs.

        The sampler knows of them what it needs: their first runs. The promotions need all runs.
        """
        self.is_ahead, self.earlier, self.executor = False, earlier, executor
        self.failures.follow(failures)

    @property
    def tried(self) -> int:
        """How many trials have begun, not counting those that were stored before this start."""
        return sum(bool(candidate.evaluations) for candidate in self.on_their_way)

    @property
    def epochs_trained(self) -> float:
        """Epochs that the same trials have been trained for, over all rungs."""
        return sum(sum(candidate.epochs_used.values()) for candidate in self.on_their_way)

    @property
    def epochs_loaded(self) -> float:
        """How many of these epochs an earlier start trained."""
        return sum(candidate.epochs_loaded for candidate in self.on_their_way)

    @property
    def on_their_way(self) -> list[Candidate]:
        """The candidates that were not stored when this start began."""
        return [candidate for candidate in self.candidates if candidate.position not in self.stored_before]

"""Competition: the trials of one generation, asked in batches, tried as short runs; the best are trained in full.

The sampler works on a view of its own (view.py), and is told of every batch before the next is asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial

from study.executors.in_process import Trains
from study.machine import one_thread
from study.search.candidate import Candidate, frozen
from study.search.configuration import Configuration
from study.search.generation import Generation
from study.search.pruners import AT_EVERY_EPOCH, worst_to_go_on
from study.search.sampler_study import make_view, tell
from study.search.samplers.optuna_samplers import make_sampler
from study.storage.records import CURVE_POINTS, better_first, enqueued
from study.training.loop import Run
from study.workloads.workload import Workload

SAVE_EVERY = 5.0
"""Seconds between saves of the runs that an unfinished generation has behind it. A search that is killed loses no more
than these, and the cohorts in training; with the pruners that judge at every epoch, the batch."""


@dataclass
class Competition:
    """One generation on its way: what its steps share.

    stored: positions that are in the storage.
    """

    optuna_study: optuna.Study
    workload: Workload
    configuration: Configuration
    trainer: Trains
    generation: Generation
    stored: set[int]
    interrupted: Callable[[], bool]
    attach: Callable[[FrozenTrial], FrozenTrial]
    saved_at: float = field(default_factory=time.monotonic)

    @property
    def at_every_epoch(self) -> bool:
        """Whether values are reported at every epoch of a full run, not only at the end of runs."""
        return self.configuration.pruner != "horizon"

    def run(self, earlier: list[FrozenTrial]) -> Iterator[None]:
        """Try all at the first rung, batch by batch, then train who may go on; yields after every evaluation.

        earlier: the trials of the generations before.
        """
        horizons = self.configuration.horizons(self.workload.steps_per_epoch)
        first = horizons[0]
        known = enqueued(self.optuna_study)
        view = make_view(earlier, self.workload.metric.direction, self.configuration, known)
        seen = view.get_trials(deepcopy=False)
        saved = self.load()
        while len(self.generation.candidates) < self.generation.size:
            batch = self.ask(view, saved)
            yield from self.train(batch, first)
            for candidate in batch:
                if not self.at_every_epoch:
                    candidate.trial.report(candidate.reported[first], step=first)
                tell(view, candidate.trial, self.configuration)
        live, audited = self.generation.candidates, list[Candidate]()
        sign = better_first(self.optuna_study)
        for before, horizon in pairwise(horizons):
            values = [trial.intermediate_values[before] for trial in seen if before in trial.intermediate_values]
            values += [candidate.reported[before] for candidate in live if before in candidate.reported]
            worst = worst_to_go_on([sign * value for value in values], self.configuration.reduction)
            for candidate in live:
                if not candidate.pruned and sign * candidate.reported[before] > worst:
                    self.prune(candidate, before)
            self.store([candidate for candidate in live if candidate.pruned])
            audited += [candidate for candidate in live if candidate.audited_from]
            live = [candidate for candidate in live if not candidate.pruned and not candidate.audited_from]
            yield from self.train(live, horizon)
        self.store(live)
        yield from self.train(audited, self.configuration.epochs)  # apart, so that other cohorts are as without them
        self.store(audited)
        if self.optuna_study.user_attrs.get("unfinished"):
            self.optuna_study.set_user_attr("unfinished", {})

    def ask(self, view: optuna.Study, saved: dict[str, dict[str, Any]]) -> list[Candidate]:
        """Draw the next batch of the generation, and give it what it has trained already."""
        begin = len(self.generation.candidates)
        number = begin // self.configuration.trials_per_batch
        c = self.configuration
        view.sampler = make_sampler(c.sampler, c.startup_trials, c.sampler_seed, self.generation.number, number)
        with one_thread():  # a Gaussian process's matrices are too small to share
            asked = [view.ask() for _ in range(min(self.configuration.trials_per_batch, self.generation.size - begin))]
            schedules = [self.configuration.suggest(trial, self.workload) for trial in asked]
        batch = []
        for position, (trial, schedule) in enumerate(zip(asked, schedules, strict=True), start=begin):
            batch.append(Candidate(trial, schedule, position, number))
            if str(position) in saved:
                batch[-1].load(saved[str(position)])
                for epoch, value in batch[-1].reported.items() if self.at_every_epoch else ():
                    trial.report(value, step=epoch)
        self.generation.candidates += batch
        return batch

    def train(self, live: list[Candidate], horizon: int) -> Iterator[None]:
        """Train one run of so many epochs for each that has not had it, and report what it was worth."""
        evaluations = min(horizon, CURVE_POINTS)
        seed = self.configuration.train_seed
        runs = [Run(candidate.schedule, horizon, seed, evaluations) for candidate in live]
        done = {index for index, candidate in enumerate(live) if candidate.trained >= horizon}
        for candidate in live:
            if candidate.trained == horizon:  # loaded: it ended here at an earlier start
                candidate.pruned = candidate.evaluations[-1].diverged
        begun: dict[int, Candidate] = {}
        seconds_before = [candidate.seconds for candidate in live]
        spent = 0.0

        def stop(run: int) -> bool:
            return (run in begun and live[run].pruned) or self.interrupted()

        def share_seconds() -> None:
            updates = sum(candidate.evaluations[-1].step for candidate in begun.values())
            for index, candidate in begun.items():
                candidate.seconds = seconds_before[index] + spent * candidate.evaluations[-1].step / updates

        evaluations_made = self.trainer.train(runs, stop, done)
        while True:
            began = time.perf_counter()
            evaluation = next(evaluations_made, None)
            spent += time.perf_counter() - began
            if evaluation is None:
                break
            candidate = live[evaluation.run]
            if evaluation.run not in begun:
                begun[evaluation.run] = candidate
                candidate.evaluations = []
            epoch = candidate.hear(evaluation, horizon, self.at_every_epoch, self.workload.steps_per_epoch)
            candidate.pruned = evaluation.diverged
            if self.at_every_epoch and epoch and not candidate.audited_from:
                candidate.trial.report(evaluation.metric, step=epoch)
                if not evaluation.last and candidate.trial.should_prune():
                    self.prune(candidate, epoch)
            if time.monotonic() - self.saved_at > SAVE_EVERY:
                share_seconds()
                self.save()
            yield
        if self.interrupted():
            raise KeyboardInterrupt
        if begun:
            share_seconds()

    def prune(self, candidate: Candidate, epoch: int) -> None:
        """Prune at this epoch, or draw the candidate for the audit, which lets it run on; the same at every start."""
        seed = [self.configuration.sampler_seed, self.generation.number, candidate.position, 1]
        if np.random.default_rng(seed).random() < self.configuration.audit:
            candidate.audited_from = epoch
        else:
            candidate.pruned = True

    def store(self, ended: list[Candidate]) -> None:
        """Write the trials that have ended to the storage, each in one transaction."""
        where = {"generation": self.generation.number, "size": self.generation.size}
        for candidate in ended:
            if candidate.position not in self.stored:
                trial = frozen(candidate, where, self.workload, self.configuration)
                self.optuna_study.add_trial(self.attach(trial))
                self.stored.add(candidate.position)

    def save(self) -> None:
        """Write down the runs that have ended, of trials that have not.

        Not where Optuna's pruners judge: what they say of a trial depends on how far the others are.
        """
        self.saved_at = time.monotonic()
        if self.configuration.pruner not in AT_EVERY_EPOCH:
            kept = {
                str(candidate.position): candidate.saved()
                for candidate in self.generation.candidates
                if candidate.trained
            }
            mine = {"generation": self.generation.number, "size": self.generation.size, "candidates": kept}
            self.optuna_study.set_user_attr("unfinished", mine)

    def load(self) -> dict[str, dict[str, Any]]:
        """What an earlier start has saved of this generation, by position."""
        kept = self.optuna_study.user_attrs.get("unfinished", {})
        mine = (kept.get("generation"), kept.get("size")) == (self.generation.number, self.generation.size)
        return dict(kept["candidates"]) if mine else {}

"""A user's own training as an objective: one run at a time, and what it says of each evaluation is checked."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from search_spaces.errors import InputError
from search_spaces.metric_values import metric_name, value_on
from search_spaces.schedule import Schedule
from search_spaces.step_watch import Left
from study.objective import Evaluation, Metric, Run, Stop, Unit, WeightDecay
from study.training.declaration import Declaration
from study.training.first_run import EVALUATE, FirstRunResult, check_steps, first_runs
from study.training.silence import Pace
from study.training.trainer import Died, Reported, RunRequest, Trainer
from study.workloads.made_of import changes, made_of


@dataclass(frozen=True)
class OwnTraining:
    """An `Objective`: what a user's function or script trains. first_run: what the first runs found, None before."""

    trainer: Trainer
    declared: Declaration
    device: torch.device
    unit: Unit = "epochs"
    first_run: FirstRunResult | None = None
    pace: Pace = field(default_factory=Pace)

    @property
    def name(self) -> str:
        return self.trainer.name

    @property
    def known(self) -> FirstRunResult:
        """What the first runs found."""
        if self.first_run is None:
            raise ValueError(f"{self.name} has had no first run")
        return self.first_run

    @property
    def metric(self) -> Metric:
        found = self.known
        return Metric(found.metric, "minimize" if self.declared.sign > 0 else "maximize", "", found.worst)

    @property
    def peak_lr(self) -> tuple[float, float]:
        return self.known.peak_lr

    resident = False
    mixes_seeds = True
    can_be_timed = False

    @property
    def seconds(self) -> tuple[float, float] | None:
        return self.known.seconds

    @property
    def about(self) -> str:
        """What the first runs found, for people."""
        return "\n".join(self.known.notes)

    def counting(self, unit: Unit) -> OwnTraining:
        """The same, with budgets in this unit."""
        return replace(self, unit=unit)

    def in_folder(self, folder: Path) -> OwnTraining:
        """The same, its runs' folders in this one."""
        return replace(self, trainer=self.trainer.in_folder(folder))

    def after_first_runs(self, budget: int, announce: Callable[[str], None] = lambda line: None) -> OwnTraining:
        """The same, with what the first runs find now. announce: is given lines for people.

        Raises InputError for what makes a search worthless.
        """
        return replace(self, first_run=first_runs(self.trainer, self.declared, self.unit, budget, announce))

    def steps(self, budget: int) -> int:
        return budget * self.known.steps

    def fingerprint(self) -> str:
        """Of the data nothing is known; the code's digest is part of the configuration."""
        return ""

    def attributes(self) -> dict[str, Any]:
        found, metric = self.known, self.metric
        return {
            "workload": self.name,
            "metric": {"name": metric.name, "direction": metric.direction, "unit": metric.unit, "worst": metric.worst},
            "optimizer_code": found.optimizer_code,
            "steps_per_epoch": found.steps,
            "first_run": found.plain(),
            "made_of": made_of(None),
        }

    def changes(self, stored: Mapping[str, Any] | None) -> list[str]:
        """What differs from the record `made_of` of a study, by name."""
        now = made_of(None)
        return changes(stored, now, lambda: now)

    def check(self, schedules: Sequence[Schedule]) -> None:
        """The first runs have checked it."""

    def fitted(self, schedule: Schedule, budget: int) -> Schedule:
        evaluations: dict[str, Any] = {"evaluations": max(1, round(self.known.evaluations * budget))}
        return replace(schedule, **evaluations) if schedule.evaluations else schedule

    @property
    def weight_decay(self) -> WeightDecay:
        raise InputError(
            f"weight_decay cannot be searched for {self.name}, because your own training makes its optimizer itself: "
            "remove --search weight_decay, and weight_decay from --space, or give --dataset, --model and --optimizer"
        )

    def schedule_obstacle(self, schedule: Schedule) -> str | None:
        if schedule.replaces_optimizer:
            return "it replaces the optimizer, which your own training makes: give --dataset, --model and --optimizer"
        if why := self.trainer.schedule_obstacle(schedule, self.known.seen):
            return why
        if self.known.momentum is False and cycles_momentum(schedule):
            return "your optimizer has no momentum" if self.known.seen else "a plain list of rates sets no momentum"
        return None

    def lockstep_obstacle(self) -> str:
        return "your own training runs one at a time"

    def process_obstacle(self) -> str | None:
        return self.trainer.process_obstacle()

    def largest_cohort(self) -> int:
        return 1

    def code(self) -> Mapping[str, str]:
        """The files that the command names, or the function's."""
        return self.trainer.record().get("sources") or {}

    def elsewhere(self) -> OwnTraining:
        """It has no data of its own."""
        return self

    def at(self, device: torch.device) -> OwnTraining:
        return replace(self, device=device, pace=Pace())

    def train(self, runs: Sequence[Run], stop: Stop) -> Iterator[Evaluation]:
        for index, run in enumerate(runs):
            yield from self.train_one(index, run, stop)

    def train_one(self, index: int, run: Run, stop: Stop) -> Iterator[Evaluation]:
        """The evaluations of one run; one that fails or hangs ends as a diverged one does, with the reason."""
        if stop(index):  # before anything is started
            return
        last, began = Evaluation(index, 0, self.steps(run.budget), math.nan, self.known.worst), time.monotonic()
        try:
            with closing(self.trainer.run(self.request(run), lambda: stop(index))) as evaluations:
                for reported in evaluations:
                    last = self.evaluation(reported, last, run)
                    if not last.last or last.diverged:  # the end is known when the training has ended
                        yield last
                    if last.diverged or stop(index):
                        return
        except (Left, Died, InputError) as error:
            if isinstance(error, Left) or stop(index):  # it was to end, however it did
                return
            if isinstance(error, InputError) and (last.step or not self.may_lack_momentum(run.schedule)):
                raise
            yield self.ended(last, str(error))
            return
        if not last.step:
            raise InputError(f"a run of {self.name} made no evaluation: {EVALUATE}")
        self.pace.ended(run.budget, time.monotonic() - began)
        yield replace(last, step=last.total_steps)  # what was found last is the run's value

    def may_lack_momentum(self, schedule: Schedule) -> bool:
        """Whether a run may be refused for a momentum that it cycles: in studies made before it was looked for."""
        return cycles_momentum(schedule) and self.known.momentum is None

    def request(self, run: Run) -> RunRequest:
        """What the trainer is asked for."""
        schedule, found = self.fitted(run.schedule, run.budget), self.known
        silence = self.pace.longest_silence(run.budget, found.slowest)
        sign = self.declared.sign
        return RunRequest(schedule, run.budget, self.unit, run.train_seed, found.metric, sign, silence=silence)

    def evaluation(self, reported: Reported, before: Evaluation, run: Run) -> Evaluation:
        """What was reported, as an evaluation of the run; before: the one before it."""
        noted, metric = reported.noted, self.metric
        step, total = self.step(reported), self.total_steps(reported, run)
        value = value_on("val", noted.values, metric_name(noted.values, metric.name))
        assert value is not None
        loss = noted.values.get("val_loss", metric.sign * value)
        held = (run.schedule.peak_lr if math.isnan(noted.lr) else noted.lr, noted.momentum)
        if not (math.isfinite(value) and math.isfinite(loss)):
            return Evaluation(before.run, step, total, math.inf, metric.worst, *held, diverged=True)
        test = value_on("test", noted.values, metric.name) if run.test else None
        tested = None if test is None else metric.bounded(test)
        return Evaluation(before.run, step, total, loss, metric.bounded(value), *held, test_metric=tested)

    def step(self, reported: Reported) -> int:
        """Steps done at an evaluation. If they are not seen, evaluations lie as far apart as in the first run."""
        at = reported.noted.step
        return at if reported.begun else max(1, round(at * self.known.steps / self.known.evaluations))

    def total_steps(self, reported: Reported, run: Run) -> int:
        """The length of the run as it says itself; raises InputError if that does not follow the budget."""
        expected = self.steps(run.budget)
        if reported.begun is None:
            return max(expected, self.step(reported))
        found = reported.begun.total_steps
        check_steps(found, expected, run.budget, self.unit, self.name)
        return found

    def ended(self, last: Evaluation, reason: str) -> Evaluation:
        """The last evaluation of a run that failed."""
        step = max(1, last.step)
        failed = replace(last, step=step, diverged=True, failure=reason)
        return replace(failed, loss=math.inf, metric=self.metric.worst, test_metric=None)


def cycles_momentum(schedule: Schedule) -> bool:
    """Whether it moves the optimizer's momentum too."""
    return bool(getattr(schedule, "cycle_momentum", False))

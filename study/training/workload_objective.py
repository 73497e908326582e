"""A workload as an objective: its runs are trained one by one or in lockstep."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch

from search_spaces.errors import InputError, words_of
from search_spaces.schedule import Schedule
from search_spaces.schedule_free_optimizer import schedule_free_obstacle
from search_spaces.weight_decay import own_weight_decay, usual_weight_decay
from study.machine import free_memory, is_of_device, same_bits_every_time, same_random_numbers_after
from study.objective import Evaluation, Metric, Run, Stop, Unit, WeightDecay
from study.training.lockstep import Lockstep
from study.training.lockstep_check import draws_random_numbers, lockstep_obstacle
from study.training.loop import train_cohort
from study.training.memory import bytes_of_a_run
from study.training.plain import Plain
from study.training.workload_check import check_momentum, check_workload
from study.workloads.data import Data
from study.workloads.made_of import changes, made_of
from study.workloads.raised import is_of_ours, users_code
from study.workloads.user_code import functions_in, path_of
from study.workloads.workload import Workload

MEMORY_SHARE = 0.8
"""Fraction of the free memory that a cohort may take."""
FEW_ROWS = 200
"""With fewer validation rows than this, schedules can hardly be compared."""


@dataclass(frozen=True)
class WorkloadObjective:
    """An `Objective` that trains a workload on the device of its data. unit: of budgets.

    trained_on: the device of other processes that train it; None if this process does.
    """

    workload: Workload
    unit: Unit = "epochs"
    trained_on: torch.device | None = None

    @property
    def name(self) -> str:
        return self.workload.name

    @property
    def metric(self) -> Metric:
        return self.workload.metric

    @property
    def peak_lr(self) -> tuple[float, float]:
        return self.workload.peak_lr

    @property
    def device(self) -> torch.device:
        return self.trained_on or self.workload.device

    @property
    def resident(self) -> bool:
        return self.workload.data.resident

    can_be_timed = True
    seconds = None

    @property
    def about(self) -> str:
        data, share = self.workload.data, self.workload.averaging_fraction
        lines = [*data.about.splitlines(), *few_rows(data)]
        said = "\n  ".join([f"Data: {lines[0]}", *lines[1:]]) if data.about else "\n".join(few_rows(data))
        average = [] if share is None else [f"Weights: averaged over {100 * share:.3g} % of the run, to be evaluated"]
        return "\n".join(filter(None, [said, *average]))

    @cached_property
    def mixes_seeds(self) -> bool:
        """False if the model draws random numbers, since the runs of a cohort share one generator."""
        with self.users_training():
            return not draws_random_numbers(self.workload)

    def steps(self, budget: int) -> int:
        return budget * (self.workload.steps_per_epoch if self.unit == "epochs" else 1)

    def counting(self, unit: Unit) -> WorkloadObjective:
        """The same, with budgets in this unit."""
        return replace(self, unit=unit)

    def fingerprint(self) -> str:
        return self.workload.data.fingerprint()

    def attributes(self) -> dict[str, Any]:
        return self.workload.attributes() | {"steps_per_epoch": self.steps(1), "made_of": self.made_of}

    @cached_property
    def made_of(self) -> dict[str, Any]:
        """See `study.workloads.made_of`."""
        return made_of(self.workload)

    def changes(self, stored: Mapping[str, Any] | None) -> list[str]:
        """What differs from the record `made_of` of a study, by name."""
        return changes(stored, self.made_of, lambda: made_of(self.workload))

    def check(self, schedules: Sequence[Schedule]) -> None:
        check_workload(self.workload)
        with self.users_training():
            check_momentum(self.workload, schedules)

    def fitted(self, schedule: Schedule, budget: int) -> Schedule:
        """Our loop evaluates as often as the schedule asks for."""
        return schedule

    @cached_property
    def weight_decay(self) -> WeightDecay:
        with same_random_numbers_after(self.workload.device), self.users_training():
            optimizer = self.workload.make_optimizer(self.workload.make_model())
        own, name = own_weight_decay(optimizer), type(optimizer).__name__
        if not any("weight_decay" in group for group in optimizer.param_groups):
            raise InputError(
                f"{name} has no weight_decay in its parameter groups, so it cannot be searched: "
                "remove --search weight_decay, and weight_decay from --space, or choose another --optimizer"
            )
        if not own > 0:
            raise InputError(
                "a search of weight_decay needs an optimizer that decays weights, which shows the parameters that "
                f"decay, but the weight decay of this {name} is {own:g}: give --weight-decay above 0, or make an "
                "optimizer that has weight decay"
            )
        return WeightDecay(own, *usual_weight_decay(optimizer))

    def schedule_obstacle(self, schedule: Schedule) -> str | None:
        """Our loop trains every schedule, unless it replaces an optimizer and cannot."""
        return self.replacing_obstacle if schedule.replaces_optimizer else None

    @cached_property
    def replacing_obstacle(self) -> str | None:
        """Why a schedule cannot replace the optimizer; None if it can."""
        if self.workload.averaging_fraction is not None:
            return "it evaluates averaged weights itself: remove --average"
        with same_random_numbers_after(self.workload.device), self.users_training():
            return schedule_free_obstacle(self.workload.make_optimizer(self.workload.make_model()))

    def lockstep_obstacle(self) -> str | None:
        with self.users_training():
            return lockstep_obstacle(self.workload)

    def process_obstacle(self) -> str | None:
        workload = self.workload
        if not workload.data.resident:
            return f"{workload.data.name} already has worker processes that read it: remove --workers"
        functions = (workload.make_model, workload.make_optimizer, workload.loss, workload.measure)
        for function in (part for whole in functions for part in functions_in(whole)):
            if function.__module__ == "__main__":
                named = path_of(function).partition(":")[2]
                return f"--workers requires functions of a module, but {named} is in a notebook or script: remove it"
        try:
            pickle.dumps((workload.make_model, workload.make_optimizer, workload.loss, workload.metric))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            why = words_of(error)
            return f"--workers requires functions of a module, not lambdas or inner functions ({why}): remove it"
        return None

    def largest_cohort(self) -> int:
        with self.users_training():
            return int(MEMORY_SHARE * free_memory(self.device) / bytes_of_a_run(self.workload))

    def code(self) -> Mapping[str, str]:
        """Its functions are in modules."""
        return {}

    def elsewhere(self) -> WorkloadObjective:
        return replace(self, workload=self.workload.to(torch.device("cpu")), trained_on=self.device)

    def at(self, device: torch.device) -> WorkloadObjective:
        if not self.resident:
            for split in (self.workload.data.train, self.workload.data.validation, self.workload.data.test):
                split.first(1)  # such as a file that this machine does not have
        return replace(self, workload=self.workload.to(device), trained_on=None)

    def train(self, runs: Sequence[Run], stop: Stop) -> Iterator[Evaluation]:
        # The learner seeds torch's generators.
        with same_random_numbers_after(self.device), same_bits_every_time(self.device), self.users_training():
            learner = (Plain if len(runs) == 1 else Lockstep)(self.workload, runs)
            yield from train_cohort(self.workload, runs, learner, stop, self.steps(runs[0].budget))

    def users_training(self) -> AbstractContextManager[None]:
        """A context in which what the workload's code raises is an InputError."""
        return users_code(f"{self.name}: training failed", handled_elsewhere)


def handled_elsewhere(error: BaseException) -> bool:
    """Whether a device failed, which executors know, or the reader of what the user's code prints closed the pipe; or
    code of ours is wrong, which a traceback shows."""
    return is_of_device(error) or isinstance(error, BrokenPipeError) or is_of_ours(error)


def few_rows(data: Data) -> list[str]:
    """A warning if there are few validation rows."""
    rows = data.validation.rows
    if rows >= FEW_ROWS:
        return []
    return [f"note: only {rows} validation rows: one row is {1 / rows:.1%} of them, so small differences are chance"]

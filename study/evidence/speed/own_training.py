"""What a search adds to a run of a user's own training, and whether workload, function and script find the same.

As a script: `python -m study.evidence.speed.own_training train EPOCHS SEED`, or `... steps STEPS SEED`.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import torch

from search_spaces import REX, SGD_PEAK_LR, Schedule, suggest
from study import script
from study.executors.in_process import InProcess
from study.objective import Objective, Run
from study.training.command_line import CommandLine
from study.training.declaration import Declaration
from study.training.own_training import OwnTraining
from study.training.trainer import RunRequest, Trainer
from study.training.user_function import UserFunction
from study.training.user_script import UserScript
from study.training.workload_objective import WorkloadObjective
from study.workloads.options import WorkloadOptions
from study.workloads.workload import Workload

MODULE = "study.evidence.speed.own_training"
EVALUATIONS = 20
"""Of a run of steps."""


@cache
def workload() -> Workload:
    """The digits data, an MLP and SGD."""
    return WorkloadOptions(dataset="digits").load(Path(gettempdir()))


def train(schedule: Any, epochs: int, seed: int) -> Iterator[dict[str, float]]:
    """A run of the workload, as a user writes it."""
    data, size, steps_per_epoch = workload().data, workload().batch_size, workload().steps_per_epoch
    (x, y), (validation_x, validation_y) = (
        data.train.first(data.train.rows),
        data.validation.first(data.validation.rows),
    )
    torch.manual_seed(seed)
    model = workload().make_model()
    optimizer = workload().make_optimizer(model)
    scheduler = schedule.build(optimizer, epochs * steps_per_epoch)
    orders = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=orders)[: steps_per_epoch * size].split(size):
            optimizer.zero_grad()
            workload().loss(model(x[rows]), y[rows]).mean().backward()
            optimizer.step()
            scheduler.step()
        with torch.no_grad():
            wrong = workload().measure(model(validation_x), validation_y)
        yield {"val_error": float(wrong.double().mean())}


def only_steps(schedule: Any, steps: int, seed: int) -> Iterator[dict[str, float]]:
    """A run of nothing but the optimizer's and the scheduler's steps: so what is added to them is seen."""
    weight = torch.nn.Parameter(torch.zeros(1))
    weight.grad = torch.zeros(1)
    optimizer = torch.optim.SGD([weight], lr=1.0)
    scheduler = schedule.build(optimizer, steps)
    for step in range(1, steps + 1):
        optimizer.step()
        scheduler.step()
        if step % (steps // EVALUATIONS) == 0:
            yield {"val_error": 1 / (1 + step)}


class OfTheRun:
    """The schedule of the run that this process trains, under the name that a function's schedule has."""

    build = staticmethod(script.scheduler)


def command(what: str, unit: str, folder: Path) -> UserScript:
    """This module as a script."""
    return UserScript(CommandLine(f"{shlex.quote(sys.executable)} -m {MODULE} {what} {{{unit}}} {{seed}}"), folder)


def values_in_each_way(schedules: Sequence[Schedule], epochs: int, folder: Path) -> dict[str, list[float]]:
    """The value of a run of each schedule, trained as a workload, by a function and by a script."""
    own: dict[str, Trainer] = {"function": UserFunction(train), "script": command("train", "epochs", folder)}
    cpu, declared = torch.device("cpu"), Declaration(metric="error", worst=1.0)
    objectives: dict[str, Objective] = {"workload": WorkloadObjective(workload())}
    objectives |= {name: OwnTraining(trainer, declared, cpu).after_first_runs(epochs) for name, trainer in own.items()}
    runs = [Run(schedule, epochs, 0, epochs) for schedule in schedules]
    found = {}
    for name, objective in objectives.items():
        last = {one.run: one.metric for one in InProcess(objective).train(runs)}
        found[name] = [last[number] for number in range(len(runs))]
    return found


def drawn_schedules(number: int) -> list[Schedule]:
    """Schedules drawn at random. Without plateau: our loop observes the loss with it, a user's what they yield."""
    import optuna

    from search_spaces import FAMILIES

    families = [name for name in FAMILIES if name != "plateau"]
    optuna_study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return [suggest(optuna_study.ask(), families, SGD_PEAK_LR) for _ in range(number)]


def seconds_of(run: Callable[[], Any], rounds: int) -> float:
    """The least processor time of a call."""
    return min(timed(run) for _ in range(rounds))


def timed(run: Callable[[], Any]) -> float:
    """Processor time of a call, which other programs disturb little."""
    began = time.process_time()
    run()
    return time.process_time() - began


def added_by_a_function(steps: int, rounds: int) -> float:
    """Seconds that a search adds to a run of this many steps of a function, in the processor's time."""
    schedule, function = REX(peak_lr=0.1), UserFunction(only_steps)
    request = RunRequest(schedule, steps, "steps", 0, "error", silence=3600.0)
    alone = seconds_of(lambda: list(only_steps(schedule, steps, 0)), rounds)
    return seconds_of(lambda: list(function.run(request, lambda: False)), rounds) - alone


def added_by_a_script(steps: int, rounds: int, folder: Path) -> tuple[float, float]:
    """(seconds that a search adds within a script, seconds from its end to the next run), the least of some."""
    request = RunRequest(REX(peak_lr=0.1), steps, "steps", 0, "error", silence=3600.0)
    trainer = command("steps", "steps", folder)
    within, after = [], []
    for _ in range(rounds):
        list(trainer.run(request, lambda: False))
        now = time.time()
        (output,) = folder.glob("rex-*/output.txt")
        added, ended = map(float, output.read_text().split())
        within.append(added)
        after.append(now - ended)
    return min(within), min(after)


def main(what: str, length: int, seed: int) -> None:
    """Train a run of a study, as a script."""
    if what == "train":
        for values in train(OfTheRun, length, seed):
            script.report(values["val_error"])
        return
    list(only_steps(REX(peak_lr=0.1), EVALUATIONS, seed))  # what is loaded at the first step
    alone = seconds_of(lambda: list(only_steps(REX(peak_lr=0.1), length, seed)), 3)

    def searched() -> None:
        for values in only_steps(OfTheRun, length, seed):
            script.report(values["val_error"])

    print(timed(searched) - alone, time.time())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

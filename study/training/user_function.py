"""A function of the user's as what trains: a generator `train(schedule, epochs, seed)` that yields its evaluations."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from search_spaces.errors import InputError, words_of
from search_spaces.metric_values import metric_name, observable
from search_spaces.schedule import Schedule
from search_spaces.step_watch import Left
from search_spaces.watched import WatchedSchedule
from study.training.silence import Silent, breakable, hung
from study.training.trainer import Died, Reported, RunRequest
from study.training.yielded import read_yielded
from study.workloads.raised import failure
from study.workloads.user_code import bare_name, digest, is_importable, path_of, sources


@dataclass(frozen=True)
class UserFunction:
    """A `Trainer`. function: a generator function, which takes the schedule, `epochs` or `steps`, and `seed`."""

    function: Callable[..., Any]

    def __post_init__(self) -> None:
        made = self.function
        while isinstance(made, partial):
            made = made.func
        called = made if inspect.isroutine(made) else type(made).__call__
        if not inspect.isgeneratorfunction(called):
            raise InputError(
                f"{self.path} must be a generator: a function of (schedule, epochs, seed) that yields its validation "
                "value after each evaluation"
            )

    @property
    def path(self) -> str:
        """As `package.module:function`."""
        return path_of(self.function)

    @property
    def name(self) -> str:
        return bare_name(self.function)

    def shown(self, request: RunRequest) -> str:
        return f"{self.name}(schedule, {request.unit}={request.budget}, seed={request.seed})"

    def in_folder(self, folder: Path) -> UserFunction:
        """A function needs none."""
        return self

    def record(self) -> dict[str, Any]:
        """The function's name, with a digest of its file, or of itself if it cannot be imported."""
        if is_importable(self.function):
            return {"train": self.path, "sources": sources(self.path)}
        return {"train": self.path, "objects": {"train": digest(self.function)}}

    def schedule_obstacle(self, schedule: Schedule, seen: bool) -> str | None:
        observes = schedule.evaluations and not seen
        return "it observes evaluations, but schedule.rates is a plain list" if observes else None

    def process_obstacle(self) -> str | None:
        if is_importable(self.function):
            return None
        return (
            f"--workers need functions of a module, but {self.name} is not one: put it into a file, or remove --workers"
        )

    def run(self, request: RunRequest, left: Callable[[], bool]) -> Generator[Reported, None, None]:
        """As `Trainer.run`. Torch, numpy and random are seeded before, and are afterwards what they were."""

        def observed(values: Any) -> float:
            return observable(values, metric_name(values, request.metric), request.sign)

        watched = WatchedSchedule(request.schedule, observed, request.exact, left)
        with seeded(request.seed):
            training = self.call(watched, request)
            try:
                for yielded in as_yielded(training, request.silence):
                    step, values = read_yielded(yielded, request.metric)
                    noted = watched.note(values, step)
                    yield Reported(watched.begun, noted)
                watched.finish()
            except (InputError, Left, GeneratorExit, KeyboardInterrupt):
                raise
            except Silent as error:
                raise Died(hung(request.silence or 0)) from error
            except BaseException as error:  # whatever training does, SystemExit too
                raise Died(failure(error)) from error
            finally:
                with breakable(request.silence):
                    training.close()

    def call(self, watched: WatchedSchedule, request: RunRequest) -> Generator[Any, None, None]:
        """Begin the run; raises InputError if the function's parameters are others."""
        offered = {request.unit: request.budget, "seed": request.seed}
        parameters = inspect.signature(self.function).parameters
        takes = {name: value for name, value in offered.items() if name in parameters}
        try:
            inspect.signature(self.function).bind(watched, **takes)
        except TypeError as error:
            raise InputError(
                f"{self.path} must take (schedule, {request.unit}, seed), but it does not: {words_of(error)}"
            ) from error
        if request.unit not in takes:
            other = "steps" if request.unit == "epochs" else "epochs"
            how = f": it takes {other}, so give --{other}" if other in parameters else ""
            raise InputError(f"{self.path} must take {request.unit!r}, the length of its run{how}")
        training: Generator[Any, None, None] = self.function(watched, **takes)
        return training


def as_yielded(training: Generator[Any, None, None], silence: float | None) -> Iterator[Any]:
    """What the generator yields. Its code can be ended at any point, unlike ours, which may be writing."""
    end = object()
    while True:
        with breakable(silence):
            yielded = next(training, end)
        if yielded is end:
            return
        yield yielded


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Python's, numpy's and torch's global random numbers start from the seed here, and are restored afterwards."""
    python, arrays = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []):
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(arrays)

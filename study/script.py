"""What a training script of your own calls, to be searched with `--command`.

    from study.script import report, scheduler

    sched = scheduler(optimizer, total_steps) or my_scheduler    # the study's, or None outside a study
    ...
    sched.step()            # after every optimizer step
    report(val_error)       # after every evaluation; a schedule may observe it

Outside a study nothing happens: `scheduler` and `rates` return None, `report` does nothing. So it is in processes that
a script starts itself, such as those of a DataLoader. Where a script trains in several ranks, as under `torchrun`, each
of them calls the same, and only rank 0 reports.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
from functools import cache
from multiprocessing import parent_process
from pathlib import Path
from types import TracebackType
from typing import Any

from search_spaces.errors import InputError
from search_spaces.metric_values import metric_name, observable
from search_spaces.schedule_json import schedule_from_json
from search_spaces.watched import WatchedSchedule

__all__ = ["rates", "report", "scheduler"]

RUN = "STUDY_RUN"
"""The environment variable that names the file of the run: its schedule, and where its evaluations go."""


def scheduler(optimizer: Any, total_steps: int) -> Any:
    """The scheduler of the run, as `Schedule.build` makes it; None outside a study.

    total_steps: optimizer steps of the whole run. Call `step()` of it after each of them.
    """
    run = current_run()
    return run.begin(lambda: run.watched.build(optimizer, total_steps)) if run else None


def rates(total_steps: int) -> list[float] | None:
    """The learning rate of each step, for a script that sets them itself; None outside a study."""
    run = current_run()
    return run.begin(lambda: run.watched.rates(total_steps)) if run else None


def report(value: Any = None, *, step: int | None = None, **values: Any) -> None:
    """Say what an evaluation found: a number, or numbers by name, such as val_error and test_error.

    step: optimizer steps done; needed only if the rates were taken as a list.
    """
    run = current_run()
    if run:
        found = values if value is None else {f"val_{run.metric or 'value'}": value, **values}
        run.report({name: float(number) for name, number in found.items()}, step)


class ScriptRun:
    """The run that this process trains."""

    def __init__(self, run: dict[str, Any]) -> None:
        self.metric, self.sign, self.events = run["metric"], run["sign"], Path(run["events"])
        schedule = run["schedule"] and schedule_from_json(run["schedule"])
        self.watched = WatchedSchedule(schedule, self.observed, run["exact"])

    def observed(self, values: Any) -> float:
        """What a schedule may observe."""
        return observable(values, metric_name(values, self.metric), self.sign)

    def begin(self, build: Any) -> Any:
        """Hand the schedule over, and watch for mistakes from now on."""
        before = sys.excepthook

        def mistaken(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
            if isinstance(error, InputError):
                self.write({"mistake": str(error)})
            before(kind, error, trace)

        sys.excepthook = mistaken
        built = build()
        assert self.watched.begun is not None
        self.write({"begun": self.watched.begun.plain()})
        atexit.register(self.end)
        return built

    def report(self, values: dict[str, float], step: int | None) -> None:
        """Note an evaluation. Without a schedule it is only passed on."""
        if self.watched.begun is None:
            self.write({"noted": {"step": step, "values": values}})
            return
        noted = self.watched.note(values, step)
        self.write({"noted": {"step": noted.step, "values": values, "lr": noted.lr, "momentum": noted.momentum}})

    def end(self) -> None:
        """Say it if the schedule was not used to its end; of a process that failed, nobody asks."""
        try:
            self.watched.finish()
        except InputError as error:
            self.write({"unfinished": str(error)})

    def write(self, event: dict[str, Any]) -> None:
        """Add a line to the events, in one piece. If the file is gone, nobody wants this run any more."""
        if rank():
            return
        try:
            file = os.open(self.events, os.O_WRONLY | os.O_APPEND)
        except FileNotFoundError:
            raise SystemExit("study.script: this run was given up") from None
        try:
            os.write(file, f"{json.dumps(event)}\n".encode())
        finally:
            os.close(file)


def current_run() -> ScriptRun | None:
    """The run that this process trains; None outside a study, and in processes that a script starts to load data."""
    path = os.environ.get(RUN)
    return run_of(path) if path and trains_itself() else None


@cache
def run_of(path: str) -> ScriptRun:
    """The run that is described in this file."""
    return ScriptRun(json.loads(Path(path).read_text()))


def trains_itself() -> bool:
    """Whether this process trains, alone or as one of several ranks."""
    data = sys.modules.get("torch.utils.data")
    loads_data = data is not None and data.get_worker_info() is not None
    return not loads_data and (parent_process() is None or "RANK" in os.environ)


def rank() -> int:
    """The number of this process among those that train together."""
    together = getattr(sys.modules.get("torch"), "distributed", None)
    if together is not None and together.is_available() and together.is_initialized():
        return int(together.get_rank())
    return int(os.environ.get("RANK", 0))

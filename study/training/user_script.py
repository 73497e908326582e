"""A script of the user's as what trains: a command, which gets its schedule in a file and reports in another."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

from search_spaces.errors import InputError
from search_spaces.schedule import Schedule
from search_spaces.schedule_json import schedule_to_json
from search_spaces.step_watch import Left
from search_spaces.watched import Noted
from study.script import RUN
from study.training.command_line import CommandLine
from study.training.metric_source import CsvColumn, OutputPattern, compiled
from study.training.script_events import ScriptEvents
from study.training.script_process import ScriptProcess
from study.training.silence import hung
from study.training.timm_flags import timm_obstacle
from study.training.trainer import Died, Reported, RunRequest
from study.training.yielded import UNNAMED

LOOK_EVERY = 0.05
"""Seconds between looks at what a script has said."""
NEVER_ASKED = (
    "the script never called study.script.scheduler(optimizer, total_steps), and --command names no {peak_lr}: "
    "so all runs would train alike"
)


@dataclass(frozen=True)
class UserScript:
    """A `Trainer`. folder: holds a folder for each run; None makes temporary ones. csv, pattern: where evaluations are
    read if the script reports nothing."""

    command: CommandLine
    folder: Path | None = None
    csv: str | None = None
    pattern: str | None = None

    def __post_init__(self) -> None:
        if self.pattern is not None:
            compiled(self.pattern)

    @property
    def name(self) -> str:
        return self.command.name

    def shown(self, request: RunRequest) -> str:
        return shlex.join(self.command.filled(request, Path("RUN_DIR")))

    def in_folder(self, folder: Path) -> UserScript:
        return replace(self, folder=folder)

    def record(self) -> dict[str, Any]:
        """The command, with a digest of each script that it names."""
        return {
            "command": self.command.text,
            "metric_csv": self.csv,
            "metric_pattern": self.pattern,
            "sources": self.command.scripts or None,
        }

    def schedule_obstacle(self, schedule: Schedule, seen: bool) -> str | None:
        if seen:
            return None
        if "timm" in self.command.named:
            return timm_obstacle(schedule)
        if "peak_lr" in self.command.named:
            if schedule.family != "constant":
                return "{peak_lr} hands over the peak alone: the script keeps its own schedule"
            unused = schedule.warmup_fraction and "warmup_steps" not in self.command.named
            return "--command names no {warmup_steps}" if unused else None
        return "it observes evaluations, but the rates are a plain list" if schedule.evaluations else None

    def process_obstacle(self) -> None:
        """A worker only waits for the command."""

    def run(self, request: RunRequest, left: Callable[[], bool]) -> Generator[Reported, None, None]:
        """As `Trainer.run`."""
        self.command.check(request.unit)
        with run_folder(self.folder, request) as run_dir:
            yield from self.run_in(run_dir, request, left)

    def run_in(self, run_dir: Path, request: RunRequest, left: Callable[[], bool]) -> Generator[Reported, None, None]:
        """The same. run_dir: the folder of the run, empty."""
        words = self.command.filled(request, run_dir)
        events, run_file = ScriptEvents.at(run_dir, request, uuid4().hex[:8])
        environment = {RUN: str(run_file), "PYTHONUNBUFFERED": "1"}
        elsewhere = self.elsewhere(request, run_dir)
        with ScriptProcess(words, environment, run_dir / "output.txt") as process:
            ended, reported_at, known = False, time.monotonic(), 0
            while not ended:
                if left():
                    raise Left
                ended = process.ended(LOOK_EVERY)
                for noted in events.read():
                    yield Reported(events.begun, noted)
                for value in elsewhere(ended) if elsewhere else ():
                    events.reports += 1
                    yield Reported(None, Noted(events.reports, {f"val_{request.metric or UNNAMED}": value}))
                if events.reports > known:
                    reported_at, known = time.monotonic(), events.reports
                elif request.silence and time.monotonic() - reported_at > request.silence and not ended:
                    raise Died(f"{hung(request.silence)}. {process.last_output()}")
            if events.mistake:
                raise InputError(events.mistake)
            if process.failure:
                raise Died(process.failure)
            if events.unfinished:
                raise InputError(events.unfinished)
            if events.begun is None and not self.command.tells_the_rate:
                raise InputError(NEVER_ASKED)
            if not events.reports:
                raise InputError(
                    f"the script ended without an evaluation: call study.script.report(value). {process.last_output()}"
                )

    def elsewhere(self, request: RunRequest, run_dir: Path) -> Callable[[bool], Iterator[float]] | None:
        """What reads evaluations that the script does not report; None if it reports them."""
        if self.csv is not None:
            if request.metric is None:
                raise InputError("--metric-csv needs --metric, the name of its column")
            path = Path(self.csv.replace("{run_dir}", str(run_dir))).absolute()
            return CsvColumn(path, request.metric).read
        if self.pattern is not None:
            return OutputPattern(run_dir / "output.txt", self.pattern).read
        return None


def run_name(request: RunRequest) -> str:
    """The name of a run's folder: equal for equal runs, so that a run that is trained again replaces the old one."""
    schedule = schedule_to_json(request.schedule) if request.schedule else None
    digest = hashlib.sha256(json.dumps(schedule).encode()).hexdigest()[:8]
    what = request.schedule.family if request.schedule else "first"
    return f"{what}-{digest}-{request.budget}-{request.unit}-seed-{request.seed}"


@contextmanager
def run_folder(parent: Path | None, request: RunRequest) -> Iterator[Path]:
    """The empty folder of a run, in this one.

    Without that it is a temporary one: removed after the run, unless this failed with a message that points to it.
    """
    if parent is not None:
        yield fresh_folder(parent / run_name(request))
        return
    folder, named = Path(mkdtemp(prefix="study-run-")), False
    try:
        yield folder
    except (Died, InputError) as error:
        named = folder.name in str(error)
        raise
    finally:
        if not named:
            shutil.rmtree(folder, ignore_errors=True)


def fresh_folder(path: Path) -> Path:
    """The folder, empty: a run begins from scratch, not from what an earlier start has left."""
    try:
        if path.exists():
            shutil.rmtree(path)
        path.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"cannot make the folder of a run, {path}: {error.strerror}") from error
    return path.absolute()

"""Our commands, as processes or within this one, and what they leave in a database."""

from __future__ import annotations

import io
import os
import runpy
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import optuna

from study.cli import interrupt
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

ROOT = Path(__file__).parents[3]
MESSAGE, RESULT, TRACEBACK = "one message", "a result", "a traceback"


@dataclass(frozen=True)
class Outcome:
    """What a command did. kind: one of MESSAGE, RESULT and TRACEBACK."""

    kind: str
    output: str
    errors: str

    @classmethod
    def of(cls, code: int, output: str, errors: str) -> Outcome:
        """By its exit code and what it printed."""
        one_line = errors.startswith("error: ") and errors.count("\n") == 1
        kind = RESULT if code == 0 else MESSAGE if code == 2 and one_line else TRACEBACK
        return cls(kind, output, errors)


@contextmanager
def same_signals() -> Iterator[None]:
    """Restore the handlers of signals, which commands change."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_here(script: str, *arguments: str) -> Outcome:
    """Run one of our scripts in this process, which takes a tenth of the time of a new one."""
    path, output, errors, code = ROOT / "scripts" / script, io.StringIO(), io.StringIO(), 0
    words = [script, *arguments]
    with patch.object(sys, "argv", words), redirect_stdout(output), redirect_stderr(errors), same_signals():
        try:
            runpy.run_path(str(path), run_name="__main__")
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException:
            traceback.print_exc()
            code = 1
    return Outcome.of(code, output.getvalue(), errors.getvalue())


def heed_interrupts() -> None:
    """Let the processes that are started from now on heed SIGINT: in the background it is ignored, also by them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, interrupt)


def start(script: str, arguments: Sequence[str], folder: Path, before: Sequence[str] = ()) -> subprocess.Popen[str]:
    """Start one of our scripts as a process, in this folder. before: what Python runs instead, and is given it."""
    command = [sys.executable, *before, str(ROOT / "scripts" / script), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True, **pipes)


@contextmanager
def ended(processes: Iterable[subprocess.Popen[str]]) -> Iterator[None]:
    """Within it these processes may run; afterwards none does, nor what it has started."""
    try:
        yield
    finally:
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # each leads a group of its own
                process.wait()
            if process.stdout:
                process.stdout.close()


def said_by(process: subprocess.Popen[str], longest: float) -> str:
    """What a process says until it ends. After `longest` seconds it is killed, and TimeoutExpired is raised."""
    with ended([process]):
        return process.communicate(timeout=longest)[0]


def substance(storage: str) -> dict[str, str]:
    """The trials and finals of every study, by its name, without numbers and times: equal in equal studies."""
    names = sorted(optuna.get_all_study_names(storage))
    records = [StudyRecord.of(optuna.load_study(study_name=name, storage=storage)) for name in names]
    return {record.name: repr([*map(timeless, record.trials), finals_by_place(record)]) for record in records}


def timeless(trial: TrialRecord) -> TrialRecord:
    """The trial without what may differ in equal studies: Optuna numbers trials as they are stored."""
    return replace(trial, number=0, seconds=0.0, ended=None)


def finals_by_place(record: StudyRecord) -> list[Any]:
    """The runs that confirmed a study, with the places of their trials instead of the numbers."""
    places = {trial.number: trial.place for trial in record.trials}
    return [(places[run.trial], run._replace(trial=0)) for run in (record.finals.runs if record.finals else ())]

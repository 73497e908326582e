"""Runs that hang: they are ended and count as failed, Ctrl-C ends them at once, and what has ended is kept."""

import os
import signal
import threading
import time
from dataclasses import replace
from multiprocessing import current_process
from pathlib import Path

import pytest
import torch

import study
from search_spaces import Linear
from study.executors.processes import Processes
from study.executors.side_by_side import SideBySide
from study.objective import Run
from study.training import silence
from study.training.declaration import Declaration
from study.training.own_training import OwnTraining
from study.training.silence import Pace, breakable, hung
from study.training.trainer import Died
from study.training.user_function import UserFunction
from tests import own_training
from tests.own_scripts import SCHEDULE, gone, reported

ALONE = {"reference": "none", "confirm_seeds": 0}
FEW = ALONE | {"epochs": 20, "trials": 8, "progress": False, "sampler": "tpe", "families": ["linear", "rex"]}
HOT = 0.2
"""Runs with a higher peak hang."""


def hangs_if_hot(schedule, epochs, seed):
    for value in own_training.train(schedule, epochs, seed):
        while schedule.peak_lr > HOT:
            try:
                time.sleep(600)
            except Exception:  # as training loops have it
                continue
        yield value


@pytest.fixture(autouse=True, scope="module")
def torch_has_trained():
    """What torch loads at the first step takes seconds if the machine is busy."""
    for _ in own_training.train(SCHEDULE, 1, 0):
        pass


def at_once(seconds=20.0):
    """The time at which what follows should long have happened."""
    return time.monotonic() + seconds


def test_how_long_a_run_may_be_silent(monkeypatch):
    pace = Pace()
    assert pace.longest_silence(20, first=6.0) == 10 * 20 * 6
    assert pace.longest_silence(20, first=0.01) == 60
    monkeypatch.setattr(silence, "parent_process", lambda: object())  # a worker has a share of the machine
    monkeypatch.setattr(silence, "usable_cores", lambda: 4)
    assert pace.longest_silence(20, first=6.0) == 4 * 10 * 20 * 6
    pace.ended(2, 15.0)
    pace.ended(20, 100.0)
    assert pace.longest_silence(20, first=6.0) == 10 * 20 * 7.5


def test_a_function_that_hangs_is_ended():
    closed = []

    def hangs(schedule, epochs, seed):
        try:
            for value in own_training.train(schedule, epochs, seed):
                yield value
                threading.Event().wait()
        finally:
            closed.append(True)

    before, latest = signal.getsignal(signal.SIGINT), at_once()
    training = UserFunction(hangs).run(own_training.run_request(SCHEDULE, 3, silence=3.0), lambda: False)
    assert next(training).noted.step == 8
    with pytest.raises(Died, match=r"it made no evaluation for 3 s, much longer than a whole run should take"):
        next(training)
    assert time.monotonic() < latest
    assert closed == [True]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_function_in_another_thread_is_left_alone():
    """Signals reach the main thread only; Ctrl-C does what it always did."""
    found = []
    thread = threading.Thread(target=lambda: found.extend(reported(UserFunction(own_training.train), silence=1e-9)))
    thread.start()
    thread.join()
    assert len(found) == 3


def test_a_script_that_hangs_is_ended_with_its_last_output(script):
    program = "import os, time; from study.script import report\n"
    program += "report(0.5); print(os.getpid(), flush=True); time.sleep(600)"
    latest = at_once()
    with pytest.raises(Died) as raised:
        reported(script(program), silence=3.0)  # Python starts meanwhile
    reason, pid = str(raised.value).splitlines()
    assert reason.startswith(f"{hung(3.0)}. Its last output (")
    assert gone(int(pid))
    assert time.monotonic() < latest


def test_a_script_that_reports_is_not_silent(script):
    program = "import time; from study.script import report\nfor n in range(8): report(0.5); time.sleep(0.5)"
    assert len(reported(script(program), silence=3.0)) == 8


def test_a_run_that_hangs_is_a_failed_trial_and_the_study_goes_on(monkeypatch, capsys):
    monkeypatch.setattr(Pace, "longest_silence", lambda *_: 3.0)  # whatever runs take on a busy machine
    found = study.find_schedule(train=hangs_if_hot, **FEW | {"trials": 4, "progress": True})
    hot = [trial for trial in found.record.trials if trial.peak_lr > HOT]
    assert 0 < len(hot) < 4 == len(found.record.trials)
    for trial in found.record.trials:
        assert (trial.failure is not None) == trial.diverged == (trial in hot)
    assert hot[0].failure == hung(3.0)
    said = f"note: a run failed, and counts as diverged ({hot[0].family}, peak_lr {hot[0].peak_lr:.3g}): {hung(3.0)}"
    assert said in capsys.readouterr().out


CALLS = []


def hangs_once(schedule, epochs, seed):
    """In the eighth run, the fourth of the search."""
    CALLS.append(time.monotonic())
    if len(CALLS) == 8:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        time.sleep(600)
    yield from own_training.train(schedule, epochs, seed)


def test_ctrl_c_ends_a_run_that_hangs_at_once_and_loses_nothing(tmp_path):
    options = FEW | {"storage": tmp_path / "studies.db", "train": hangs_once}
    with pytest.raises(KeyboardInterrupt):
        study.find_schedule(**options)
    assert time.monotonic() - CALLS[-1] < 20
    assert len(CALLS) == 8
    again = study.find_schedule(**options)
    runs = sum(len(trial.epochs_used) for trial in again.record.trials)
    assert len(CALLS) == 8 + runs - 3  # the three that had ended are not trained again
    whole = study.find_schedule(**options | {"storage": None})
    assert [(t.params, t.value) for t in again.record.trials] == [(t.params, t.value) for t in whole.record.trials]


def test_code_that_catches_the_interruption_is_left_all_the_same():
    """As Lightning does, whose trainer ends its training early then."""
    interrupted = []

    def ends_early(schedule, epochs, seed):
        try:
            for value in own_training.train(schedule, epochs, seed):
                yield value
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(600)
        except KeyboardInterrupt:
            pass

    own = OwnTraining(UserFunction(own_training.train), Declaration(), torch.device("cpu")).after_first_runs(3)
    own = OwnTraining(UserFunction(ends_early), Declaration(), torch.device("cpu"), first_run=own.first_run)
    before = signal.signal(signal.SIGINT, lambda number, frame: interrupted.append(number))
    try:
        found = list(own.train([Run(SCHEDULE, 3, 0, 1)], lambda run: bool(interrupted)))
    finally:
        signal.signal(signal.SIGINT, before)
    assert [one.step for one in found] == [8]


def test_what_comes_late_does_no_harm():
    with breakable(0.5), pytest.raises(silence.Silent):
        time.sleep(600)
    with breakable(60.0):
        pass
    os.kill(os.getpid(), silence.WAKE)  # nothing happens


def objective(function):
    own = OwnTraining(UserFunction(own_training.train), Declaration(), torch.device("cpu")).after_first_runs(20)
    found = replace(own.known, slowest=0.001)  # without what torch loads at the first step
    return OwnTraining(UserFunction(function), Declaration(), torch.device("cpu"), first_run=found)


if current_process().name != "MainProcess":  # in a worker
    silence.LEAST = 10.0


@pytest.mark.slow
def test_a_function_that_hangs_in_a_worker_is_ended_and_the_worker_goes_on():
    runs = [Run(Linear(peak_lr=peak), 4, 0, 1) for peak in (0.3, 0.4, 0.05, 0.06)]
    with Processes(objective(hangs_if_hot), 2) as workers:
        found = {one.run: one for one in SideBySide(objective(hangs_if_hot), 1, workers).train(runs)}
    assert [found[run].failure for run in range(4)] == [hung(10.0), hung(10.0), None, None]


def stays(schedule, epochs, seed):
    """As code that nothing can interrupt."""
    yield from own_training.train(schedule, 1, seed)
    signal.pthread_sigmask(signal.SIG_BLOCK, {silence.WAKE})
    Path(os.environ["STAYS"]).touch()
    time.sleep(600)


@pytest.mark.slow
def test_workers_that_cannot_be_left_are_ended(tmp_path, monkeypatch):
    stayed = tmp_path / "stayed"
    monkeypatch.setenv("STAYS", str(stayed))
    with Processes(objective(stays), 1) as workers:
        executor = SideBySide(objective(stays), 1, workers)
        assert list(executor.train([Run(SCHEDULE, 1, 0, 1)], lambda run: stayed.exists())) == []
        ended = time.monotonic()
    assert stayed.exists()
    assert time.monotonic() < ended + 60

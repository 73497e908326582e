"""A search that is interrupted while a batch is suggested: it ends before the next trial, and is continued the same."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from study.cli import interruption
from study.search.configuration import Configuration
from study.search.samplers.batch_gp import BatchGP
from tests.helpers import ROOT, SMALL, finished, open_small, run_search

LEARNS = replace(SMALL, sampler="gp", startup_trials=5)


def test_an_interruption_between_two_suggestions_ends_the_search(storage, workload, monkeypatch, tmp_path):
    """The second batch of five is being suggested."""
    suggested, suggest = [], BatchGP.sample_relative

    def noted(self, *arguments):
        suggested.append(arguments)
        return suggest(self, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(BatchGP, "sample_relative", noted)
        with open_small(storage, workload, LEARNS) as opened, pytest.raises(KeyboardInterrupt):
            for _ in opened.search(20, interrupted=lambda: len(suggested) == 7):
                pass
    assert len(suggested) == 7
    whole = run_search(f"sqlite:///{tmp_path / 'whole.db'}", workload, 20, LEARNS)
    assert finished(run_search(storage, workload, 20, LEARNS)) == finished(whole)


SLOW = """
import sys, time
import study
from study.search.samplers.choice import make_sampler

sampler = type(make_sampler(sys.argv[1], 5, 0, 0, 0))
suggest = sampler.sample_relative

def slow(self, study, trial, space):
    if space:  # the start-up trials are over
        with open("suggested", "a") as file:
            print("one", file=file)
        time.sleep(0.5)
    return suggest(self, study, trial, space)

sampler.sample_relative = slow
study.find_schedule(dataset="digits", epochs=1, trials=40, startup_trials=5, trials_per_batch=20, engine="loop",
    sampler=sys.argv[1], storage="sqlite:///studies.db")
"""
"""A search that takes ten seconds to suggest its second batch of twenty; a line is written for each trial of it."""


def lines_of(file):
    return len(file.read_text().splitlines()) if file.exists() else 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sampler", "how"), [("gp", signal.SIGINT), ("gp", signal.SIGTERM), ("gp-optuna", signal.SIGTERM)]
)
def test_a_signal_ends_the_search_before_the_next_suggestion(sampler, how, tmp_path):
    command = [sys.executable, "-c", f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{SLOW}", sampler]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        while not (suggested := lines_of(tmp_path / "suggested")):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.send_signal(how)
        said, _ = process.communicate(timeout=120)
    assert lines_of(tmp_path / "suggested") <= suggested + 1
    assert "Interrupted: everything finished is kept" in said


def test_an_interruption_ends_a_suggestion_that_takes_minutes(storage, workload, monkeypatch):
    """The first signal is noted while something may be written, but a sampler that is at work is left at once."""

    def slow(trial, peak_lr):
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("the signal was not heard here")

    with open_small(storage, workload) as study, interruption() as interrupted:
        monkeypatch.setattr(Configuration, "suggest", lambda self, trial, peak_lr, besides: slow(trial, peak_lr))
        with pytest.raises(KeyboardInterrupt):
            next(study.search(10, interrupted))
        assert interrupted()

"""The progress of a search, in a terminal and in a log."""

import io
import re
from functools import partial

import pytest
from rich.console import Console

from study.reports.progress import Display
from study.search.search import search
from study.storage.study_record import StudyRecord
from tests.helpers import LOOP, SMALL, open_small


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "log"])
def test_progress_tells_what_is_done_and_what_is_left(terminal, storage, workload):
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=150, soft_wrap=True)
    with open_small(storage, workload) as study, Display(console, partial(StudyRecord.of, study), SMALL, 15) as display:
        for generation in search(study, workload, SMALL, LOOP, 15):
            display.update(generation)
            if terminal:
                console.print(display.bar)  # what is live is wiped at the end; this stays to be read
    said = written.getvalue()
    assert ("\x1b" in said) == terminal
    assert "10/15 trials | best " in said
    assert "15/15 trials | best " in said
    assert f"{display.tally.spent:.0f} epochs spent, {display.tally.saved:.0%} saved" in said
    assert 1 - display.tally.spent / (15 * SMALL.epochs) == pytest.approx(display.tally.saved)
    assert said.count("0:00 left") >= 1
    if not terminal:
        assert said.count("\n") == 2, "a line for each generation"
        best = min(trial.value for trial in display.study.trials if len(trial.reported) == 2)
        assert f"best {best:.4f}" in said.splitlines()[-1]


def test_a_long_generation_is_heard_of_in_a_log(storage, workload, monkeypatch):
    monkeypatch.setattr("study.reports.progress.LINE_EVERY", 0.0)
    written = io.StringIO()
    console = Console(file=written, width=200)
    with (
        open_small(storage, workload) as study,
        Display(console, partial(StudyRecord.of, study), SMALL, 5) as display,
    ):
        for generation in search(study, workload, SMALL, LOOP, 5):
            display.update(generation)
    first = written.getvalue().splitlines()[0]
    assert first.startswith("1/5 trials | none complete | 1 epochs spent")
    assert re.search(r"\d:\d\d left", first)


def test_what_is_stored_is_counted_once(storage, workload):
    """Also where a generation goes on in its long runs, when most of it is stored."""
    written = io.StringIO()
    with open_small(storage, workload) as study:
        steps = search(study, workload, SMALL, LOOP, 10)
        next(generation for generation in steps if any("4" in c.epochs_used for c in generation.candidates))
        steps.close()
        stored = len(study.trials)
        assert stored > 4
        with Display(Console(file=written, width=200), partial(StudyRecord.of, study), SMALL, 10) as display:
            for generation in search(study, workload, SMALL, LOOP, 10):
                line = display.line(generation)
                if not generation.finished:
                    assert int(line.split("/")[0]) <= 10
    assert line.startswith("10/10 trials")

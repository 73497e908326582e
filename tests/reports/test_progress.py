"""The progress of a search, in a terminal and in a log."""

import io
import re
from functools import partial

import pytest
from rich.console import Console

from study.reports.progress import Display
from study.storage.study_record import StudyRecord
from tests.helpers import SMALL, open_small


def display_of(study, console, trials):
    return Display(console, partial(StudyRecord.of, study.optuna_study), SMALL, trials)


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "log"])
def test_progress_tells_what_is_done_and_what_is_left(terminal, storage, workload):
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=150, soft_wrap=True)
    with open_small(storage, workload) as study, display_of(study, console, 15) as display:
        for bracket in study.search(15):
            display.update(bracket)
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
        assert said.count("\n") == 2, "a line for each bracket"
        best = min(trial.value for trial in display.study.trials if len(trial.reported) == 2)
        assert f"best {best:.4f}" in said.splitlines()[-1]


def test_a_long_bracket_has_its_lines_in_a_log(storage, workload, monkeypatch):
    monkeypatch.setattr("study.reports.progress.LINE_EVERY", 0.0)
    written = io.StringIO()
    console = Console(file=written, width=200)
    with open_small(storage, workload) as study, display_of(study, console, 5) as display:
        for bracket in study.search(5):
            display.update(bracket)
    first = written.getvalue().splitlines()[0]
    assert first.startswith("1/5 trials | none complete | 1 epochs spent")
    assert re.search(r"\d:\d\d left", first)


def test_what_is_stored_is_counted_once(storage, workload):
    """Also where a bracket goes on in its long runs, when most of it is stored."""
    written = io.StringIO()
    with open_small(storage, workload) as study:
        steps = study.search(10)
        next(bracket for bracket in steps if any("4" in c.epochs_used for c in bracket.candidates))
        steps.close()
        assert len(study.record.trials) > 4
        with display_of(study, Console(file=written, width=200), 10) as display:
            for bracket in study.search(10):
                display.update(bracket)
                line = display.line(bracket)
                assert int(line.split("/")[0]) <= 10
    assert line.startswith("10/10 trials")

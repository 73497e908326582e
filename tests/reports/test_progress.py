"""The progress of a search, in a terminal and in a log."""

import io
import re
from functools import partial

import pytest
from rich.console import Console

from study.analysis.leaders import leaders
from study.reports.leaders import leaders_in_words
from study.reports.progress import Display
from study.search.epochs_left import epochs_left
from study.storage.study_record import StudyRecord
from tests.example_studies import ended, ranged, row
from tests.helpers import SMALL, open_small, run_search


def display_of(study, console, trials):
    return Display(console, partial(StudyRecord.of, study.optuna_study), SMALL, trials)


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "log"])
def test_progress_shows_what_is_done_and_what_is_left(terminal, storage, workload):
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=80, soft_wrap=True)
    with open_small(storage, workload) as study, display_of(study, console, 15) as display:
        for bracket in study.search(15):
            display.update(bracket)
            if terminal:
                console.print(display.bar)  # what is live is wiped at the end; this stays to be read
    said = written.getvalue()
    assert ("\x1b" in said) == terminal
    spent = sum(trial.epochs_spent for trial in display.study.trials)
    assert f"{spent:.0f}/{spent:.0f} epochs, 15/15 trials, done" in said
    if not terminal:
        first, _, second, leading = said.splitlines()
        assert re.fullmatch(r"\d+/\d+ epochs, 10/15 trials \(random so far\), \d+ s left", first)
        assert second.startswith(f"{spent:.0f}/")
        best = min((trial for trial in display.study.trials if trial.complete), key=lambda trial: trial.value)
        assert leading.startswith(f"  best after 4 epochs: {best.family} {100 * best.value:.1f}")
        assert all(len(line) <= 80 for line in said.splitlines())


def test_the_best_short_run_is_shown_from_the_first_batch_on(storage, workload, monkeypatch):
    monkeypatch.setattr("study.reports.progress.LINE_EVERY", 0.0)
    written = io.StringIO()
    console = Console(file=written, width=200)
    with open_small(storage, workload) as study, display_of(study, console, 5) as display:
        for bracket in study.search(5):
            display.update(bracket)
            if bracket.tried == 3:
                break
    said = written.getvalue()
    assert re.match(r"\d/9 epochs, 1/5 trials \(random so far\), time left unknown\n  best after 1 epoch: \w+ \d", said)


def test_epochs_left_reach_zero_and_foretell_the_rungs(storage, workload):
    """Ten trials of 1 epoch, of which one in four, two, runs for 4: 18 epochs, however many have been trained."""
    with open_small(storage, workload) as study:
        for bracket in study.search(10):
            if not any(candidate.pruned for candidate in bracket.candidates):
                assert bracket.epochs_trained + epochs_left(bracket) == pytest.approx(18)
        assert bracket.finished
        assert epochs_left(bracket) == 0


def test_what_is_stored_is_counted_once(storage, workload):
    """Also if a bracket goes on in its long runs, when most of it is stored: then something is left to do."""
    written = io.StringIO()
    with open_small(storage, workload) as study:
        steps = study.search(10)
        next(bracket for bracket in steps if any(4 in c.epochs_used for c in bracket.candidates))
        steps.close()
        assert len(study.record.trials) > 4
        with display_of(study, Console(file=written, width=200), 10) as display:
            lines = []
            for bracket in study.search(10):
                display.update(bracket)
                lines.append(display.status(bracket))
                assert int(re.search(r"(\d+)/10 trials", lines[-1])[1]) <= 10
    assert "done" not in lines[0]
    done, total = map(int, re.match(r"(\d+)/(\d+) epochs", lines[0]).groups())
    assert done < total
    assert lines[-1].endswith("epochs, 10/10 trials (random so far), done")


def test_the_leaders_are_those_of_the_longest_runs():
    study = ranged(
        [
            row("rex", 0.1, 0.5),
            row("rex", 0.1, 0.45),
            row("cosine", 0.1, 0.6, full=0.3),
            row("linear", 0.1, 0.2, diverged=True),
        ]
    )
    assert [(one.family, one.tried, one.epochs, one.value) for one in leaders(study)] == [
        ("cosine", 1, 20, 0.3),
        ("rex", 2, 2, 0.45),
    ]
    words = leaders_in_words(study, leaders(study))
    assert words == "best after 20 epochs: cosine 30.0 %; after 2: rex 45.0 %"
    assert leaders_in_words(study, leaders(study), 45) == "best after 20 epochs: cosine 30.0 %, ..."
    assert leaders_in_words(study, leaders(ranged([ended(1.0, diverged=True)]))) == "no value yet"


def test_a_notebook_gets_lines(storage, workload):
    run_search(storage, workload, 5)
    with open_small(storage, workload) as study:
        assert display_of(study, Console(force_jupyter=True), 10).live is None

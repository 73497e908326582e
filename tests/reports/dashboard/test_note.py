"""What is kept of a study for the dashboard while it runs: the note in any state, how often, and after a stop."""

import time
from dataclasses import replace
from itertools import count

import optuna
import pytest
from markdown_it import MarkdownIt
from optuna_dashboard import get_note

from study.reports.dashboard.note import note
from study.search.bracket import Bracket
from study.storage.stored_trials import finished_trials
from study.storage.study_record import Confirmed, StudyRecord
from tests.helpers import LOCKSTEP, SMALL, open_small, run_search


def searched(storage, workload, trials, configuration=SMALL, interrupted=lambda: False):
    """Search with the dashboard; the study."""
    with open_small(storage, workload, configuration, engine=LOCKSTEP) as study:
        for _ in study.search(trials, interrupted):
            pass
    return study.optuna_study


@pytest.fixture(scope="module")
def study(tmp_path_factory, workload):
    storage = f"sqlite:///{tmp_path_factory.mktemp('note')}/studies.db"
    return searched(storage, workload, 15)


def test_the_note_says_what_was_found(study):
    best = study.best_trial
    body = get_note(study)
    assert f"**The answer so far: {best.params['family']}**" in body.replace("\\", "")
    assert f"trial {best.number}, with val\\_error {best.value:.4f}" in body
    rows = [line.split("|")[1].strip() for line in body.splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted({f"`{trial.params['family']}`" for trial in study.trials})
    assert "<table>" in MarkdownIt().enable("table").render(body)


def test_the_audit_is_told(storage, workload):
    study = searched(storage, workload, 15, replace(SMALL, audit=0.5))
    assert "| `all` |" not in get_note(study)
    assert "How often pruning was wrong (`--audit`):\n\n| family | pruned | audited |" in get_note(study)
    assert "| all | " in get_note(study)


def test_its_commands_are_there(study):
    body = get_note(study)
    best = study.best_trial.number
    for line in (
        "python scripts/report.py --study small --storage ",
        f"python scripts/reproduce.py --study small --trial {best} --storage ",
        "python scripts/dashboard.py --storage ",
    ):
        assert line in body
    assert study.user_attrs["sessions"][-1]["command"] in body


def test_a_note_in_any_state(study):
    record = StudyRecord.of(study)
    pruned, complete = (tuple(t for t in record.trials if t.complete == kept) for kept in (False, True))
    for some, answered in (((), False), (pruned, False), (complete[:1], True)):
        said = note(replace(record, trials=some), "sqlite:///a.db")
        assert ("**No answer yet.**" in said) == (not answered)
        assert ("**The answer so far" in said) == answered
        assert ("reproduce.py" in said) == answered
        assert ("No trial is finished yet." in said) == (not some)
        assert ("| `" in said) == bool(some)


def test_a_confirmed_answer_is_evaluated(study):
    record = StudyRecord.of(study)
    for trial, said in ((record.best.number, True), (record.best.number + 1, False)):
        confirmed = replace(record, confirmed=Confirmed(trial, (1, 2), (0.25, 0.75)))
        assert ("over 2 fresh seeds: 0.5000 on average" in note(confirmed, "sqlite:///a.db")) == said


def test_what_is_on_its_way_is_told(study):
    class OnItsWay(Bracket):
        tried, epochs_trained, on_their_way, size = 7, 9.0, [object()], 10

        def __init__(self):
            pass

    told = note(StudyRecord.of(study), "sqlite:///a.db", OnItsWay())
    assert "On their way: 7 trials of a bracket of 10, with 9 epochs so far" in told


def test_all_trials_diverged(storage, workload):
    wild = replace(SMALL, families=("constant",))
    study = searched(storage, replace(workload, peak_lr=(1e6, 1e7)), 5, wild)
    assert "No answer yet" in get_note(study)


def test_an_interrupted_search_is_shown_as_far_as_it_came(storage, workload):
    asked = count()
    with pytest.raises(KeyboardInterrupt):
        searched(storage, workload, 50, interrupted=lambda: next(asked) > 500)
    study = optuna.load_study(study_name="small", storage=storage)
    stored = len(finished_trials(study))
    assert 0 < stored < 50
    assert f"{stored} trials, " in get_note(study)
    assert "50 trials, " in get_note(searched(storage, workload, 50))


def test_the_time_it_takes_is_bounded(storage, workload, monkeypatch):
    """However often it is updated, refreshes begin only while all of them stay below a hundredth of the time."""
    monkeypatch.setattr("study.reports.dashboard.dashboard.REFRESH_EVERY", 0.0)
    run_search(storage, workload, 5)
    with open_small(storage, workload) as study:
        dashboard, bracket = study.watcher, next(study.search(10))
        dashboard.last_took = 0.0  # as if the first one took no time
        begun = []
        while time.monotonic() - dashboard.began < 6:
            before = dashboard.spent
            dashboard.update(bracket)
            if dashboard.spent > before:
                begun.append(before)
        elapsed = time.monotonic() - dashboard.began
        assert begun, "it was refreshed"
        assert dashboard.spent - dashboard.last_took <= 0.01 * elapsed

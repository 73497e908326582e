"""The note of a study in any state, how often it is written, and after a stop."""

import time
from dataclasses import replace
from itertools import count

import optuna
import pytest
from markdown_it import MarkdownIt
from optuna_dashboard import get_note

from search_spaces.export import shown_code
from study.reports.dashboard.note import note
from study.reports.markdown import escaped
from study.reports.schedule_origin import exported
from study.reports.verdict import verdict_lines
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


def test_the_note_begins_with_the_verdict_and_ends_with_the_code(study):
    record, body = StudyRecord.of(study), get_note(study)
    first, *others = map(escaped, verdict_lines(record))
    assert first.startswith("Winner: ")
    assert body.startswith(f"# small\n\n**{first}**\n\n")
    assert body.index("## Families") > max(body.index(line) for line in others)
    assert body.endswith(f"```python\n{shown_code(exported(record, record.best))}\n```\n")
    rows = [line.split("|")[1].strip() for line in body.splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted({f"`{trial.params['family']}`" for trial in study.trials})
    assert "<table>" in MarkdownIt().enable("table").render(body)


def test_the_audit_is_shown(storage, workload):
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
    assert "continues the search" not in body, "a test started it"


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("python scripts/search.py --trials 5", "python scripts/search.py --trials 5"),
        ("python3.11 /srv/a/scripts/search.py --trials 5", "python3.11 scripts/search.py --trials 5"),
        ("python search.py --storage sqlite:////srv/b.db", "python scripts/search.py --storage sqlite:///../b.db"),
        ("python /srv/a/scripts/benchmark.py --space=/srv/a/s.toml", "python scripts/benchmark.py --space=s.toml"),
        ("python search.py --dataset '/srv/my data.csv'", "python scripts/search.py --dataset '../my data.csv'"),
        ("python search.py --command '/opt/python a.py'", "python scripts/search.py --command '/opt/python a.py'"),
        ("python search.py '--command=/opt/py a.py'", "python scripts/search.py '--command=/opt/py a.py'"),
        ("python /usr/lib/ipykernel_launcher.py -f /root/kernel.json", None),
    ],
)
def test_no_path_in_the_note_is_absolute(command, shown, study, monkeypatch):
    monkeypatch.setattr("os.getcwd", lambda: "/srv/a")
    record = StudyRecord.of(study)
    record = replace(record, sessions=(replace(record.sessions[0], command=command),))
    body = note(record, "sqlite:////srv/a/studies.db")
    assert ("continues the search" in body) == (shown is not None)
    assert shown is None or f"\n{shown}  # continues the search\n" in body
    assert "python scripts/dashboard.py --storage sqlite:///studies.db\n" in body
    for absolute in ("/srv", "/usr", "/root", "sqlite:////"):
        assert absolute not in body


def test_a_note_in_any_state(study):
    record = StudyRecord.of(study)
    pruned, complete = (tuple(t for t in record.trials if t.complete == kept) for kept in (False, True))
    for some, answered in (((), False), (pruned, False), (complete[:1], True)):
        said = note(replace(record, trials=some), "sqlite:///a.db")
        assert ("**No winner yet: " in said) == (not answered)
        assert ("**Winner: " in said) == ("## The schedule in PyTorch" in said) == answered
        assert ("reproduce.py" in said) == answered
        assert ("No trial is finished yet." in said) == (not some)
        assert ("| `" in said) == bool(some)


def test_a_confirmed_answer_is_evaluated(study):
    record = StudyRecord.of(study)
    for trial, said in ((record.best.number, True), (record.best.number + 1, False)):
        confirmed = replace(record, confirmed=Confirmed(trial, (1, 2), (0.25, 0.75)))
        assert ("over 2 fresh seeds: 50.0 % on average" in note(confirmed, "sqlite:///a.db")) == said


def test_what_is_being_trained_is_shown(study):
    class OnItsWay(Bracket):
        tried, epochs_trained, on_their_way, size = 7, 9.0, [object()], 10

        def __init__(self):
            pass

    said = note(StudyRecord.of(study), "sqlite:///a.db", OnItsWay())
    assert "In progress: 7 of the 10 trials of this bracket have started, 9 epochs so far." in said


def test_all_trials_diverged(storage, workload):
    wild = replace(SMALL, families=("constant",))
    study = searched(storage, replace(workload, peak_lr=(1e6, 1e7)), 5, wild)
    assert "**No winner: all 5 trials diverged" in get_note(study)


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

"""Reproducing stored trials as a user would, in another process, however they were trained."""

import re
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from study.objective import Engine
from study.search.configuration import Configuration
from study.search.reproduce import reproduce
from study.storage.studies import read_studies
from study.workloads.options import WorkloadOptions
from tests.helpers import DIGITS, LOCKSTEP, LOOP, SMALL, open_small, run_search, start

AUDITED = replace(SMALL, audit=0.5)
MEDIAN, HALVING = replace(SMALL, pruner="median", trials_per_batch=5), replace(SMALL, pruner="halving", audit=0.5)
TRAINED = [(AUDITED, LOOP), (AUDITED, LOCKSTEP), (MEDIAN, LOOP), (MEDIAN, LOCKSTEP), (HALVING, Engine(cohort=3))]


@pytest.mark.parametrize(
    ("configuration", "engine"),
    [pytest.param(*pair, id=f"{pair[0].pruner}-{pair[1]}") for pair in TRAINED],
)
def test_every_trial_is_reproduced_to_the_last_bit(engine, configuration, storage, workload):
    trials = run_search(storage, workload, 15, configuration, engine=engine)
    with open_small(storage, workload, configuration) as study:
        record = study.record
        for trial in trials:
            rungs = list(reproduce(record, record.trial(trial.number), study.plan.objective, study.executor))
            assert [rung.found for rung in rungs] == [rung.stored for rung in rungs]
            assert rungs[-1].stored == trial.value
            assert [rung.cohort for rung in rungs] == list(trial.user_attrs["record"]["cohort"].values())


def test_a_changed_record_is_not_reproduced(storage, workload):
    """What is found is found by training: another schedule gives another value."""
    run_search(storage, workload, 5)
    with open_small(storage, workload) as study:
        record = study.record
        worse = replace(record.best, params=dict(record.best.params) | {"peak_lr": 1e-3})
        changed = replace(record, trials=tuple(worse if one.number == worse.number else one for one in record.trials))
        rung = next(iter(reproduce(changed, worse, study.plan.objective, study.executor)))
        assert rung.found > rung.stored


def test_the_configuration_comes_back_from_the_record(storage, workload):
    run_search(storage, workload, 1, AUDITED)
    stored = read_studies(storage, "small")[0].configuration
    assert Configuration.stored(stored) == AUDITED
    assert WorkloadOptions.stored(stored) == replace(DIGITS, weight_decay=workload.weight_decay)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a user has searched."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "results").mkdir()
    process = start("search.py", "--dataset", "digits", "--epochs", 4, "--trials", 12, "--study", "mine", cwd=folder)
    assert "Cost: " in process.communicate(timeout=250)[0]
    return folder


@pytest.mark.slow
def test_the_command_in_a_process_of_its_own(folder):
    process = start("reproduce.py", "--study", "mine", "--trial", 7, cwd=folder)
    said = process.communicate(timeout=250)[0]
    assert process.returncode == 0, said
    assert said.endswith("Reproduced to the last bit.\n")
    assert re.search(r"4 epochs.*: stored ([\d.]+), reproduced \1: equal", said)


def test_what_differs_is_said(folder, tmp_path, command, monkeypatch):
    """Other versions, and a trial that was stored with another training seed."""
    monkeypatch.setattr("study.storage.provenance.PACKAGES", ("torch",))
    monkeypatch.setattr("study.storage.provenance.version", lambda name: "1.0")
    with (
        closing(sqlite3.connect(folder / "results/studies.db")) as database,
        closing(sqlite3.connect(tmp_path / "changed.db")) as changed,
    ):
        database.backup(changed)
        without_digest = "json_remove(value_json, '$.digest')"  # as earlier versions stored it; or it would be damaged
        seeds = f"replace({without_digest}, '\"train_seed\":0', '\"train_seed\":5')"
        changed.execute(f"UPDATE trial_user_attributes SET value_json = {seeds} WHERE key = 'record'")
        changed.commit()
    result = command("reproduce.py", "--study", "mine", "--trial", 7, "--storage", f"sqlite:///{tmp_path}/changed.db")
    assert result.code == 1
    assert re.search(r"note: not as when the trial ran: torch was \S+, now 1\.0", result.out)
    assert "they differ" in result.out
    assert result.out.endswith("Not reproduced to the last bit: see the notes above.\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--study mine --trial 99", "study 'mine' holds trials 0 to 11, but 99 was given"),
        ("--study min --trial 1", "unknown study 'min': did you mean 'mine'? Valid: mine"),
    ],
)
def test_bad_input_is_told_in_one_message(folder, arguments, said, command):
    result = command("reproduce.py", *arguments.split(), "--storage", f"sqlite:///{folder}/results/studies.db")
    assert (result.code, result.out) == (2, "")
    assert result.err == f"error: {said}\n"


def test_a_database_that_is_not_there_is_not_made(command, tmp_path):
    result = command("reproduce.py", "--study", "mine", "--trial", 0)
    assert result.code == 2
    assert "error: there is no database results/studies.db: check --storage, or search first" in result.err
    assert [path.name for path in tmp_path.rglob("*")] == ["results"]


def test_what_only_a_narrowed_space_allows_is_reproduced(command, tmp_path):
    """Plain SGD has no momentum to cycle, so the whole space cannot be searched with it."""
    (tmp_path / "still.toml").write_text("families = ['cyclic']\n[cyclic]\ncycle_momentum = false\n")
    flags = "--dataset digits --epochs 1 --least-steps 1 --optimizer torch.optim:SGD --trials 2 --study still"
    whole = command("search.py", *flags.split(), "--families", "cyclic")
    assert whole.err.startswith("error: cyclic with cycle_momentum=True needs an optimizer with momentum")
    assert command("search.py", *flags.split(), "--space", "still.toml").code == 0
    (tmp_path / "still.toml").unlink()
    result = command("reproduce.py", "--study", "still", "--trial", 0)
    assert (result.code, result.err) == (0, "")
    assert "\n  1 epoch, trained 2 together: stored " in result.out
    assert result.out.endswith("Reproduced to the last bit.\n")

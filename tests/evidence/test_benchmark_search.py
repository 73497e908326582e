"""The comparison of searches as a user runs it: recording, searching recorded runs, and training live."""

import csv
import json
import shlex
import shutil
from importlib.metadata import version

import pytest

from tests.helpers import ROOT, start

DIGITS = ["--dataset", "digits", "--epochs", "4", "--families", "cosine", "linear", "plateau"]
SHORT = ["--least-steps", "1"]
FEW = ["--search-seeds", "2", "--trials", "10", "--arms", "none", "horizon"]


def run(script, *arguments, cwd):
    process = start(script, *arguments, cwd=cwd)
    said = process.communicate(timeout=250)[0]
    return process.returncode, said


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with recorded runs of two workloads, where a user would have them."""
    folder = tmp_path_factory.mktemp("user")
    for optimizer in ("sgd", "adamw"):
        code, said = run("evidence/record_runs.py", *DIGITS, "--optimizer", optimizer, "--per-family", 2, cwd=folder)
        assert code == 0, said
        assert f"6 schedules in results/search/recorded/digits-mlp-{optimizer}-4-epochs.jsonl" in said
    return folder


@pytest.mark.slow
def test_searches_over_recorded_runs(folder, command, monkeypatch):
    """All workloads in one table, each in its own; rebuilt, every file is the same."""
    monkeypatch.chdir(folder)
    result = command("evidence/benchmark_search.py", *SHORT, *FEW, "--name", "first")
    assert result.code == 0, result.err
    for part in (
        "## All workloads",
        "## digits-mlp-sgd, 4 epochs",
        "## digits-mlp-adamw, 4 epochs",
        "At equal epochs:",
    ):
        assert part in result.out
    written = folder / "results/search"
    assert (written / "first.md").read_text() in result.out
    before = {name: (written / f"first.{name}").read_bytes() for name in ("csv", "json", "md", "png")}
    rebuilt = command("evidence/benchmark_search.py", *SHORT, *FEW, "--name", "first", "--rebuild")
    assert rebuilt.code == 0, rebuilt.err
    assert {name: (written / f"first.{name}").read_bytes() for name in before} == before
    rows = list(csv.DictReader((written / "first.csv").read_text().splitlines()))
    assert [(row["workload"], row["arm"], row["search_seed"]) for row in rows] == [
        (f"digits-mlp-{optimizer}, 4 epochs", arm, str(seed))
        for optimizer in ("adamw", "sgd")
        for arm in ("none", "horizon")
        for seed in (0, 1)
    ]
    assert all(float(row["error"]) == json.loads(row["trace"])[-1][2] or row["arm"] == "horizon" for row in rows)
    assert (written / "first.png").read_bytes().startswith(b"\x89PNG")
    manifest = json.loads((written / "first.json").read_text())
    assert manifest["made"]["command"].startswith("python")
    for timed in manifest["seconds_per_epoch_by_cohort"].values():
        assert list(timed) == ["1", "2", "4", "8", "16"]
        assert all(seconds > 0 for seconds in timed.values())


@pytest.mark.slow
def test_searches_that_train(command, tmp_path):
    result = command(
        "evidence/benchmark_search.py",
        *DIGITS,
        *SHORT,
        *FEW,
        "--live",
        "--no-equal-epochs",
        "--confirm-seeds",
        2,
        "--output",
        "live",
    )
    assert result.code == 0, result.err
    assert "Trained live." in result.out
    assert "At equal epochs" not in result.out
    rows = list(csv.DictReader((tmp_path / "live/pruners.csv").read_text().splitlines()))
    assert len(rows) == 4
    assert {row["lost"] for row in rows} == {""}, "not known without training every trial in full"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--compare pruner", "unknown comparison 'pruner': did you mean 'pruners'? Valid: pruners, rungs, "),
        ("--arms medium", "unknown arm 'medium': did you mean 'median'? Valid: none, horizon, median, "),
        ("--pruner none", "the arms choose the pruner: remove --pruner none"),
        ("--sampler-seed 1", "use --first-search-seed, not --sampler-seed 1"),
        ("--trials 0", "--trials must be at least 1, but 0 was given"),
        ("", "results/search/recorded holds no recorded runs: make some with scripts/evidence/record_runs.py"),
        ("--recorded runs.jsonl", "runs.jsonl does not exist: create it with scripts/evidence/record_runs.py"),
    ],
)
def test_bad_input_gives_one_message(arguments, said, command, tmp_path):
    result = command("evidence/benchmark_search.py", *arguments.split())
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {said}")
    assert result.err.count("\n") == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["results"], "nothing half-written"


def test_a_flag_that_was_renamed_answers_with_its_new_name(command):
    result = command("evidence/record_runs.py", "--judge-seeds", 3)
    assert (result.code, result.out) == (2, "")
    assert result.err == "error: --judge-seeds has a new name: type --confirm-seeds\n"


@pytest.mark.slow
def test_runs_of_other_data_are_refused(folder, command):
    """A file whose data is not what the name makes today."""
    lines = (folder / "results/search/recorded/digits-mlp-sgd-4-epochs.jsonl").read_text().splitlines()
    about = json.loads(lines[0])
    about["configuration"]["data"] = "0" * 64
    with open("other.jsonl", "w") as file:  # in the command's folder
        file.write("\n".join([json.dumps(about), *lines[1:]]))
    result = command("evidence/benchmark_search.py", "--recorded", "other.jsonl")
    assert (result.code, result.out) == (2, "")
    assert "other.jsonl was recorded on other data: record it again with scripts/evidence/record_runs.py" in result.err


COMMITTED = ROOT / "results" / "search"
UNTIMED = ("epochs", "error", "lost", "family", "spent")
"""The columns of a search that do not depend on the machine's speed."""


def what_is_found(path):
    """By workload, arm and seed: what a search spent and found, and its incumbents without their seconds."""
    with path.open() as file:
        return {
            (row["workload"], row["arm"], row["search_seed"]): (
                [row[name] for name in UNTIMED],
                [(epochs, error) for epochs, _, error in json.loads(row["trace"])],
            )
            for row in csv.DictReader(file)
        }


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_committed_comparison_of_pruners_is_found_again(tmp_path):
    """Two search seeds on one workload, with ours and one of Optuna's pruners."""
    made = json.loads((COMMITTED / "pruners.json").read_text())["made"]["versions"]
    present = {name: version(name) for name in ("torch", "optuna", "numpy", "scipy")}
    if present != {name: made[name] for name in present}:
        pytest.skip(f"these packages are not those that the rows were made with: {present}")
    recorded = COMMITTED / "recorded" / "mnist1d-transformer-adamw-10-epochs.jsonl"
    arms = ("horizon", "hyperband")
    process = start(
        "evidence/benchmark_search.py",
        *("--search-seeds", 2, "--recorded", recorded, "--arms", *arms, "--output", tmp_path),
        *("--sampler", "gp-optuna"),  # the default when they were made
        cwd=tmp_path,
    )
    said = process.communicate(timeout=840)[0]
    assert process.returncode == 0, said
    found, committed = what_is_found(tmp_path / "pruners.csv"), what_is_found(COMMITTED / "pruners.csv")
    assert len(found) == 4
    assert found == {key: committed[key] for key in found}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    sorted(
        path.stem
        for path in COMMITTED.glob("*.csv")
        if path.stem not in ("peer", "answers") and not path.stem.startswith(("extensions", "live-"))
    ),
)
def test_a_committed_page_is_made_of_its_rows(name, command, data_root, tmp_path, monkeypatch):
    """By the command in its manifest, which may have the names of an earlier version."""
    command_line = json.loads((COMMITTED / f"{name}.json").read_text())["made"]["command"]
    command_line = command_line.replace("generations", "brackets").replace(" at random", " start-up trials")
    words = shlex.split(command_line)[2:]
    words += ["--startup-trials", 30] if name == "samplers" else []  # the default when it was made
    monkeypatch.chdir(ROOT)  # the recorded runs lie there
    monkeypatch.setattr("study.evidence.searches.figure.draw_regret", lambda *arguments: b"")  # slow, and not compared
    shutil.copy(COMMITTED / f"{name}.csv", tmp_path)
    where = ("--data-root", data_root, "--output", tmp_path)
    result = command("evidence/benchmark_search.py", *words, "--rebuild", *where)
    assert result.code == 0, result.err
    assert (tmp_path / f"{name}.md").read_text() == (COMMITTED / f"{name}.md").read_text()

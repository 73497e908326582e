"""The commands over a user's own training: searched, shown, reproduced, exported, enqueued, reported and compared."""

import json
import shlex
import sys

import pytest

from study.reports.dashboard.figures import figures
from study.reports.dashboard.note import note
from study.storage.studies import read_study
from tests.helpers import ROOT
from tests.svg import texts

TRAIN = ("--train", "tests.own_training:train", "--epochs", 20, "--families", "rex", "linear", "--sampler", "tpe")
TRAIN += ("--reference", "none")


@pytest.fixture
def own(command, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return command


def test_a_function_has_all_that_a_workload_has(own, tmp_path):
    said = own("search.py", *TRAIN, "--trials", 6)
    assert said.code == 0, said.err
    assert "First run: train(schedule, epochs=1, seed=0)\n  1 epoch of 8 steps, val_value 0.2687, lr" in said.out
    study = ("--study", "train-20-epochs")
    for script, *arguments in (
        ("reproduce.py", *study, "--trial", 3),
        ("export.py", *study, "--output", "schedule.py"),
        ("export.py", *study, "--trial", 2, "--format", "json", "--output", "schedule.json"),
        ("report.py", *study),
        ("search.py", *TRAIN, "--trials", 3, "--study", "next", "--enqueue", "schedule.json"),
    ):
        done = own(script, *arguments)
        assert done.code == 0, done.err
    code = (tmp_path / "schedule.py").read_text()
    assert "torch.optim.SGD(model.parameters(), lr=" in code
    exec(code, {})
    assert json.loads((tmp_path / "schedule.json").read_text())["family"] in ("rex", "linear")
    assert (
        "tests.own\\_training:train, 8 steps an epoch" in (tmp_path / "results/train-20-epochs/report.md").read_text()
    )


def test_a_dry_run_shows_the_command_and_stores_nothing(own, tmp_path):
    script = tmp_path / "my_train.py"
    script.write_text("import sys; print('error', float(sys.argv[1]) + float(sys.argv[3]))")
    typed = f"{shlex.quote(sys.executable)} my_train.py {{peak_lr}} {{epochs}} {{seed}}"
    flags = ("--metric", "error", "--metric-pattern", r"error (\S+)", "--peak-lr", 0.01, 1)
    said = own("search.py", "--command", typed, *flags, "--epochs", 4, "--dry-run")
    assert said.code == 0, said.err
    assert f"First run: {sys.executable} my_train.py 0.1 1 0\n  1 epoch, val_error 0.1\n" in said.out
    assert said.out.endswith("Nothing was stored (--dry-run).\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my_train.py", "results"]
    assert list((tmp_path / "results").iterdir()) == []


def written(folder):
    """What a report says: its text, and the words of its pictures."""
    pictures = (word for path in folder.glob("*.svg") for word in texts(path.read_text()))
    return "\n".join([(folder / "report.md").read_text(), *pictures])


def test_families_are_compared_over_steps(own, tmp_path):
    flags = ("--train", "tests.own_training:train_steps", "--steps", 100, 200, "--families", "rex", "linear")
    said = own("benchmark.py", *flags, "--trials-per-family", 5, "--confirm-seeds", 2, "--search-seeds", 2)
    assert said.code == 0, said.err
    assert "100 steps" in said.out
    assert "epoch" not in said.out
    assert own("report.py", "--study", "benchmark-train_steps").code == 0
    report = written(tmp_path / "results/benchmark-train_steps")
    assert "**100 steps**" in report
    assert "a trial, after 100 steps" in report
    assert "| family | steps | searches |" in report
    assert "epoch" not in report


def test_a_study_over_steps_names_no_epochs(own, tmp_path):
    flags = ("--train", "tests.own_training:train_steps", "--steps", 400, "--sampler", "random", "--trials", 40)
    flags += ("--families", "rex", "linear", "plateau", "--confirm-seeds", 2)
    said = own("search.py", *flags, "--show", "families", "importance", "peaks")
    assert said.code == 0, said.err
    assert own("report.py", "--study", "train_steps-400-steps").code == 0
    report = written(tmp_path / "results/train_steps-400-steps")
    assert "100-step runs" in report
    study = read_study("sqlite:///results/studies.db", "train_steps-400-steps")
    drawn = [figure.to_json() for figure in figures(study).values()]
    dashboard = "\n".join([note(study, "sqlite:///results/studies.db"), *drawn])
    for text in (said.out, report, dashboard):
        assert "steps" in text
        assert "epoch" not in text


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (
            ["--train", "tests.own_training"],
            "--train needs package.module:function",
        ),
        (
            ["--train", "tests.own_training:rows"],
            "tests.own_training:rows must be a generator: a function of (schedule,",
        ),
        ([*TRAIN, "--model", "cnn"], "--train replaces --model: remove --model, but 'cnn' was given"),
        (["--command", "python {epoch}"], "unknown placeholder 'epoch' in --command: did you mean 'epochs'?"),
        (["--command", "pithon {epochs}"], "--command cannot be run: pithon: No such file or directory"),
        ([*TRAIN, "--command", "x {epochs}"], "give --train or --command, not both"),
        (
            ["--train", "tests.own_training:score", "--metric", "loss"],
            "the metric 'loss' is missing: the evaluation has",
        ),
        ([*TRAIN, "--direction", "up"], "--direction must be minimize or maximize, but 'up' was given"),
        ([*TRAIN, "--peak-lr", 1, 0.1], "--peak-lr must be LOW HIGH, with 0 < LOW < HIGH"),
        (["--metric", "error"], "--metric is for your own training: give --train or --command too"),
        (["--metric-csv", "x"], "--metric-csv needs --command"),
    ],
)
def test_a_mistake_is_one_message(own, flags, said):
    found = own("search.py", *flags, "--trials", 2)
    assert found.code == 2
    assert found.err.startswith("error: ")
    assert said in found.err

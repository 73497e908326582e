"""The commands over a user's own training: searched, shown, reproduced, exported, enqueued, reported and compared."""

import html
import json
import shlex
import sys
import tempfile

import pytest

from search_spaces import InputError
from study import Result
from study.reports.dashboard.figures import figures
from study.reports.dashboard.note import note
from study.storage.studies import read_study
from tests import own_training
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


def test_a_dry_run_shows_the_command_and_stores_nothing(own, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
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


KEPT = """
import sys
peak, length, seed = float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
print("error", abs(peak - 0.07) + 0.1 / length + seed % 7 / 1000)
"""
"""A script that keeps its own schedule, whatever that is."""


def test_a_script_that_keeps_its_schedule_is_given_a_peak_and_no_code(own, tmp_path):
    """No constant rate was trained, so none is recommended, printed, written or exported; nor are steps, unseen."""
    (tmp_path / "kept.py").write_text(KEPT)
    flags = ["--metric-pattern", r"error (\S+)", "--peak-lr", 0.001, 1, "--epochs", 4, "--trials", 8]
    typed = f"{shlex.quote(sys.executable)} kept.py {{peak_lr}} {{epochs}} {{seed}}"
    said = own("search.py", "--command", typed, *flags)
    assert said.code == 0, said.err
    record = read_study("sqlite:///results/studies.db", "kept-4-epochs")
    result = Result(record)
    peak = result.schedule.peak_lr
    assert f"\nUse peak {peak:.2g} with your script's own schedule: validation value " in said.out
    assert f"\nIn your command: {{peak_lr}} = {peak!r} (trial {result.recommended.number})\n" in said.out
    assert "Length: found in runs of 4 epochs, compared from 1 epoch on.\n" in said.out
    assert not (tmp_path / "results/kept-4-epochs/schedule.py").exists()
    refused = f"there is no schedule to export. In your command: {{peak_lr}} = {peak!r}"
    for form in ("torch", "json"):
        exported = own("export.py", "--study", "kept-4-epochs", "--format", form)
        assert (exported.code, exported.out) == (2, "")
        assert exported.err.startswith("error: study 'kept-4-epochs' trained your script's own schedule")
        assert refused in exported.err
    with pytest.raises(InputError, match="there is no schedule to export"):
        result.code()
    assert own("report.py", "--study", "kept-4-epochs").code == 0
    own_words = "with your script's own schedule"
    for text in (
        said.out.partition("\nStudy ")[2],
        (tmp_path / "results/kept-4-epochs/report.md").read_text().partition("## Search space")[0],
        note(record, "sqlite:///results/studies.db"),
        html.unescape(result._repr_html_()),
        repr(result),
    ):
        assert own_words in text
        for untrue in ("constant", "make_scheduler", "export.py", "schedule.py", "winner.svg", " steps"):
            assert untrue not in text, untrue
    longer = own("extend.py", "--study", "kept-4-epochs", "--epochs", 8)
    assert longer.code == 0, longer.err
    assert "Use your script's own schedule, peak_lr " in longer.out
    assert f"In your command: {{peak_lr}} = {peak!r}" in longer.out
    assert "make_scheduler" not in longer.out
    assert own("extend.py", "--study", "kept-4-epochs", "--epochs", 8, "--output", "x.py").code == 2


def test_a_script_that_warms_up_as_told_is_given_those_steps_too(own, tmp_path):
    (tmp_path / "kept.py").write_text(KEPT.replace("seed % 7", "(seed % 7 + int(sys.argv[4]))"))
    flags = ["--metric-pattern", r"error (\S+)", "--peak-lr", 0.001, 1, "--steps", 200, "--trials", 5]
    typed = f"{shlex.quote(sys.executable)} kept.py {{peak_lr}} {{steps}} {{seed}} {{warmup_steps}}"
    said = own("search.py", "--command", typed, *flags, "--confirm-seeds", 0)
    assert said.code == 0, said.err
    best = read_study("sqlite:///results/studies.db", "kept-200-steps").best
    warmup = best.schedule.warmup_steps(200)
    assert f"In your command: {{peak_lr}} = {best.peak_lr!r}, {{warmup_steps}} = {warmup} (trial" in said.out
    words = "no warm-up" if not warmup else "warm-up over the first"
    assert f"Winner: your script's own schedule, peak_lr {best.peak_lr:.3g}, {words}" in " ".join(said.out.split())


def written(folder):
    """What a report says: its text, and the words of its pictures."""
    pictures = (word for path in folder.glob("*.svg") for word in texts(path.read_text()))
    return "\n".join([(folder / "report.md").read_text(), *pictures])


def test_families_are_compared_over_steps(own, tmp_path):
    flags = ("--train", "tests.own_training:train_steps", "--steps", 100, 200, "--families", "rex", "linear")
    said = own("benchmark.py", *flags, "--trials-per-family", 3, "--confirm-seeds", 2, "--search-seeds", 2)
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
    flags = ("--train", "tests.own_training:train_steps", "--steps", 400, "--sampler", "random", "--trials", 30)
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


FRAGILE = ("--train", "tests.own_training:fragile", "--epochs", 4, "--families", "rex", "linear", "--sampler", "tpe")
FRAGILE += ("--peak-lr", 0.01, 0.1)


def fails_with(monkeypatch, *seeds):
    monkeypatch.setattr(own_training, "BROKEN", set(seeds))


def test_runs_that_fail_while_confirming_are_said_and_trained_again(own, monkeypatch, tmp_path):
    search = ("search.py", *FRAGILE, "--trials", 4, "--reference", "none", "--study", "f")
    fails_with(monkeypatch, 1004, 1009)
    said = own(*search)
    assert said.code == 0, said.err
    reason = "RuntimeError: disk full (own_training.py, line "
    assert said.out.count("note: a run failed, and is left out (trial ") == 2
    assert said.out.count(f"seed 1009): {reason}") == 1
    answer = " ".join(said.out.partition("Use ")[2].split())
    assert "] over 6 of 8 seeds." in answer
    assert f" with seeds 1004, 1009. The last: {reason}" in answer
    assert "The same command trains failed runs again." in answer
    assert own("report.py", "--study", "f").code == 0
    report = (tmp_path / "results/f/report.md").read_text()
    assert "over 6 of 8 seeds" in report
    assert "with seeds 1004, 1009" in report
    fails_with(monkeypatch)
    said = " ".join(own(*search).out.split())
    assert "] over 8 seeds." in said
    assert "failed" not in said


def test_a_training_that_always_fails_while_confirming_ends_with_a_message(own, monkeypatch):
    search = ("search.py", *FRAGILE, "--trials", 4, "--study", "f", "--confirm-seeds", 4)
    message = "error: 3 runs in a row failed, the last with: RuntimeError: disk full (own_training.py, line "
    fails_with(monkeypatch, *range(1000, 1100))
    for _ in range(2):
        said = own(*search)
        assert said.code == 2
        assert said.err.startswith(message)
        assert "Use " not in said.out
    fails_with(monkeypatch)
    said = own(*search)
    assert said.code == 0, said.err
    assert "over 4 seeds" in " ".join(said.out.split())


def test_longer_runs_that_fail_are_said_and_trained_again(own, monkeypatch):
    few = ("--trials", 2, "--reference", "none", "--study", "f", "--confirm-seeds", 0)
    assert own("search.py", *FRAGILE, *few).code == 0
    extend = ("extend.py", "--study", "f", "--epochs", 8)
    fails_with(monkeypatch, 1000)
    said = own(*extend)
    assert said.code == 2
    assert said.err.startswith(
        "error: the run of 8 epochs failed, so no schedule is recommended: fix the cause, and type the same command "
        "again. The last failed with: RuntimeError: disk full"
    )
    fails_with(monkeypatch, 1003, 1005)
    said = " ".join(own(*extend, "--confirm-seeds", 3).out.split())
    assert "in one run with a fresh seed. Not confirmed: runs failed with all but 1 of 3 fresh seeds, " in said
    assert said.endswith("at least 2 seeds must be left. The same command trains failed runs again.")
    said = " ".join(own(*extend, "--confirm-seeds", 5).out.split())
    assert said.endswith("] over 3 of 5 seeds. The same command trains failed runs again.")
    fails_with(monkeypatch)
    assert " ".join(own(*extend, "--confirm-seeds", 5).out.split()).endswith("] over 5 seeds.")


def test_a_benchmark_says_what_failed(own, monkeypatch):
    benchmark = ("benchmark.py", *FRAGILE, "--trials-per-family", 1, "--name", "b", "--confirm-seeds")
    fails_with(monkeypatch, 1000, 1001)
    said = own(*benchmark, 2)
    assert said.code == 0, said.err
    assert said.out.count(", not confirmed, as too many runs failed (the same command trains them again); ") == 2
    assert "Best at 4 epochs: unknown, no winner is confirmed yet." in said.out
    said = own(*benchmark, 4)
    notes = " ".join(said.out.split())
    for family in ("1/2 rex", "2/2 linear"):
        assert notes.count(f"note: a run failed, and is left out ({family}, 4 epochs, trial 0, seed 100") == 2
    assert "over 2 fresh seeds\n  Failed and left out: rex with seeds 1000, 1001; linear with seeds" in said.out
    assert max(map(len, said.out.partition("Best at")[2].splitlines())) <= 80
    fails_with(monkeypatch)
    said = own(*benchmark, 4)
    assert "over 4 fresh seeds\n  ties: " in said.out

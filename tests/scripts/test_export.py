"""scripts/export.py: which schedule it exports, its output, and its messages for invalid input."""

import json
import shlex

import optuna
import pytest
import torch

from search_spaces import from_params
from search_spaces.export import FORMATS
from tests.helpers import run_search

STORAGE = "sqlite:///results/studies.db"


@pytest.fixture
def searched(command, workload):
    """A study of six trials in the folder where commands are called; command comes first: it goes there."""
    run_search(STORAGE, workload, 6)
    return optuna.load_study(study_name="small", storage=STORAGE)


def rates(code, total_steps):
    made = {}
    exec(code, made)
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0, momentum=0.9)
    scheduler = made["make_scheduler"](optimizer, total_steps)
    found = []
    for _ in range(total_steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if not isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
            scheduler.step()
    return found


@pytest.mark.parametrize("name", list(FORMATS))
def test_every_trial_comes_out_with_where_it_comes_from(name, searched, command):
    winner = searched.best_trial
    for trial in searched.trials:
        result = command("export.py", "--study", "small", "--trial", trial.number, "--format", name)
        assert (result.code, result.err) == (0, "")
        schedule = from_params(trial.params)
        for total_steps in (64, 100):
            assert rates(result.out, total_steps) == [lr for lr, _ in schedule.simulate(total_steps)]
        head = result.out[: result.out.index("\n\n")]
        assert all(line.startswith("# ") for line in head.splitlines())
        assert f"# Learning-rate schedule: trial {trial.number} of 6 in study 'small'" in head
        assert "digits-mlp-sgd, 4 epochs, 64 steps" in head
        assert f"val_error {100 * trial.value:.{1 if trial.value >= 0.1 else 2}f} %" in head
        assert ("the best of 6 trials" in head) == (trial.number == winner.number)
        record = trial.user_attrs["record"]
        pruned = trial.state == optuna.trial.TrialState.PRUNED and not record["diverged"]
        assert ("pruned after a run of 1 epoch" in head) == pruned
        assert ("diverged after a run of " in head) == record["diverged"]
        assert "test        not evaluated" in head
        where = "64 steps, compared from 16 steps on" if 4 in trial.intermediate_values else "16 steps, not tried"
        assert f"# length      found in runs of {where}" in head
        assert f"torch {torch.__version__.partition('+')[0]}" in head
        assert "torch.optim.SGD(model.parameters(), lr=" in result.out
        until = schedule.extendable_until(64)
        assert (f"# A run of 64 steps can be given more until step {until}. " in result.out) == (0 < until < 64)
        assert ("# A run that is going can" in result.out) == (until in (0, 64))


def test_the_winner_and_the_best_of_a_family(searched, command, tmp_path):
    winner = searched.best_trial
    by_default = command("export.py", "--study", "small").out
    assert by_default == command("export.py", "--study", "small", "--trial", winner.number).out
    assert by_default == command("export.py", "--study", "small", "--family", winner.params["family"]).out
    assert command("export.py", "--study", "small", "--output", "winner.py").out == ""
    assert (tmp_path / "winner.py").read_text() == by_default


def test_the_drift_of_the_peak_is_told_if_enough_trials_show_it(command, workload):
    run_search(STORAGE, workload, 40)
    [drift] = json.loads(command("export.py", "--study", "small", "--format", "json").out)["provenance"]["peak_drift"]
    assert (drift["short_steps"], drift["long_steps"]) == (16, 64)
    said = "best peak_lr at 16 steps / at 64 steps: {ratio:.2f} [{low:.2f}, {high:.2f}] ({trials} trials)"
    assert f"# peak drift  {said.format(**drift)}\n" in command("export.py", "--study", "small").out


def test_what_was_confirmed_is_told(searched, command):
    winner = searched.best_trial
    searched.set_user_attr("confirmed", {"trial": winner.number, "seeds": [1000, 1001], "test": [0.25, 0.5]})
    assert (
        "# test        test_error 37.5 %, mean of 2 fresh training seeds\n"
        in command("export.py", "--study", "small").out
    )
    told = json.loads(command("export.py", "--study", "small", "--format", "json").out)["provenance"]
    assert told["test"] == {"metric": "test_error", "mean": 0.375, "seeds": 2}


def test_a_name_cannot_leave_the_comment(command, workload):
    run_search(STORAGE, workload, 3, name="a\nimport os")
    searched = command("export.py", "--study", "a\nimport os", "--trial", 0).out
    assert "import os" in searched
    assert not any(line.startswith("import os") for line in searched.splitlines())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--study smal", "unknown study 'smal': did you mean 'small'"),
        ("--study small --trial 6", "study 'small' holds trials 0 to 5, but 6 was given"),
        ("--study small --format pytorch", "unknown format 'pytorch': did you mean 'torch'"),
        ("--study small --family cosin", "unknown family 'cosin': did you mean 'cosine'"),
        ("--study small --family rex --trial 1", "give --trial or --family, but not both: remove --family rex"),
        ("--study small --output nowhere/winner.py", "cannot write nowhere/winner.py: No such file or directory"),
        ("--study small --storage sqlite:///nothing.db", "there is no database nothing.db"),
    ],
)
def test_bad_input_is_told(arguments, said, searched, command):
    result = command("export.py", *shlex.split(arguments))
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {said}")
    assert result.err.count("\n") == 1


def test_a_family_without_a_finished_trial_is_told(searched, command):
    ended = {t.params["family"] for t in searched.trials if t.state == optuna.trial.TrialState.COMPLETE}
    other = next(family for family in ("rex", "wsd", "step", "linear", "cosine", "constant") if family not in ended)
    result = command("export.py", "--study", "small", "--family", other)
    assert result.code == 2
    assert f"no trial of family '{other}' of study 'small' ran to the end: choose one with --trial" in result.err

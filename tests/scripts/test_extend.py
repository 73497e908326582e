"""A longer run than those of a study: advice, at most three runs, the code of the best."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from statistics import mean

import optuna
import pytest
import torch

import study
from study.analysis.answer import recommended
from study.executors.in_process import InProcess
from study.objective import FIRST_FRESH_SEED, Run
from study.search.confirm import LOOKS
from study.search.extend import confirming_seeds
from study.storage.longer_runs import KEY, longer_runs
from study.storage.studies import read_study
from study.training.workload_objective import WorkloadObjective

SEARCH = {"dataset": "digits", "epochs": 2, "trials": 4, "confirm_seeds": 2, "families": ["cosine", "rex"]}
DATABASE = "sqlite:///results/studies.db"
STUDY = ("--study", "digits-mlp-sgd-2-epochs")


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """The database of a user who has searched."""
    path = tmp_path_factory.mktemp("user") / "studies.db"
    study.find_schedule(**SEARCH, storage=path, progress=False)
    return path


@pytest.fixture
def searched(command, database, tmp_path):
    """Call a script in a folder with a copy of it."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM INTO ?", [str(tmp_path / "results/studies.db")])
    return command


def test_the_finalists_are_tried_once_and_the_best_is_confirmed_and_exported(searched, tmp_path, workload):
    arguments = (*STUDY, "--epochs", 6, "--runs", 3, "--confirm-seeds", 2, "--output", "longer.py")
    said = searched("extend.py", *arguments)
    assert said.code == 0, said.err
    record = read_study(DATABASE, STUDY[1])
    runs = longer_runs(record.stored, 6)
    expected = {recommended(record).number, *record.finals.finalists}
    tried, confirming = runs[: len(expected)], runs[len(expected) :]
    assert {run.trial for run in tried} == expected, "of which there are three at most"
    best = min(tried, key=lambda run: run.validation)
    assert [(run.trial, run.seed) for run in confirming] == [(best.trial, seed) for seed in confirming_seeds(2)]
    assert f"Training longer: {len(expected)} runs" in said.out
    assert "Confirming with fresh seeds: 2 runs" in said.out
    answer = " ".join(said.out.partition("Use ")[2].split())
    schedule = record.trial(best.trial).schedule
    assert f"peak_lr {schedule.peak_lr:.3g}" in answer
    assert f" {100 * mean(run.test for run in confirming):.3g} % [" in answer
    assert answer.endswith(f"over 2 seeds; the best of {len(expected)} schedules on validation. Code: longer.py")
    code = (tmp_path / "longer.py").read_text()
    assert answer.removesuffix(" Code: longer.py") in " ".join(code.replace("# ", " ").split())
    scope = {}
    exec(code, scope)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    assert scope["make_scheduler"](optimizer, 10).optimizer is optimizer
    assert optimizer.param_groups[0]["lr"] <= schedule.peak_lr
    *_, last = InProcess(WorkloadObjective(workload)).train([Run(schedule, 6, FIRST_FRESH_SEED, LOOKS, test=True)])
    assert (best.validation, best.test) == pytest.approx((last.metric, last.test_metric), abs=0.008)
    assert len(record.trials) == 4, "longer runs are no trials"
    again = searched("extend.py", *arguments)
    assert longer_runs(read_study(DATABASE, STUDY[1]).stored, 6) == runs
    assert "Training longer" not in again.out
    assert again.out.partition("Use ")[2] == said.out.partition("Use ")[2]


def test_one_run_says_that_it_is_one(searched):
    said = " ".join(searched("extend.py", *STUDY, "--epochs", 6).out.split())
    assert "Training longer: 1 run " in said
    assert said.endswith("in one run with a fresh seed. Add --confirm-seeds 8 for a mean with its interval.")


def test_a_schedule_that_diverges_in_the_longer_run_is_not_recommended(searched):
    record = read_study(DATABASE, STUDY[1])
    trial = recommended(record).number
    stored = optuna.load_study(study_name=STUDY[1], storage=DATABASE)
    stored.set_user_attr(KEY, {"6": [[trial, FIRST_FRESH_SEED, record.metric.worst, None]]})
    said = searched("extend.py", *STUDY, "--epochs", 6, "--output", "longer.py")
    assert said.code == 2
    assert "the run of 6 epochs diverged, so no schedule is recommended: use --runs 3, or search" in said.err
    assert "Use " not in said.out
    assert not Path("longer.py").exists()


def test_advice_alone_trains_nothing(searched):
    said = searched("extend.py", *STUDY, "--epochs", 20, "--runs", 0)
    assert said.code == 0, said.err
    assert re.search(r"A full run of the study has 32 steps,\s+fewer than 250: its best peak is likely", said.out)
    assert longer_runs(read_study(DATABASE, STUDY[1]).stored, 20) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--epochs", 2), "--epochs must be above the study's 2, and at most 10 times that, but 2 was given"),
        (("--epochs", 21), "at most 10 times that, but 21 was given"),
        (("--steps", 100), "the budget of study 'digits-mlp-sgd-2-epochs' is in epochs: give --epochs"),
        ((), "give --epochs or --steps, but neither was given"),
        (("--epochs", 6, "--steps", 6), "give --epochs or --steps, but both were given"),
        (("--epochs", 6, "--runs", 4), "--runs must be 0 to 3, but 4 was given"),
        (
            ("--epochs", 6, "--confirm-seeds", 1),
            "--confirm-seeds must be 0 (not at all) or at least 2, but 1 was given",
        ),
        (("--epochs", 6, "--runs", 0, "--confirm-seeds", 2), "--runs 0 trains nothing: --confirm-seeds must be 0"),
    ],
)
def test_what_cannot_be_extended_is_told(searched, arguments, said):
    result = searched("extend.py", *STUDY, *arguments)
    assert (result.code, result.out) == (2, "")
    assert said in result.err


def test_a_study_in_memory_is_extended_too():
    found = study.find_schedule(dataset="digits", epochs=2, trials=2, confirm_seeds=0, progress=False)
    longer = found.extend(epochs=4, runs=1, progress=False)
    assert longer == found.schedule

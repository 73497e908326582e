"""A longer run than those of a study: advice, at most three runs, the code of the best."""

import re

import pytest
import torch

import study
from study.executors.in_process import InProcess
from study.objective import FIRST_FRESH_SEED, Run
from study.search.confirm import LOOKS
from study.storage.longer_runs import longer_runs
from study.storage.studies import read_study
from study.training.workload_objective import WorkloadObjective

SEARCH = ("--dataset", "digits", "--epochs", 2, "--trials", 4, "--confirm-seeds", 2, "--families", "cosine", "rex")
STUDY = ("--study", "digits-mlp-sgd-2-epochs")


@pytest.fixture
def searched(command):
    assert command("search.py", *SEARCH).code == 0
    return command


def test_three_peaks_are_tried_once_and_the_best_is_exported(searched, tmp_path, workload):
    said = searched("extend.py", *STUDY, "--epochs", 6, "--runs", 3, "--output", "longer.py")
    assert said.code == 0, said.err
    record = read_study("sqlite:///results/studies.db", STUDY[1])
    runs = longer_runs(record.stored, 6)
    assert len(runs) == 3
    assert "Training longer: 3 runs" in said.out
    best = min(runs, key=lambda run: run.validation)
    answer = " ".join(said.out.partition("Use ")[2].split())
    assert f"peak_lr {best.peak_lr:.3g}" in answer
    assert answer.endswith("the best of 3 peaks on validation. Code: longer.py")
    scope = {}
    exec((tmp_path / "longer.py").read_text(), scope)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    assert scope["make_scheduler"](optimizer, 10).optimizer is optimizer
    assert optimizer.param_groups[0]["lr"] <= best.peak_lr
    trial = record.trial(best.trial)
    schedule = type(trial.schedule)(**{**vars(trial.schedule), "peak_lr": best.peak_lr})
    *_, last = InProcess(WorkloadObjective(workload)).train([Run(schedule, 6, FIRST_FRESH_SEED, LOOKS, test=True)])
    assert (best.validation, best.test) == pytest.approx((last.metric, last.test_metric), abs=0.008)
    assert len(record.trials) == 4, "longer runs are no trials"
    again = searched("extend.py", *STUDY, "--epochs", 6, "--runs", 3, "--output", "longer.py")
    assert longer_runs(read_study("sqlite:///results/studies.db", STUDY[1]).stored, 6) == runs
    assert "Training longer" not in again.out


def test_advice_alone_trains_nothing(searched):
    said = searched("extend.py", *STUDY, "--epochs", 20, "--runs", 0)
    assert said.code == 0, said.err
    assert re.search(r"A full run of the study has 32 steps,\s+fewer than 250: its best peak is likely", said.out)
    assert longer_runs(read_study("sqlite:///results/studies.db", STUDY[1]).stored, 20) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--epochs", 2), "--epochs must be above the study's 2, and at most 10 times that, but 2 was given"),
        (("--epochs", 21), "at most 10 times that, but 21 was given"),
        (("--steps", 100), "the budget of study 'digits-mlp-sgd-2-epochs' is in epochs: give --epochs"),
        ((), "give --epochs or --steps, but neither was given"),
        (("--epochs", 6, "--steps", 6), "give --epochs or --steps, but both were given"),
        (("--epochs", 6, "--runs", 2), "--runs must be 0, 1 or 3, but 2 was given"),
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

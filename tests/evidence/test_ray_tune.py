"""The peer: Ray Tune on our workload and space. Its own studies run only if Ray is installed."""

import csv
import json
import sys

import pytest
from optuna.trial import FixedTrial

from search_spaces import InputError, from_params, suggest
from study.evidence.speed.ray_tune import local_ray, ray_trials, train_one
from study.evidence.speed.studies import StudyOutcome, TriedSchedule
from study.evidence.speed.studies_report import PeerStudy, table_of_peers
from study.search.configuration import Configuration
from study.training.workload_objective import WorkloadObjective
from study.workloads.workload import ERROR

TINY = Configuration(epochs=2)
REX = {"family": "rex", "peak_lr": 0.1, "warmup_fraction_is_0": True}


@pytest.fixture(scope="module")
def ray():
    missing = "Ray Tune is not installed: pip install -e '.[peers]'"
    return pytest.importorskip("ray.tune.search.optuna", reason=missing, exc_type=ImportError)


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
def test_a_study_of_the_peer(workload):
    with local_ray() as folder:
        tried = ray_trials(WorkloadObjective(workload), TINY, 3, folder)
    assert len(tried) == 3
    assert all(0 < trial.epochs <= TINY.epochs for trial in tried)
    assert [trial.complete for trial in tried] == [trial.epochs == TINY.epochs for trial in tried]
    for trial in tried:
        schedule = suggest(FixedTrial(trial.params), TINY.families, workload.peak_lr)  # refuses what is out of range
        assert schedule == from_params(trial.params)
        assert schedule.peak_lr == trial.params["peak_lr"]
    result = StudyOutcome.of(tried, workload.metric, seconds=1.0)
    assert result.trials == 3
    assert result.epochs == sum(trial.epochs for trial in tried) <= 3 * TINY.epochs
    assert result.schedule in [from_params(trial.params) for trial in tried if trial.complete]


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
def test_the_benchmark_of_the_peer(command, tmp_path, data_root):
    arguments = ["--dataset", "digits", "--epochs", "4", "--trials", "3", "--search-seeds", "1", "--confirm-seeds", "1"]
    result = command("evidence/benchmark_peer.py", *arguments, "--data-root", data_root)
    assert result.code == 0, result.err
    report = (tmp_path / "results" / "search" / "peer.md").read_text()
    assert report in result.out
    assert "| Ray Tune, OptunaSearch and ASHA | 1 | 3 |" in report
    with (tmp_path / "results" / "search" / "peer.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["study"] for row in rows] == ["Ray Tune, OptunaSearch and ASHA", "this project, by default"]
    assert all(0 < float(row["epochs"]) <= 12 and 0 < float(row["test_error"]) < 1 for row in rows)
    assert "ray" in json.loads((tmp_path / "results" / "search" / "peer.json").read_text())["versions"]


def test_without_ray_it_says_what_to_install(command, monkeypatch, data_root):
    monkeypatch.setitem(sys.modules, "ray", None)
    result = command("evidence/benchmark_peer.py", "--dataset", "digits", "--epochs", "4", "--data-root", data_root)
    assert result.code == 2
    assert result.err == "error: this needs Ray Tune: pip install -e '.[peers]'\n"


def test_a_run_reports_every_epoch_and_where_it_diverged(workload, monkeypatch):
    """Ray is stood in for by a module that notes what is reported."""
    reports = []
    tune = type(sys)("tune")
    tune.report = reports.append
    stand_in = type(sys)("ray")
    stand_in.tune = tune
    monkeypatch.setitem(sys.modules, "ray", stand_in)
    train_one(REX, WorkloadObjective(workload), epochs=2, train_seed=0)
    assert [report["epoch"] for report in reports] == [1, 2]
    reports.clear()
    train_one(REX | {"peak_lr": 1e6}, WorkloadObjective(workload), epochs=2, train_seed=0)
    assert reports == [{"epoch": pytest.approx(10 / 16), "error": 1.0}]


def test_the_winner_is_the_best_that_ran_to_its_end():
    stopped, first, second = (
        TriedSchedule(REX | {"peak_lr": peak}, epochs, complete, value)
        for peak, epochs, complete, value in ((0.1, 1, False, 0.1), (0.2, 4, True, 0.2), (0.3, 4, True, 0.2))
    )
    result = StudyOutcome.of([stopped, first, second], ERROR, seconds=3.0)
    assert (result.schedule.peak_lr, result.trials, result.epochs, result.seconds) == (0.2, 3, 9, 3.0)
    with pytest.raises(InputError, match="no trial was trained in full"):
        StudyOutcome.of([stopped], ERROR, seconds=3.0)


def test_differences_are_taken_in_pairs():
    theirs = [PeerStudy("theirs", seed, 50, 200.0, 10.0 * (seed + 1), "rex", 0.4) for seed in range(2)]
    ours = [PeerStudy("ours", seed, 50, 300.0, 5.0 * (seed + 1), "rex", 0.3) for seed in range(2)]
    assert table_of_peers(theirs, ours).splitlines()[-1] == (
        "| difference | 2 |  | +100.00 [+100.00, +100.00] | 2.00 [2.00, 2.00] times as fast | +10.00 [+10.00, +10.00] |"
    )

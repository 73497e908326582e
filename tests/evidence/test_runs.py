"""The speed benchmark: what it counts, what it compares, and that it runs."""

import csv
import json
import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import version
from statistics import mean
from types import SimpleNamespace

import optuna
import pytest
from optuna.trial import FixedTrial

from search_spaces import Cosine
from study.evidence.speed.runs import Measured, end_of, matrix_rate, ratios, useful_flop, with_fewer_rows
from study.evidence.speed.runs_report import draw_speed, table_of_runs
from study.evidence.speed.tutorial_loop import tutorial_run, tutorial_study
from study.objective import Run
from study.workloads.options import WorkloadOptions
from tests.helpers import DRAWN_WITH, ROOT, SMALL, small_plan, trainer


def test_a_measuring_process_that_an_interruption_has_ended_is_no_error():
    with ProcessPoolExecutor(1) as pool:
        with pytest.raises(BrokenProcessPool):
            pool.submit(os._exit, 1).result()
        end_of(pool)


def test_the_tutorial_learns_what_our_loop_learns(workload):
    """Other orders of the rows, so other numbers; a few seeds agree to a few of 360 validation rows."""
    runs = [Run(Cosine(peak_lr=0.1), 4, seed, evaluations=1) for seed in range(3)]
    tutorial = mean(tutorial_run(workload, run) for run in runs)
    ours = mean(evaluation.metric for evaluation in trainer(workload).train(runs) if evaluation.last)
    assert tutorial == pytest.approx(ours, abs=0.03)
    assert tutorial < 0.15


def test_the_tutorials_study_is_unpruned_and_draws_from_the_same_space(workload, tmp_path):
    plan = small_plan(f"sqlite:///{tmp_path / 'tutorial.db'}", workload)
    outcome = tutorial_study(workload, plan, 3)
    (study,) = optuna.study.get_all_study_summaries(plan.storage)
    trials = optuna.load_study(study_name=study.study_name, storage=plan.storage).trials
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 3
    best = min(trials, key=lambda trial: trial.value)
    assert outcome.schedule == SMALL.suggest(FixedTrial(best.params), workload.peak_lr)
    assert (outcome.trials, outcome.epochs, outcome.training) == (3, 12, None)
    assert 0 < outcome.seconds < 60


def test_useful_operations_are_those_of_the_formula(data_root):
    """A step of an MLP: per layer a product forward, one for its weights, one for its inputs but the first's."""
    workload = WorkloadOptions(dataset="digits").load(data_root)
    layers = [64 * 100, 100 * 100, 100 * 10]
    step = 2 * 64 * (3 * sum(layers) - layers[0])
    assert useful_flop(workload) == 16 * step + 360 * 2 * sum(layers)


def test_workloads_are_cut_to_the_same_rows(workload):
    assert len(with_fewer_rows(workload).data.train.x) == 1078, "it has no more"
    assert with_fewer_rows(workload).data.test is workload.data.test


def test_the_matrix_rate_is_that_of_the_fastest_round(monkeypatch):
    """Two rounds, of 2 seconds and of 1."""
    clock = SimpleNamespace(perf_counter=iter([0.0, 2.0, 2.0, 3.0]).__next__)
    monkeypatch.setattr("study.evidence.speed.runs.time", clock)
    monkeypatch.setattr("study.evidence.speed.runs.MATRIX", 64)
    assert matrix_rate("cpu", rounds=2) == 2 * 64**3


def test_ratios_are_taken_round_by_round():
    """The machine was twice as slow in the second round: no ratio shows it."""
    tutorial = Measured("digits mlp sgd", "cpu", "tutorial", (1.0, 2.0, 1.0), 2**20)
    ours = Measured("digits mlp sgd", "cpu", "loop", (0.5, 1.0, 0.25), 2**21)
    assert ratios(ours, tutorial) == (2.0, 2.0, 4.0)
    table = table_of_runs([tutorial, ours], {"digits mlp sgd": 5e8}, {"cpu": 1e10})
    assert "| digits mlp sgd | cpu | loop | 6.0 | 2.00 [2.00, 4.00] | 10.0% | 2 MiB |" in table
    assert draw_speed([tutorial, ours]).startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_benchmark_of_speed(command, tmp_path, monkeypatch):
    """On a small workload, one way of each kind, each in its own process."""
    monkeypatch.setattr("study.evidence.speed.runs.COHORTS", (16,))
    result = command("evidence/benchmark_speed.py", "--workloads", "digits mlp sgd", "--rounds", 1, "--output", "speed")
    assert result.code == 0, result.err
    report = (tmp_path / "speed" / "speed.md").read_text()
    assert report in result.out
    for way in ("tutorial", "loop", "lockstep of 16"):
        assert f"| digits mlp sgd | cpu | {way} |" in report
    with (tmp_path / "speed" / "runs.csv").open() as file:
        assert all(float(row["seconds"]) > 0 and int(row["peak_bytes"]) > 2**20 for row in csv.DictReader(file))
    assert json.loads((tmp_path / "speed" / "manifest.json").read_text())["cpu"]["command"].startswith("python")
    assert (tmp_path / "speed" / "speed.png").read_bytes().startswith(b"\x89PNG")


def test_the_committed_report_of_speed_is_rebuilt_from_its_data(command, tmp_path):
    shutil.copytree(ROOT / "results/speed", tmp_path / "speed", ignore=shutil.ignore_patterns("speed.*"))
    assert command("evidence/benchmark_speed.py", "--rebuild", "--output", "speed").code == 0
    assert (tmp_path / "speed/speed.md").read_text() == (ROOT / "results/speed/speed.md").read_text()
    if version("matplotlib") == DRAWN_WITH:
        assert (tmp_path / "speed/speed.png").read_bytes() == (ROOT / "results/speed/speed.png").read_bytes()
    result = command("evidence/benchmark_speed.py", "--rebuild", "--output", "nowhere")
    assert result.code == 2
    assert "--rebuild needs the runs.csv and manifest.json of an earlier measurement" in result.err


def test_a_workload_has_three_parts(command):
    result = command("evidence/benchmark_speed.py", "--workloads", "digits mlp")
    assert result.code == 2
    assert "--workloads takes names such as 'mnist1d mlp sgd', in quotes, but 'digits mlp' was given" in result.err

"""What asking costs: the made-up trials, the table, and that it runs."""

import csv
import math

import pytest
from optuna.trial import TrialState

from study.evidence.speed.asking import Asking, made_up_trials, seconds_to_read
from study.evidence.speed.asking_report import page_of_asking
from study.search.configuration import Configuration
from study.search.sampler_study import place
from study.training.workload_objective import WorkloadObjective


def test_a_line_for_each_measurement():
    measured = [
        Asking("gp", 50, 10, preparing=0.005, asking=0.03, memory=11.2),
        Asking("gp-optuna", 10_000, 10, failed="more than 6,000 MB"),
    ]
    lines = page_of_asking(measured, {10_000: (4.5, 0.25)}, 3).splitlines()
    assert lines[4] == "| gp | 50 | 3.0 | 5 | 11 |"
    assert lines[5] == "| gp-optuna | 10,000 | more than 6,000 MB | - | - |"
    assert lines[-1] == "| 10,000 | 4.50 | 0.250 |"


def test_made_up_trials_are_those_of_whole_brackets(workload):
    trials = made_up_trials(WorkloadObjective(workload), Configuration(), 120)
    assert [place(trial) for trial in trials] == [(number // 50, number % 50) for number in range(120)]
    assert {trial.state for trial in trials} == {TrialState.PRUNED}
    assert len({trial.params["family"] for trial in trials}) == 15
    best = min(trials, key=lambda trial: trial.value)
    assert abs(math.log10(best.params["peak_lr"] / 0.1)) < 0.5


def test_all_trials_are_read_again_in_less_time(workload):
    first, again = seconds_to_read(WorkloadObjective(workload), 100)
    assert 0 < again < first


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_benchmark_of_asking(command, tmp_path):
    """With a limit of memory that no sampler keeps, too."""
    for name, memory in (("kept", 6000), ("exceeded", 100)):
        flags = ["--samplers", "gp", "--trials", 60, "--rounds", 1, "--most-memory", memory, "--output", name]
        result = command("evidence/benchmark_asking.py", *flags)
        assert result.code == 0, result.err
        [row] = csv.DictReader((tmp_path / name / "asking.csv").read_text().splitlines())
        assert row["failed"] == ("" if memory == 6000 else "more than 100 MB")
        assert (float(row["asking"]) > 0) == (memory == 6000)

"""Timing whole studies: what it counts, and that it runs."""

import csv
from dataclasses import replace

import pytest

from study.evidence.fresh_seeds import mean_test
from study.evidence.speed.studies import RacedStudy, our_study, outside, overhead, race
from study.evidence.speed.studies_report import page_of_races
from study.storage.trial_record import TrialRecord
from tests.helpers import run_search, small_plan, start


def test_studies_are_compared_in_pairs_of_seeds():
    """The machine was twice as slow for the second seed: no ratio shows it."""
    raced = [RacedStudy("theirs", seed, 40.0 * (seed + 1), None, 0.3) for seed in range(2)]
    raced += [RacedStudy("ours", seed, 4.0 * (seed + 1), 0.25, 0.29) for seed in range(2)]
    lines = page_of_races(raced, {50: 0.05, 200: 0.1}, 50, 5).splitlines()
    assert lines[4] == "| theirs | 2 | 60.00 [40.00, 80.00] | - | 70.00 [70.00, 70.00] | - | - |"
    assert lines[5].startswith("| ours | 2 | 6.00 [4.00, 8.00] | 10.0 [10.0, 10.0] | 71.00 [71.00, 71.00] | +1.00 [+1")
    assert lines[5].endswith("| 25 [25, 25] % |")
    assert lines[7].endswith("in one default study of 200 trials: 50.0 ms at trial 50, 100.0 ms at trial 200.")


def test_what_a_trial_costs_besides_training(workload, storage):
    """Brackets of ten that took 4, 6 and 10 seconds, of which the trials trained 3, 3 and 5."""
    trial = TrialRecord.of(run_search(storage, workload, 1)[0])
    trials = [
        replace(trial, place=replace(trial.place, bracket=number // 10), seconds=(0.3, 0.3, 0.5)[number // 10])
        for number in range(30)
    ]
    moments = [7.0, 11.0, 17.0, 27.0]
    assert [outside(trials, moments, bracket) for bracket in range(3)] == pytest.approx([0.1, 0.3, 0.5])


def test_a_long_study_is_cut_into_its_brackets(workload, storage):
    plan = small_plan(storage, workload)
    costs = overhead(plan, [10, 20])
    assert list(costs) == [10, 20]
    assert all(0 < seconds < 10 for seconds in costs.values())


def test_our_study_is_the_search_of_its_plan(workload, storage):
    plan = small_plan(storage, workload)
    raced = race("ours", our_study, plan, 10, confirm_seeds=2)
    assert (raced.study, raced.search_seed) == ("ours", 0)
    assert 0 < raced.outside < 1
    trials = [TrialRecord.of(trial) for trial in run_search(storage, workload, 10)]
    outcome = our_study(plan, 10)  # nothing is left to train
    best = min((trial for trial in trials if trial.complete), key=lambda trial: trial.value)
    assert (outcome.schedule, outcome.trials) == (best.schedule, 10)
    assert outcome.epochs == pytest.approx(sum(trial.epochs_spent for trial in trials))
    assert outcome.training == pytest.approx(sum(trial.seconds for trial in trials))
    assert raced.error == mean_test(plan.objective, best.schedule, 4, confirm_seeds=2)


@pytest.mark.slow
def test_the_benchmark_of_studies(tmp_path):
    """Real studies, in a process of their own."""
    arguments = "--races 1 --trials 2 --confirm-seeds 1 --long-study 4 --output speed"
    process = start("evidence/benchmark_studies.py", *arguments.split(), cwd=tmp_path)
    said, _ = process.communicate(timeout=280)
    assert process.returncode == 0, said
    report = (tmp_path / "speed" / "studies.md").read_text()
    assert report in said
    names = ["Optuna with the tutorial loop", "this project, by default", "this project, --sampler tpe"]
    for name in names:
        assert f"| {name} | 1 |" in report
    assert "ms at trial 2, " in report
    with (tmp_path / "speed" / "studies.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["study"] for row in rows] == names
    assert [bool(row["outside"]) for row in rows] == [False, True, True]
    assert all(0 < float(row["error"]) < 1 for row in rows)


def test_at_least_one_race_is_run(command):
    result = command("evidence/benchmark_studies.py", "--races", 0)
    assert result.code == 2
    assert "--races must be at least 1, but 0 was given" in result.err

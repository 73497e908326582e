"""The race of whole studies: what it counts, and that it runs."""

import csv

import optuna
import pytest
from optuna.trial import create_trial

from study.evidence.speed.studies import Raced, overhead
from study.evidence.speed.studies_report import page
from tests.helpers import SMALL, start


def test_studies_are_compared_in_pairs_of_seeds():
    """The machine was twice as slow for the second seed: no ratio shows it."""
    raced = [Raced("theirs", seed, 40.0 * (seed + 1), None, 0.3) for seed in range(2)]
    raced += [Raced("ours", seed, 4.0 * (seed + 1), 0.25, 0.29) for seed in range(2)]
    lines = page(raced, {50: 0.05, 200: 0.1}, 50, 5).splitlines()
    assert lines[4] == "| theirs | 2 | 60.00 [40.00, 80.00] | - | 70.00 [70.00, 70.00] | - | - |"
    assert lines[5].startswith("| ours | 2 | 6.00 [4.00, 8.00] | 10.0 [10.0, 10.0] | 71.00 [71.00, 71.00] | +1.00 [+1")
    assert lines[5].endswith("| 25 [25, 25] % |")
    assert lines[7].endswith("in one default study of 200 trials: 50.0 ms at trial 50, 100.0 ms at trial 200.")


def test_what_a_trial_costs_besides_training(workload, tmp_path, monkeypatch):
    """Generations of ten that took 4, 6 and 10 seconds, of which the trials trained 3, 3 and 5."""
    optuna_study = optuna.create_study()
    for number in range(30):
        record = {"place": {"generation": number // 10}, "seconds": (0.3, 0.3, 0.5)[number // 10]}
        optuna_study.add_trial(create_trial(value=0.5, user_attrs={"record": record}))
    monkeypatch.setattr("study.evidence.speed.studies.our_study", lambda *_: (optuna_study, [7.0, 11, 17, 27]))
    assert overhead(workload, SMALL, [10, 30], tmp_path) == {10: pytest.approx(0.1), 30: pytest.approx(0.5)}


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

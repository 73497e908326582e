"""More devices: the simulation against what one counts on paper, the owner's work, and small real measurements."""

import csv
import json

import numpy as np
import pytest

from study.evidence.scale.makespan import RecordedLengths, Shape, filling, simulate
from study.objective import never
from tests.helpers import ROOT

RECORDED = ROOT / "results/search/recorded/mnist1d-mlp-sgd-5-epochs.jsonl"
ALIKE = RecordedLengths(np.array([[0.1, 0.5, 1.0]]), np.array([[0.3, 0.3, 0.3]]))
"""One schedule, whose equal values are all promoted."""


@pytest.mark.parametrize(
    ("devices", "shape", "time"),
    [
        (1, Shape(4, 2, 4), 4 * 1.6),
        (2, Shape(4, 2, 4), 2 * 0.1 + 2 * 0.5 + 2 * 1.0),
        (4, Shape(4, 2, 4), 2 * 0.1 + 0.5 + 1.0),
        (100, Shape(4, 4, 4), 1.6),
        (100, Shape(8, 2, 4), 2 * (0.2 + 1.5)),
        (100, Shape(8, 2, 4, ahead=1), 0.2 + 1.5 + 1.5),  # the second bracket's short runs cost no time
        (100, Shape(12, 2, 4, ahead=1), 0.2 + 3 * 1.5),
    ],
)
def test_a_study_takes_as_long_as_one_counts_on_paper(devices, shape, time):
    found = simulate(devices, shape, ALIKE, reduction=1)
    assert found.time == pytest.approx(time)
    assert found.work == pytest.approx(shape.trials * 1.6)
    assert found.idle == pytest.approx(1 - found.work / (devices * time))


def test_the_best_are_promoted_as_in_a_search():
    """Of ten, the best one in five by the short runs; ties with the last of them too."""
    runs = RecordedLengths(np.full((10, 2), 1.0), np.arange(20.0).reshape(10, 2))
    rng = np.random.default_rng(0)
    drawn = sorted(rng.integers(10, size=10))
    promoted = sum(number <= drawn[1] for number in drawn)
    assert simulate(1, Shape(10, 10, 10), runs, reduction=5).work == 10 + promoted


def test_batches_fill_the_devices():
    assert filling(500, 8, 1) == Shape(500, 16, 80, 1)
    assert filling(50, 64, 0) == Shape(50, 50, 50, 0)


def test_the_stand_ins_train_as_recorded(data_root):
    from pathlib import Path

    from study.evidence.scale.owner import ReplayedActors
    from study.evidence.searches.testbed import open_testbed
    from study.executors.replay import Replay
    from study.executors.side_by_side import SideBySide
    from study.search.configuration import Configuration
    from study.workloads.options import WorkloadOptions
    from tests.helpers import runs_of

    testbed = open_testbed(WorkloadOptions(), Configuration(), Path(RECORDED), 1, data_root)
    replay, runs = Replay(testbed.objective, testbed.recorded), runs_of(0.1, 0.2, 0.3, epochs=5)
    found = SideBySide(testbed.objective, 1, ReplayedActors(replay, 2)).train(runs, never)
    assert [(one.run, one.step, one.metric) for one in found] == [
        (one.run, one.step, one.metric) for one in replay.train(runs)
    ]


def test_the_simulation_and_the_owner_are_measured(command, tmp_path, data_root):
    flags = ["--measure", "makespan", "owner", "--most-trials", 10, "--actors", 2, "--samplers", "qmc"]
    recorded = ["--studies", 50, "--recorded", ROOT / "results/search/recorded/mnist1d-mlp-sgd-20-epochs.jsonl"]
    result = command("evidence/benchmark_scale.py", *flags, *recorded, "--data-root", data_root)
    assert result.code == 0, result.err
    folder = tmp_path / "results" / "scale"
    for name in ("makespan", "owner"):
        assert (folder / f"{name}.md").read_text() in result.out
        assert "ray" not in json.loads((folder / f"{name}.json").read_text())["versions"], "it had no part in it"
    with (folder / "owner.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["sampler"], row["actors"], row["trials"]) for row in rows] == [("qmc", "2", "10")]
    assert all(float(row["seconds"]) > 0 for row in rows)


@pytest.mark.slow
def test_efficiency_and_start_are_measured(command, tmp_path, data_root):
    missing = "Ray Tune is not installed: pip install -e '.[peers]'"
    pytest.importorskip("ray.tune.search.optuna", reason=missing, exc_type=ImportError)
    flags = ["--measure", "start", "efficiency", "--dataset", "digits", "--epochs", 2, "--trials", 2, "--workers", 1]
    result = command("evidence/benchmark_scale.py", *flags, "--data-root", data_root)
    assert result.code == 0, result.err
    with (tmp_path / "results" / "scale" / "efficiency.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["how"] for row in rows] == ["in-process", "processes", "ray", "Ray Tune, OptunaSearch and ASHA"]
    assert "| its evaluations, back | " in (tmp_path / "results" / "scale" / "start.md").read_text()

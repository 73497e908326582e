"""Recorded runs equal trained ones, and searches over them see the nearest schedule."""

import json
from dataclasses import replace

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import FAMILIES, Cosine, InputError, from_params, suggest
from study.evidence.searches.record import draw_pool
from study.executors.recorded_runs import Recorded, coordinates, read_recorded
from study.executors.replay import Replay
from study.objective import Run
from study.search.confirm import confirm
from study.training.workload_objective import WorkloadObjective
from tests.helpers import SMALL, recorded_runs, trainer

FEW = replace(SMALL, families=("cosine", "plateau", "cyclic"), audit=0.0)
PEAK = (1e-3, 5.0)


@pytest.fixture(scope="module")
def recorded(workload):
    return recorded_runs(FEW, workload)[0]


def test_what_is_recorded_is_what_training_finds(workload):
    """Run by run to the last digit kept; lockstep rounds differently, and some of these runs are chaotic."""
    executor = trainer(workload)
    for kept in recorded_runs(FEW, workload, cohort=1)[0].schedules:
        schedule = from_params(kept.params)
        assert list(kept.runs) == [1, 2, 4]
        for budget, run in kept.runs.items():
            trained = list(executor.train([Run(schedule, budget, 0, evaluations=budget)]))
            assert run.steps == [evaluation.step for evaluation in trained]
            assert run.metrics == pytest.approx([evaluation.metric for evaluation in trained], abs=1e-6)
        confirmed = confirm(executor.objective, executor, schedule, 4, [1000, 1001])
        assert kept.test == pytest.approx(confirmed, abs=1e-6)
        assert kept.mean_test == pytest.approx(sum(kept.test) / 2)


def test_diverged_runs_are_recorded_as_such(workload):
    wild = replace(workload, peak_lr=(1e20, 1e21))
    kept = recorded_runs(replace(FEW, families=("cosine",)), wild, per_family=1)[0].schedules[0]
    assert all(run.diverged and run.metrics[-1] == 1.0 and run.steps[-1] < 16 for run in kept.runs.values())
    assert kept.test == [1.0, 1.0]


def test_the_pool_covers_the_peak_evenly(workload):
    pool = draw_pool(FEW, workload.peak_lr, 5)
    assert [params["family"] for params in pool] == ["cosine"] * 5 + ["plateau"] * 5 + ["cyclic"] * 5
    for start in (0, 5, 10):
        shares = [coordinates(from_params(params), PEAK)[0] / 4 for params in pool[start : start + 5]]
        assert shares == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9])


def test_files_bring_back_what_was_written(recorded, tmp_path):
    recorded.write(tmp_path / "new" / "runs.jsonl")
    again = read_recorded(tmp_path / "new" / "runs.jsonl")
    assert again == Recorded(recorded.about, recorded.schedules)
    assert len((tmp_path / "new" / "runs.jsonl").read_text().splitlines()) == 7
    assert json.loads((tmp_path / "new" / "runs.jsonl").read_text().splitlines()[0])["judge_seeds"] == [1000, 1001]
    with pytest.raises(InputError, match=r"other.jsonl does not exist: create it with scripts/evidence/record_runs.py"):
        read_recorded(tmp_path / "other.jsonl")


def test_a_recorded_schedule_is_nearest_to_itself(recorded):
    for kept in recorded.schedules:
        assert recorded.nearest(from_params(kept.params)) is kept


def test_another_family_has_no_nearest(recorded):
    with pytest.raises(InputError, match="no schedule of family 'rex' was recorded"):
        recorded.nearest(FAMILIES["rex"](peak_lr=0.1))


@given(st.integers(0, 10**6))
def test_coordinates_lie_within_their_ranges(seed):
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed)).ask()
    schedule = suggest(trial)
    peak, *others = coordinates(schedule, PEAK)
    assert 0 <= peak <= 4
    assert all(0 <= value <= 1 for value in others)


def test_distance_counts_what_is_searched():
    base = Cosine(peak_lr=0.1, warmup_fraction=0.05, floor_ratio=0.01)
    near = replace(base, peak_lr=0.11)

    def distance(one, other):
        pairs = zip(coordinates(one, PEAK), coordinates(other, PEAK), strict=True)
        return sum((a - b) ** 2 for a, b in pairs)

    assert distance(base, near) < distance(base, replace(base, peak_lr=1.0))
    assert distance(base, near) < distance(base, replace(base, floor_ratio=0.2))
    assert distance(base, replace(base, floor_ratio=0.2)) < distance(base, replace(base, floor_ratio=0.0))
    assert distance(base, replace(base, warmup_fraction=0.0)) >= 1


def test_a_replay_yields_the_recorded_evaluations(recorded, workload):
    replay = Replay(WorkloadObjective(workload), recorded)
    schedules = [from_params(kept.params) for kept in recorded.schedules]
    evaluations = list(replay.train([Run(schedule, 4, 0, 4) for schedule in schedules], done={1}))
    assert {evaluation.run for evaluation in evaluations} == {0, 2, 3, 4, 5}
    for number in (0, 2, 5):
        own = [evaluation for evaluation in evaluations if evaluation.run == number]
        assert [evaluation.step for evaluation in own] == recorded.schedules[number].runs[4].steps
        assert [evaluation.metric for evaluation in own] == recorded.schedules[number].runs[4].metrics
        assert [evaluation.last for evaluation in own] == [False] * (len(own) - 1) + [True]
    stopped = list(replay.train([Run(schedules[0], 4, 0, 4)] * 2, stop=lambda run: run == 0))
    assert {evaluation.run for evaluation in stopped} == {1}
    with pytest.raises(InputError, match="one of the recorded budgets .1, 2, 4 epochs., but 3 epochs"):
        list(replay.train([Run(schedules[0], 3, 0, 3)]))

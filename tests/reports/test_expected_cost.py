"""The line that says what a search will cost, of a new study and of one that is continued."""

from dataclasses import replace

from study.objective import Engine
from study.reports.expected_cost import expected_line, planned_line
from study.speed import ChosenEngine, Speed
from tests.helpers import SMALL, open_small, small_plan

FIXED = replace(SMALL, sampler="random")


def test_it_counts_what_is_left(storage, workload):
    """SMALL has rungs of 16 and 64 steps; two of ten trials are promoted."""
    with open_small(storage, workload, FIXED) as study:
        assert expected_line(study, 10) == "Expected: 10 trials, 288 steps = 4.5 full runs"
        study.speed = Speed({1: 0.25})
        assert expected_line(study, 10) == "Expected: 10 trials, 288 steps = 4.5 full runs, about 1 min 13 s"
        for _ in study.search(10):
            pass
        assert expected_line(study, 20).startswith("Expected: 10 more trials, ")
        trained = sum(16 * budget for trial in study.record.trials for budget in trial.epochs_used)
        assert f", {2 * 288 - trained} steps = {(2 * 288 - trained) / 64:.3g} full runs, about " in expected_line(
            study, 20
        )


def test_before_the_study_is_opened_the_time_is_that_of_a_chosen_engine(workload):
    plan = small_plan(None, workload, FIXED)
    assert planned_line(plan, 1_000) == "Expected: 1000 trials, 28,800 steps = 450 full runs"
    midway = replace(plan, configuration=replace(FIXED, pruner="median"))
    assert planned_line(midway, 10) == "Expected: 10 trials, at most 640 steps = 10 full runs"
    chosen = replace(plan, chosen=ChosenEngine(Engine(), "", Speed({1: 1.0})))
    assert planned_line(chosen, 1_000).endswith("450 full runs, about 8 h 1 min")

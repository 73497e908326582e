"""The next bracket begins while the present one trains its long runs: the study is the same, also if it is stopped."""

from dataclasses import replace

import pytest

from study.executors.side_by_side import SideBySide
from study.training.workload_objective import WorkloadObjective
from tests.helpers import SMALL, Crowded, finished, open_small, run_search
from tests.out_of_order import OutOfOrder

EAGER = replace(SMALL, sampler="gp", startup_trials=5, trials_per_batch=3, trials_per_bracket=6, reduction=2)
"""Brackets of two batches, and a long rung that half of the trials reach."""
TRIALS = 14


class Noting(OutOfOrder):
    """Trains short runs first, so that long ones are late; notes the budgets of what it trained, in order."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.budgets = []

    def choose(self):
        attempt = min(self.waiting, key=lambda attempt: (self.waiting[attempt][0].budget, self.random.random()))
        self.budgets.append(self.waiting[attempt][0].budget)
        return attempt


def searched(storage, workload, workers, trials=TRIALS, configuration=EAGER, interrupted=lambda: False):
    """Search with these workers; returns the trials that the study holds, also if it was interrupted."""
    with open_small(storage, workload, configuration) as study:
        study.executor = SideBySide(study.plan.objective, 1, workers)
        try:
            for _ in study.search(trials, interrupted):
                pass
        except KeyboardInterrupt:
            pass
        return finished(study.optuna_study.get_trials())


@pytest.fixture(scope="module")
def alone(workload):
    """The same study in this process, one bracket after the other."""
    return finished(run_search(None, workload, TRIALS, EAGER))


def test_short_runs_of_the_next_bracket_fill_the_gaps_and_change_nothing(alone, workload, storage):
    workers = Noting(WorkloadObjective(workload))
    assert searched(storage, workload, workers) == alone
    assert workers.budgets[:9] == [1] * 9, "the next bracket has begun before anything longer ends"
    third_long_run = [place for place, budget in enumerate(workers.budgets) if budget == 4][2]
    assert workers.budgets[:third_long_run].count(1) == 12, "and is explored before the present one has ended"


@pytest.mark.slow
def test_without_a_gaussian_process_brackets_follow_each_other(workload, storage):
    """The sampler learns from all runs."""
    configuration = replace(EAGER, sampler="tpe")
    workers = Noting(WorkloadObjective(workload))
    found = searched(storage, workload, workers, configuration=configuration)
    assert found == finished(run_search(None, workload, TRIALS, configuration))
    assert workers.budgets[:7] == [1] * 6 + [4]


@pytest.mark.parametrize("moment", [pytest.param(9, marks=pytest.mark.slow), 40])
def test_a_search_that_is_stopped_at_any_moment_ends_with_the_same(moment, alone, workload, storage):
    """And trains no run again that was saved."""
    objective, asked = WorkloadObjective(workload), iter(range(10**9))
    first = Noting(objective, seed=moment)
    searched(storage, workload, first, interrupted=lambda: next(asked) > 3 * moment)
    second = Noting(objective, seed=moment + 1)
    assert searched(storage, workload, second) == alone
    whole = Noting(objective)
    searched(None, workload, whole)
    assert len(second.budgets) < len(whole.budgets)


@pytest.mark.slow
def test_if_memory_runs_out_the_study_is_as_one_bracket_after_the_other(workload, storage, monkeypatch):
    monkeypatch.setattr("study.training.workload_objective.Lockstep", Crowded)
    configuration = replace(EAGER, trials_per_batch=4, trials_per_bracket=8, reduction=2)

    def with_cohorts_of_four(workers, storage):
        with open_small(storage, workload, configuration) as study:
            objective = study.plan.objective
            study.executor = SideBySide(objective, 4, workers(objective))
            for _ in study.search(20):
                pass
            return finished(study.optuna_study.get_trials())

    class InOrder(OutOfOrder):
        def choose(self):
            return min(self.waiting)

    assert with_cohorts_of_four(Noting, storage) == with_cohorts_of_four(InOrder, None)


def test_the_number_of_trials_bounds_the_next_bracket(workload, storage):
    """Of eight trials, six are in the first bracket and two in the second."""
    workers = Noting(WorkloadObjective(workload))
    assert len(searched(storage, workload, workers, trials=8)) == 8
    assert workers.budgets.count(1) == 8

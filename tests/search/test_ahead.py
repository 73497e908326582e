"""The next bracket begins while the present one trains its long runs: the study is the same, also if it is stopped."""

from contextlib import closing
from dataclasses import replace

import pytest
import torch

from search_spaces import InputError
from study.executors.side_by_side import SideBySide
from study.training.lockstep import Lockstep
from study.training.workload_objective import WorkloadObjective
from tests.helpers import SMALL, finished, open_small, run_search, trainer
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


class CrowdedLater(Lockstep):
    """Memory for three runs, but only longer ones find that out."""

    def __init__(self, workload, runs):
        super().__init__(workload, runs)
        self.too_large = len(runs) > 3 and runs[0].budget > 1

    def update(self, x, y):
        if self.too_large and self.stacked.steps >= 5:
            raise torch.OutOfMemoryError("CUDA out of memory (of this test)")
        return super().update(x, y)


@pytest.mark.slow
def test_if_memory_runs_out_the_study_is_as_one_bracket_after_the_other(workload, storage, monkeypatch):
    """Although larger cohorts of the next one have been trained by then, and saved."""
    monkeypatch.setattr("study.training.workload_objective.Lockstep", CrowdedLater)
    monkeypatch.setattr("study.search.bracket.SAVE_EVERY", -1.0)
    configuration = replace(EAGER, trials_per_batch=4, trials_per_bracket=8)
    alone = run_search(None, workload, 16, configuration, executor=trainer(workload, 4))
    objective = WorkloadObjective(workload)
    beside = SideBySide(objective, 4, Noting(objective))
    assert finished(run_search(storage, workload, 16, configuration, executor=beside)) == finished(alone)


class LongFirst(Noting):
    """Trains long runs first, so that the present bracket ends before the next one is explored."""

    def choose(self):
        attempt = max(self.waiting, key=lambda attempt: (self.waiting[attempt][0].budget, -attempt))
        self.budgets.append(self.waiting[attempt][0].budget)
        return attempt


def test_a_search_killed_when_a_bracket_has_ended_keeps_all_first_runs_of_the_next(
    alone, workload, storage, monkeypatch
):
    """Those of before the end, and those of after it. Closing the search saves nothing, as killing it does."""
    monkeypatch.setattr("study.search.bracket.SAVE_EVERY", -1.0)
    first, second = (LongFirst(WorkloadObjective(workload)) for _ in range(2))
    with open_small(storage, workload, EAGER) as study, closing(study.search(TRIALS)) as steps:
        study.executor = SideBySide(study.plan.objective, 1, first)
        for bracket in steps:
            if bracket.number == 1 and bracket.tried == 5:
                break
        assert len(study.optuna_study.trials) == 6
    assert searched(storage, workload, second) == alone
    assert first.budgets.count(1) + second.budgets.count(1) == TRIALS


def test_a_study_in_memory_that_is_stopped_keeps_the_first_runs_of_both_brackets(workload):
    workers = Noting(WorkloadObjective(workload))
    kept = searched(None, workload, workers, interrupted=lambda: len(workers.budgets) >= 10)
    assert len(kept) == workers.budgets.count(1) > 6


@pytest.mark.parametrize("lost", [{1}, {1, 2}])
def test_a_lost_cohort_is_one_failure(lost, workload, storage):
    """Of four runs each. Three in a row would end the search."""
    configuration = replace(EAGER, trials_per_batch=4, trials_per_bracket=8)
    with open_small(storage, workload, configuration) as study:
        objective = study.plan.objective
        study.executor = SideBySide(objective, 4, OutOfOrder(objective, lost=lost))
        for _ in study.search(8):
            pass
        records = study.record.trials
    assert [record.failure for record in records].count("lightning") == 4 * len(lost)


def test_failures_are_counted_from_one_bracket_to_the_next(workload, storage):
    """Lost are the last long run of the first bracket, and the first two runs of the next one, which has begun."""
    with pytest.raises(InputError, match="3 runs in a row failed, the last with: lightning"):
        searched(storage, workload, Noting(WorkloadObjective(workload), lost={12, 7, 8}))


def test_the_number_of_trials_bounds_the_next_bracket(workload, storage):
    """Of eight trials, six are in the first bracket and two in the second."""
    workers = Noting(WorkloadObjective(workload))
    assert len(searched(storage, workload, workers, trials=8)) == 8
    assert workers.budgets.count(1) == 8

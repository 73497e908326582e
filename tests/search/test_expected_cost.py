"""What a search is expected to cost: against an independent formula, and against what real searches train."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.analysis.cost import Cost
from study.objective import Engine
from study.search.configuration import Configuration
from study.search.expected_cost import SECONDS_A_TRIAL, ExpectedCost, expected_runs
from study.speed import Speed
from study.storage.study_record import StudyRecord
from study.training.workload_objective import WorkloadObjective
from tests.helpers import LOCKSTEP, SMALL, open_small

STEPS = 50
"""Of an epoch."""


def full_runs_of(trials, budgets, reduction, bracket):
    """By the words of the FAQ: each trial begins short, one in five is promoted, and at least one."""
    total = 0
    while trials:
        left = here = min(trials, bracket)
        for number, budget in enumerate(budgets):
            left = here // reduction**number or 1
            total += left * budget
        trials -= here
    return total / budgets[-1]


@given(st.integers(1, 200), st.sampled_from([1, 5, 20, 200]), st.integers(2, 6), st.sampled_from([10, 50]))
def test_it_is_what_an_independent_formula_gives(trials, epochs, reduction, bracket):
    configuration = Configuration(epochs=epochs, reduction=reduction, trials_per_bracket=bracket)
    budgets = configuration.budgets(STEPS)
    size = bracket if len(budgets) > 1 else configuration.trials_per_batch
    runs = expected_runs(configuration, STEPS, trials)
    assert sum(one.number * one.budget for one in runs) / epochs == pytest.approx(
        full_runs_of(trials, budgets, reduction, size)
    )
    assert sum(one.number for one in runs if one.budget == budgets[0]) == trials
    assert max(one.number for one in runs) <= configuration.most_together(STEPS)


def test_fifty_trials_cost_twelve_full_runs_as_the_readme_says(workload):
    objective, configuration = WorkloadObjective(workload), Configuration(epochs=100)  # 16 steps an epoch
    runs = expected_runs(configuration, 16, 50)
    cost = ExpectedCost.of(runs, objective, 100, Engine(10), Speed({1: 1.0, 2: 0.5, 10: 0.1}), trials=50)
    assert (cost.steps, cost.full_runs) == (19200, 12)
    by_hand = 0.1 * (50 * 160 + 10 * 800) + 0.5 * 2 * 1600 + 50 * SECONDS_A_TRIAL
    assert cost.seconds == pytest.approx(by_hand)
    assert ExpectedCost.of(runs, objective, 100, Engine(10), Speed(), trials=50).seconds is None
    assert cost.left_after(19200 / 4) == ExpectedCost(14400, 9, pytest.approx(0.75 * by_hand))
    assert cost.left_after(20000).seconds == 0


def test_an_audit_costs_full_runs():
    configuration = Configuration(epochs=100, audit=0.5)
    with_it, without = (sum(n * b for n, b in expected_runs(replace(configuration, audit=a), 50, 50)) for a in (0.5, 0))
    assert with_it - without == 24 * 100


@pytest.mark.parametrize("configuration", [SMALL, replace(SMALL, pruner="none")])
def test_real_searches_train_that_much(configuration, storage, workload):
    """Runs that diverge train less, and equal values promote more."""
    with open_small(storage, workload, configuration, engine=LOCKSTEP) as study:
        for _ in study.search(20):
            pass
        record = StudyRecord.of(study.optuna_study)
    expected = sum(one.number * one.budget for one in expected_runs(configuration, 16, 20))
    trained = sum(budget for trial in record.trials for budget in trial.epochs_used)
    assert trained == pytest.approx(expected, rel=0.25)
    assert Cost.of(record).epochs <= trained
    assert trained < 0.8 * 20 * 4 or configuration.pruner == "none"

"""Trials and rungs fitted to a limit: never above it, by an independent formula; once, and then stored."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import study
import study.executors.choice
from search_spaces import InputError
from study.objective import Engine
from study.search.configuration import Configuration
from study.search.expected_cost import SECONDS_A_TRIAL
from study.search.fitted_plan import CHEAPER_RUNGS, Fitting
from study.search.limit import Limit
from study.speed import ChosenEngine, Speed

SECONDS = 0.01
"""Of a step."""


class Fifty:
    """An objective of 50 steps an epoch, as far as costs are concerned."""

    name = "fifty"

    def steps(self, budget):
        return 50 * budget


def fitting(limit, configuration, speed=Speed({1: SECONDS})):  # noqa: B008  # frozen
    return Fitting(configuration, Fifty(), limit, ChosenEngine(Engine(), "", speed))


def full_runs_of(trials, rungs, epochs, reduction=5, bracket=50):
    """Independent of the code: shares of a full run, bracket by bracket."""
    brackets = [bracket] * (trials // bracket) + [trials % bracket] * (trials % bracket > 0)
    shares = [int(share * epochs) / epochs for share in rungs] + [1.0]
    return sum(share * max(1, own // reduction**i) for own in brackets for i, share in enumerate(shares))


@given(st.floats(2, 40), st.integers(1, 200), st.sampled_from([20, 40, 200, 1000]))
def test_the_expected_cost_is_within_the_budget_and_nearly_uses_it(most, trials, epochs):
    configuration = Configuration(epochs=epochs)
    fitted = fitting(Limit(max_cost=most), configuration).fit(trials)
    rungs = fitted.rung_fractions or configuration.rung_fractions
    assert 1 <= fitted.trials <= trials
    assert full_runs_of(fitted.trials, rungs, epochs) <= most + 1e-9
    if fitted.trials < trials:
        assert full_runs_of(fitted.trials + 1, rungs, epochs) > most
    assert (fitted.rung_fractions is None) or epochs >= 200


@given(st.floats(0.01, 10), st.integers(1, 100), st.sampled_from([20, 200]))
def test_the_same_in_hours(hours, trials, epochs):
    configuration = Configuration(epochs=epochs)

    def seconds(number, rungs):
        return full_runs_of(number, rungs, epochs) * epochs * 50 * SECONDS + number * SECONDS_A_TRIAL

    try:
        fitted = fitting(Limit(max_hours=hours), configuration).fit(trials)
    except InputError:
        assert seconds(min(trials, 5), CHEAPER_RUNGS if epochs == 200 else (0.1, 0.5)) > 3600 * hours
        return
    rungs = fitted.rung_fractions or configuration.rung_fractions
    assert seconds(fitted.trials, rungs) <= 3600 * hours * (1 + 1e-9)
    assert fitted.trials == trials or seconds(fitted.trials + 1, rungs) > 3600 * hours


def test_five_full_runs_are_twenty_trials():
    assert fitting(Limit(max_cost=5), Configuration()).fit(50).trials == 20


def test_the_reference_costs_two_half_runs_and_a_full_one():
    alone = fitting(Limit(max_cost=100.0), Configuration())
    beside = replace(alone, reference=True)
    for trials in (20, 50, 100):
        more = beside.cost(beside.configuration, trials) - alone.cost(alone.configuration, trials)
        assert more == pytest.approx(2 * 0.5 + 1)


def test_cheaper_rungs_are_taken_if_they_help_and_are_long_enough():
    limit = Limit(max_cost=7)
    assert fitting(limit, Configuration(epochs=200)).fit(50).rung_fractions == CHEAPER_RUNGS
    assert fitting(limit, Configuration(epochs=200)).fit(50).trials == 50
    assert fitting(limit, Configuration(epochs=199)).fit(50).rung_fractions is None, "450 steps are too few"
    assert fitting(limit, Configuration(epochs=200)).fit(20).rung_fractions is None, "they are not needed"
    chosen = Configuration(epochs=200, rung_fractions=(0.1, 0.4))
    assert fitting(limit, chosen).fit(50).rung_fractions is None, "somebody chose them"
    assert fitting(limit, Configuration(epochs=200, pruner="none")).fit(50).trials == 7


@pytest.mark.parametrize("flag", ["--max-cost", "--max-hours"])
@pytest.mark.parametrize(
    ("configuration", "trials", "known", "fewest"),
    [
        (Configuration(), 50, 0, 5),
        (Configuration(reduction=3), 50, 0, 3),
        (Configuration(), 2, 0, 2),
        (Configuration(), 50, 8, 8),
        (Configuration(pruner="none"), 50, 0, 5),
    ],
)
def test_a_limit_that_is_too_small_names_the_least_which_then_is_enough(flag, configuration, trials, known, fewest):
    name = flag.removeprefix("--").replace("-", "_")
    with pytest.raises(InputError, match=f"{flag} must be at least .* for {fewest} trials, the smallest") as error:
        fitting(Limit(**{name: 1e-6}), configuration).fit(trials, known)
    least = float(str(error.value).split("at least ")[1].split()[0])
    assert fitting(Limit(**{name: least}), configuration).fit(trials, known).trials >= fewest
    with pytest.raises(InputError, match="must be at least"):
        fitting(Limit(**{name: 0.98 * least}), configuration).fit(trials, known)


def test_hours_need_a_speed():
    with pytest.raises(InputError, match="the speed of fifty is not known: give --max-cost instead of --max-hours"):
        fitting(Limit(max_hours=1), Configuration(), Speed()).fit(50)


LONG = {"dataset": "digits", "epochs": 40, "families": ["rex", "cosine"], "least_steps": 1, "sampler": "tpe"}
LONG |= {"progress": False, "cohort": 5, "reference": "none", "confirm_seeds": 0}


def full_runs(result):
    return sum(trial.epochs_spent for trial in result.record.trials) / result.record.settings.epochs


def test_a_real_search_keeps_to_it_and_a_resume_does_not_time_again(tmp_path, monkeypatch):
    path = tmp_path / "studies.db"
    first = study.find_schedule(**LONG, storage=path, trials=4, max_cost=3)
    assert len(first.trials) == 4
    monkeypatch.setattr(study.executors.choice, "seconds_per_step", lambda *_: pytest.fail("it was timed again"))
    with pytest.raises(InputError, match="was begun with max_cost 3: do the same, or choose another name"):
        study.find_schedule(**LONG, storage=path, max_cost=4)
    with pytest.raises(InputError, match="was begun with max_cost 3"):
        study.find_schedule(**LONG, storage=path, max_hours=4)
    again = study.find_schedule(**LONG, storage=path, trials=50, max_cost=3)
    assert len(again.trials) == 4, "what was fitted when it began"
    more = study.find_schedule(**LONG, storage=path, trials=6)
    assert len(more.trials) == 6, "without the limit it has no limit"


def test_a_limit_of_hours_is_timed_first_and_then_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(study.executors.choice, "seconds_per_step", lambda objective, cohort, *_: 0.01)
    path, hours = tmp_path / "studies.db", (2 * 640 * 0.01 + 6 * SECONDS_A_TRIAL) / 3600
    first = study.find_schedule(**LONG, storage=path, max_hours=hours)
    assert 5 <= len(first.trials) <= 6
    assert full_runs(first) <= 2
    monkeypatch.setattr(study.executors.choice, "seconds_per_step", lambda *_: 1000.0)
    assert len(study.find_schedule(**LONG, storage=path, max_hours=hours).trials) == len(first.trials)
    assert math.isclose(first.record.stored["engine"]["speed"]["by_cohort"]["5"], 0.01)


def test_cheaper_rungs_stay_with_the_study(tmp_path, monkeypatch):
    monkeypatch.setattr("study.search.fitted_plan.LEAST_STEPS_OF_CHEAPER_RUNGS", 20)
    path = tmp_path / "studies.db"
    first = study.find_schedule(**LONG, storage=path, trials=14, max_cost=3)
    assert first.record.settings.budgets == (2, 10, 40)
    assert len(first.trials) == 14
    assert full_runs(first) <= 3 * 1.2, "equal values are promoted together"
    more = study.find_schedule(**LONG, storage=path, trials=15)
    assert more.record.settings.budgets == (2, 10, 40)
    other = LONG | {"rung_fractions": [0.1, 0.4]}
    with pytest.raises(InputError, match=r"was made with rung_fractions \[0.05, 0.25\]"):
        study.find_schedule(**other, storage=path, trials=15)


def test_a_study_without_a_limit_gets_none_later(tmp_path):
    path = tmp_path / "studies.db"
    study.find_schedule(**LONG | {"epochs": 2}, storage=path, trials=2)
    with pytest.raises(InputError, match="was begun without max_cost: do the same"):
        study.find_schedule(**LONG | {"epochs": 2}, storage=path, max_cost=4)


def test_the_fitted_configuration_is_otherwise_the_same():
    configuration = Configuration(epochs=200)
    [_, cheaper] = fitting(Limit(max_cost=7), configuration).candidates()
    assert replace(cheaper, rung_fractions=configuration.rung_fractions) == configuration

"""Contests: what is noted of a search, and the tables that are made of it."""

import math
from contextlib import closing
from dataclasses import asdict, replace

import optuna
import pytest
from matplotlib.figure import Figure

from search_spaces import FAMILIES, REX, from_params
from study.evidence.searches.arms import ARMS
from study.evidence.searches.evaluated_search import Moment, Row, contest, watch
from study.evidence.searches.figure import draw, draw_arm
from study.evidence.searches.tables import (
    close_from,
    moment,
    of_arm,
    regret_at,
    table_after,
    table_equal,
    table_overall,
)
from study.evidence.searches.trajectory import Ended, Trace, TracedEngine
from study.executors.replay import ReplayEngine
from study.search.search import search
from study.storage.records import best_trial, spent_epochs
from tests.helpers import LOCKSTEP, LOOP, SMALL, recorded_runs

ALL = replace(SMALL, families=tuple(FAMILIES))


@pytest.fixture(scope="module")
def recorded(workload):
    return recorded_runs(ALL, workload)[0]


@pytest.mark.parametrize("pruner", ["none", "horizon", "median", "halving"])
@pytest.mark.parametrize("engine", [LOOP, LOCKSTEP], ids=["loop", "lockstep"])
def test_a_trace_is_what_the_records_say(pruner, engine, workload):
    configuration = replace(SMALL, pruner=pruner)
    study = optuna.create_study()
    traced = TracedEngine(engine.cohort, inner=engine)
    with closing(search(study, workload, configuration, traced, 20)) as steps:
        for _ in steps:
            pass
    trials, trace = study.trials, traced.trace
    assert trace.epochs == pytest.approx(sum(map(spent_epochs, trials)))
    assert trace.ended[-1].epochs <= trace.epochs + 1e-9
    full = [run for run in trace.ended if run.horizon == 4]
    assert sorted(run.metric for run in full) == sorted(t.value for t in trials if t.state.name == "COMPLETE")
    assert {str(schedule) for schedule in trace.tried} == {str(from_params(trial.params)) for trial in trials}
    assert trace.incumbents(1)[-1].metric == best_trial(study, trials).value
    assert [run.epochs for run in trace.ended] == sorted(run.epochs for run in trace.ended)


def test_the_incumbent_is_the_best_of_the_longest_runs():
    def ended(horizon, metric):
        return Ended(REX(peak_lr=metric), horizon, metric, 0.0, 0.0)

    trace = Trace(ended=[ended(2, 0.5), ended(2, 0.6), ended(2, 0.4), ended(9, 0.7), ended(2, 0.1), ended(9, 0.7)])
    assert [(run.horizon, run.metric) for run in trace.incumbents(1)] == [(2, 0.5), (2, 0.4), (9, 0.7)]
    assert [(run.horizon, run.metric) for run in trace.incumbents(-1)] == [(2, 0.5), (2, 0.6), (9, 0.7)]


def configurations_of_arms():
    """Each configuration that some arm has, once; slow if each of its settings has that value in an earlier one."""
    seen, values = [], set()
    for compared, arms in ARMS.items():
        for arm, changes in arms.items():
            fractions = {"rung_fractions": (0.25,) if len(changes.get("rung_fractions", (1,))) == 1 else (0.25, 0.5)}
            configuration = replace(SMALL, **changes | fractions)
            if configuration not in seen:
                marks = () if set(asdict(configuration).items()) - values else pytest.mark.slow
                yield pytest.param(configuration, id=f"{compared}, {arm}", marks=marks)
            seen.append(configuration)
            values |= set(asdict(configuration).items())


@pytest.mark.parametrize("configuration", [*configurations_of_arms()])
def test_every_arm_searches_recorded_runs(configuration, recorded, workload):
    """To the trials and to the budget of epochs, whatever the rungs; unpruned it is the plain truth."""
    whole, finished = watch(workload, configuration, ReplayEngine(recorded=recorded), 50, 48)
    assert len(set(map(str, whole.tried[: finished.tried]))) >= 30
    assert finished.tried >= 50
    assert finished.epochs <= 50 * 4 * 1.5
    assert whole.epochs >= 48


def test_a_row_is_judged_by_the_recorded_truth(recorded, workload):
    def true_error(schedule):
        return recorded.schedules[recorded.nearest(schedule)].truth

    def full_error(schedule):
        return recorded.schedules[recorded.nearest(schedule)].runs[4].metrics[-1]

    engine = ReplayEngine(recorded=recorded)
    none = contest(
        workload, replace(SMALL, pruner="none"), engine, "none", 10, 40, true_error, full_error, {1: 0.5, 8: 0.1}
    )
    trace, finished = watch(workload, replace(SMALL, pruner="none"), engine, 10, 40)
    best = min(trace.tried[:10], key=full_error)
    assert none.lost is False, "what was trained in full cannot be lost"
    assert none.error == true_error(best)
    assert none.epochs == pytest.approx(finished.epochs, abs=0.01)
    assert none.seconds == pytest.approx(0.5 * none.epochs, abs=1.0), "five at a time do not fill eight"
    assert none.seconds > 0.5 * none.epochs
    assert none.overhead == pytest.approx(1000 * (none.seconds - 0.5 * none.epochs) / 10, abs=0.1)
    rows = [
        contest(workload, replace(SMALL, sampler_seed=seed), engine, "horizon", 10, 0, true_error, full_error)
        for seed in range(12)
    ]
    assert {row.lost for row in rows} == {True, False}


def row(arm, seed, trace, workload="w", lost=False):
    moments = tuple(Moment(epochs, epochs / 10, error) for epochs, error in trace)
    return Row(
        workload, arm, seed, moments[-1].epochs, moments[-1].seconds, moments[-1].error, lost, "rex", 1.0, 1e3, moments
    )


TRACE = [(20, 0.40), (50, 0.304), (60, 0.32), (90, 0.302), (95, 0.301)]


def test_regret_is_that_of_the_last_incumbent():
    one = row("none", 0, TRACE)
    assert moment(one, 19.9) is None
    assert math.isnan(regret_at(one, 19.9, 0.3))
    assert regret_at(one, 20, 0.3) == pytest.approx(10.0)
    assert regret_at(one, 89, 0.3) == pytest.approx(2.0)
    assert regret_at(one, 1000, 0.3) == pytest.approx(0.1)
    assert close_from(one, 0.3, 100) == Moment(90, 9.0, 0.302), "it has come to stay"
    assert close_from(one, 0.29, 100) is None
    assert close_from(one, 0.3, 55) == Moment(50, 5.0, 0.304), "what is spent later does not count"


def test_tables_compare_in_pairs():
    rows = [row("none", seed, [(50, 0.30), (100, 0.30 + seed / 100)]) for seed in range(4)]
    rows += [row("horizon", seed, [(10, 0.5), (30, 0.29 + seed / 100)], lost=seed > 0) for seed in range(4)]
    after = table_after(rows, ["none", "horizon"], 0.28, 100.0).splitlines()
    assert after[2].startswith("| none | 4 | 3.50 [")
    assert "| - | +1.00 [+1.00, +1.00] | 100 (100%) | 10.0 | 0% | 1.0 |" in after[2]
    assert "| -1.00 [-1.00, -1.00] | - | 30 (30%) | 3.0 | 75% | 1.0 |" in after[3]
    equal = table_equal(rows, ["none", "horizon"], 0.29, 100.0).splitlines()
    assert equal[2].startswith("| none | 4 | - | - | 2.50 ["), "no incumbent at a quarter"
    assert equal[3].startswith("| horizon | 4 | 21.00 [21.00, 21.00] | +18.50 [")
    assert "] | 1.50 [" in equal[3]
    assert equal[3].endswith("| - | - | 75% |")
    assert [one.search_seed for one in of_arm(rows[::-1], "none")] == [0, 1, 2, 3]


def test_how_soon_is_told_with_an_interval():
    """The median of 20 searches, with the 6th and the 15th: a binomial chance of at most 2.1 % beyond either."""
    rows = [row("none", seed, [(10 + seed, 0.3), (200, 0.3)]) for seed in range(20)]
    assert table_equal(rows, ["none"], 0.3, 100.0).endswith("| 20% [15%, 24%] | 1.9 [1.5, 2.4] | 0% |")


def test_regret_by_seconds_and_the_end_of_a_search():
    one = replace(row("none", 0, TRACE), spent=190.0)
    assert regret_at(one, 5.9, 0.3, "seconds") == pytest.approx(0.4)
    assert moment(one, 1.9, "seconds") is None
    assert (one.end("epochs"), one.end("seconds")) == (190.0, 19.0)


def test_the_overall_table_weighs_workloads_alike():
    rows = [
        row(arm, seed, [(100, error + gain)], workload)
        for workload, error in (("a", 0.3), ("b", 0.1))
        for arm, gain in (("none", 0.02), ("horizon", 0.01 if workload == "a" else 0.0))
        for seed in range(3)
    ]
    table = table_overall(rows, ["none", "horizon"], {"a": 0.3, "b": 0.1}, {"a": 100.0, "b": 200.0}, True)
    assert "| none | 3 | 2.00 [2.00, 2.00] | - | +1.50 [+1.50, +1.50] | 75% | 0% | 2.00 " in table
    assert "| horizon | 3 | 0.50 [0.50, 0.50] | -1.50 [-1.50, -1.50] | - | 75% | 0% | 0.50 " in table


def test_an_arm_is_drawn_as_far_as_all_its_searches_went():
    """Against seconds up to the end of the shortest, with a band where the searches differ."""
    rows = [replace(row("none", seed, [(10, 0.4 + seed / 100), (90, 0.302)]), spent=100.0 + seed) for seed in range(3)]
    axes = Figure().subplots()
    draw_arm(axes, rows, 0.3, "seconds", 10.0, "none", 0)
    x, y = axes.lines[0].get_data()
    assert (x[0], x[-1]) == (pytest.approx(1.0), pytest.approx(10.0)), "from the first incumbent"
    assert (y[0], y[-1]) == (pytest.approx(11.0), pytest.approx(0.2))
    (band,) = axes.collections
    low, high = band.get_datalim(axes.transData).intervaly
    assert low == pytest.approx(0.2)
    assert high == pytest.approx(12.0), "of three searches, the whole width"
    draw_arm(axes, rows, 0.3, "seconds", 100.0, "none", 1)
    assert max(axes.lines[1].get_xdata()) == pytest.approx(10.0), "not one of them went further"


def test_the_figure_is_the_same_each_time():
    rows = [row(arm, seed, TRACE) for arm in ("none", "horizon") for seed in range(3)]
    pictures = [draw(rows, ["none", "horizon"], {"w": 0.3}, {"w": 100.0}, "pruners") for _ in range(2)]
    assert pictures[0] == pictures[1]
    assert pictures[0].startswith(b"\x89PNG")

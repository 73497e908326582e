"""Evaluated searches: the trajectory of a search, and the tables made from it."""

import math
from contextlib import closing
from dataclasses import asdict, replace

import optuna
import pytest
from matplotlib.figure import Figure

from search_spaces import FAMILIES, REX, from_params
from study.evidence.searches.arms import ARMS
from study.evidence.searches.evaluated_search import EvaluatedSearch, Incumbent, evaluate_search, watch
from study.evidence.searches.figure import draw_arm, draw_regret
from study.evidence.searches.rows import read_rows, write_rows
from study.evidence.searches.tables import (
    close_from,
    incumbent_at,
    of_arm,
    regret_at,
    table_after,
    table_equal,
    table_overall,
)
from study.evidence.searches.testbed import Testbed as Bed  # no class of tests
from study.evidence.searches.trajectory import EndedRun, Trajectory, Watched
from study.executors.in_process import InProcess
from study.executors.replay import Replay
from study.search.search import search
from study.storage.trial_record import TrialRecord
from study.training.workload_objective import WorkloadObjective
from tests.helpers import SMALL, recorded_runs

ALL = replace(SMALL, families=tuple(FAMILIES))


@pytest.fixture(scope="module")
def recorded(workload):
    return recorded_runs(ALL, workload)[0]


@pytest.mark.parametrize(
    ("pruner", "cohort"), [("none", 5), ("horizon", 1), ("horizon", 5), ("median", 1), ("halving", 5)]
)
def test_a_trajectory_is_what_the_records_say(pruner, cohort, workload):
    objective, optuna_study = WorkloadObjective(workload), optuna.create_study()
    watched = Watched(InProcess(objective, cohort), objective.steps(1))
    with closing(search(optuna_study, objective, replace(SMALL, pruner=pruner), watched, 20)) as brackets:
        for _ in brackets:
            pass
    trials, trajectory = [*map(TrialRecord.of, optuna_study.trials)], watched.trajectory
    assert trajectory.epochs == pytest.approx(sum(trial.epochs_spent for trial in trials))
    assert trajectory.ended[-1].epochs <= trajectory.epochs + 1e-9
    full = [run for run in trajectory.ended if run.budget == 4]
    complete = [trial.value for trial in trials if trial.complete]
    assert sorted(run.metric for run in full) == sorted(complete)
    assert {str(schedule) for schedule in trajectory.tried} == {str(trial.schedule) for trial in trials}
    assert trajectory.incumbents(1)[-1].metric == min(complete)
    assert [run.epochs for run in trajectory.ended] == sorted(run.epochs for run in trajectory.ended)


def test_the_incumbent_is_the_best_of_the_longest_runs():
    ended = [
        EndedRun(REX(peak_lr=metric), budget, metric, 0.0, 0.0)
        for budget, metric in ((2, 0.5), (2, 0.6), (2, 0.4), (9, 0.7), (2, 0.1), (9, 0.7))
    ]
    trajectory = Trajectory(ended=ended)
    assert [(run.budget, run.metric) for run in trajectory.incumbents(1)] == [(2, 0.5), (2, 0.4), (9, 0.7)]
    assert [(run.budget, run.metric) for run in trajectory.incumbents(-1)] == [(2, 0.5), (2, 0.6), (9, 0.7)]


def configurations_of_arms():
    """Configurations of arms, as long as one of their settings has a value that no earlier one has."""
    values = set()
    for compared, arms in ARMS.items():
        for arm, changes in arms.items():
            fractions = {"rung_fractions": (0.25,) if len(changes.get("rung_fractions", (1,))) == 1 else (0.25, 0.5)}
            configuration = replace(SMALL, **changes | fractions)
            if set(asdict(configuration).items()) - values:
                yield pytest.param(configuration, id=f"{compared}, {arm}")
            values |= set(asdict(configuration).items())


@pytest.mark.parametrize("configuration", [*configurations_of_arms()])
def test_every_arm_searches_recorded_runs(configuration, recorded, workload):
    """To the trials and to the epochs asked for, whatever the rungs."""
    objective = WorkloadObjective(workload)
    whole, finished = watch(objective, configuration, Replay(objective, recorded), 50, 48)
    assert len(set(map(str, whole.tried[: finished.runs]))) >= 30
    assert finished.runs >= 50
    assert finished.epochs <= 50 * 4 * 1.5
    assert whole.epochs >= 48


def test_a_search_is_evaluated_by_the_recorded_runs(recorded, workload):
    objective = WorkloadObjective(workload)
    unpruned = replace(SMALL, pruner="none")
    testbed = Bed(SMALL, objective, recorded)
    none = evaluate_search(testbed, unpruned, "none", 10, 40, {1: 0.5, 8: 0.1})
    trajectory, finished = watch(objective, unpruned, Replay(objective, recorded), 10, 40)
    best = min(trajectory.tried[:10], key=testbed.full_error)
    assert none.workload == "digits-mlp-sgd, 4 epochs"
    assert none.lost is False, "what was trained in full cannot be lost"
    assert none.error == testbed.true_error(best) == recorded.nearest(best).mean_test
    assert none.epochs == pytest.approx(finished.epochs, abs=0.01)
    assert none.seconds == pytest.approx(0.5 * none.epochs, abs=1.0), "five at a time do not fill eight"
    assert none.seconds > 0.5 * none.epochs
    assert none.overhead == pytest.approx(1000 * (none.seconds - 0.5 * none.epochs) / 10, abs=0.1)
    searches = [evaluate_search(testbed, replace(SMALL, sampler_seed=seed), "horizon", 10, 0) for seed in range(12)]
    assert {one.lost for one in searches} == {True, False}
    assert {one.overhead for one in searches} == {None}


def test_a_search_that_trains_is_evaluated_over_fresh_seeds(workload):
    testbed = Bed(SMALL, WorkloadObjective(workload), confirm_seeds=2)
    found = evaluate_search(testbed, replace(SMALL, pruner="none"), "none", 5, 0)
    assert (found.lost, found.overhead) == (None, None)
    again = recorded_runs(replace(SMALL, families=(found.family,)), workload, per_family=1)[0]
    schedule = from_params(again.schedules[0].params)
    assert testbed.true_error(schedule) == pytest.approx(again.schedules[0].mean_test, abs=1e-2)
    assert testbed.full_error(schedule) is None


def test_searches_are_written_and_read_again(tmp_path):
    searches = [row("none", 0, TRACE), replace(row("horizon", 1, TRACE), lost=None, overhead=None)]
    write_rows(tmp_path / "searches.csv", searches)
    assert read_rows(tmp_path / "searches.csv") == searches
    assert (tmp_path / "searches.csv").read_text().splitlines()[0].endswith(",overhead,spent,trace")


def row(arm, seed, trace, workload="w", lost=False):
    found = tuple(Incumbent(epochs, epochs / 10, error) for epochs, error in trace)
    return EvaluatedSearch(
        workload, arm, seed, found[-1].epochs, found[-1].seconds, found[-1].error, lost, "rex", 1.0, 1e3, found
    )


TRACE = [(20, 0.40), (50, 0.304), (60, 0.32), (90, 0.302), (95, 0.301)]


def test_regret_is_that_of_the_last_incumbent():
    one = row("none", 0, TRACE)
    assert incumbent_at(one, 19.9) is None
    assert math.isnan(regret_at(one, 19.9, 0.3))
    assert regret_at(one, 20, 0.3) == pytest.approx(10.0)
    assert regret_at(one, 89, 0.3) == pytest.approx(2.0)
    assert regret_at(one, 1000, 0.3) == pytest.approx(0.1)
    assert close_from(one, 0.3, 100) == Incumbent(90, 9.0, 0.302), "it has come to stay"
    assert close_from(one, 0.29, 100) is None
    assert close_from(one, 0.3, 55) == Incumbent(50, 5.0, 0.304), "what is spent later does not count"


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


def test_how_soon_has_an_interval():
    """The median of 20 searches, with the 6th and the 15th: a binomial chance of at most 2.1 % beyond either."""
    rows = [row("none", seed, [(10 + seed, 0.3), (200, 0.3)]) for seed in range(20)]
    assert table_equal(rows, ["none"], 0.3, 100.0).endswith("| 20% [15%, 24%] | 1.9 [1.5, 2.4] | 0% |")


def test_regret_by_seconds_and_the_end_of_a_search():
    one = replace(row("none", 0, TRACE), spent=190.0)
    assert regret_at(one, 5.9, 0.3, "seconds") == pytest.approx(0.4)
    assert incumbent_at(one, 1.9, "seconds") is None
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
    pictures = [draw_regret(rows, ["none", "horizon"], {"w": 0.3}, {"w": 100.0}, "pruners") for _ in range(2)]
    assert pictures[0] == pictures[1]
    assert pictures[0].startswith(b"\x89PNG")

"""The figures that the dashboard shows, checked by plotly itself, for a study in any state."""

import json
from dataclasses import replace

import optuna
import plotly.graph_objects as plotly
import pytest

from study.reports.dashboard.figures import FIGURES, figures
from study.reports.dashboard.plotly_figure import rounded
from study.reports.plot_style import OTHER, family_color
from study.storage.study_record import StudyRecord
from tests.helpers import LOCKSTEP, SMALL, run_search


def searched_study(storage, workload, trials, configuration=SMALL):
    run_search(storage, workload, trials, configuration, engine=LOCKSTEP)
    return StudyRecord.of(optuna.load_study(study_name="small", storage=storage))


@pytest.fixture(scope="module")
def searched(tmp_path_factory, workload):
    return searched_study(f"sqlite:///{tmp_path_factory.mktemp('figures')}/studies.db", workload, 30)


def drawn(study):
    """The figures, as plotly reads them; it raises if a name or a value is wrong."""
    return {name: plotly.Figure(json.loads(one.to_json())) for name, one in figures(study).items()}


def named(found):
    """The traces that are in the legend, by name."""
    return {trace.name: trace for trace in found.data}


def test_plotly_takes_them(searched):
    found = drawn(searched)
    assert tuple(found) == FIGURES
    assert all(one.data and one.layout.title.text for one in found.values())
    assert all(len(one.to_json()) < 30_000 for one in figures(searched).values())


def test_winner_and_runner_up_stand_out_of_a_grey_cloud(searched):
    best = searched.ranked(searched.complete)[:12]
    found = drawn(searched)
    names = [f"{place}: {t.family}, trial {t.number}" for place, t in zip(("winner", "runner-up"), best, strict=False)]
    others = {
        "lr-curves": f"{len(best) - 2} other full runs",
        "learning-curves": f"{len(best) - 2} other full runs",
        "all-trials": f"{len([t for t in searched.trials if not t.diverged]) - 2} other trials",
    }
    for figure, cloud in others.items():
        traces = found[figure].data
        assert [trace.name for trace in traces] == [cloud, *reversed(names)], "the winner is drawn last, on top"
        assert [t.line.color for t in traces] == [OTHER, family_color(best[1].family), family_color(best[0].family)]
    winner = named(found["learning-curves"])[names[0]]
    assert winner.x == best[0].curve.steps
    assert list(winner.y) == pytest.approx(best[0].curve.values, rel=1e-3)
    for name, trial in zip(names, best, strict=False):
        line = named(found["all-trials"])[name]
        assert dict(zip(line.x, line.y, strict=True)) == pytest.approx(trial.reported, rel=1e-3)


def test_best_of_each_family_over_time_at_each_length(searched):
    """Against a table of every run, in the order in which a bracket trains them: all short ones first."""
    spent, table = 0.0, {}
    for bracket in sorted({trial.place.bracket for trial in searched.trials}):
        own = [trial for trial in searched.trials if trial.place.bracket == bracket]
        for budget in (1, 4):
            for trial in (one for one in own if budget in one.epochs_used):
                spent += trial.epochs_used[budget]
                if budget in trial.reported and not trial.diverged:
                    table.setdefault((trial.family, budget), []).append((spent, trial.reported[budget]))
    assert spent == pytest.approx(sum(trial.epochs_spent for trial in searched.trials))
    traces = [trace for trace in drawn(searched)["best-by-family"].data if trace.legendgroup]
    assert {trace.line.color for trace in traces} == {family_color(trial.family) for trial in searched.trials}
    looks = {("circle-open", "dot"): 1, ("circle", "solid"): 4}
    found = {(trace.name, looks[trace.marker.symbol, trace.line.dash]): trace for trace in traces}
    assert found.keys() == table.keys()
    for which, runs in table.items():
        better = [(at, value) for n, (at, value) in enumerate(runs) if all(value < v for _, v in runs[:n])]
        assert list(found[which].x) == pytest.approx([at for at, _ in better], rel=1e-3)
        assert list(found[which].y) == pytest.approx([value for _, value in better], rel=1e-3)


def test_each_length_is_labelled(searched):
    found = drawn(searched)["best-by-family"]
    assert [label.text for label in found.layout.annotations] == ["1 epoch", "4 epochs"]
    assert {"1 epoch", "4 epochs"} <= named(found).keys()


def test_every_comparable_trial_has_a_dot(searched):
    *traces, winner = drawn(searched)["peak-lr"].data
    best = searched.best
    assert (winner.name, *winner.x) == ("winner", float(f"{best.peak_lr:.4g}"))
    dots = [(trace.name, x, y) for trace in traces for x, y in zip(trace.x, trace.y, strict=True)]
    expected = [
        (trial.family, float(f"{trial.peak_lr:.4g}"), float(f"{trial.reported[1]:.4g}"))
        for trial in searched.trials
        if not trial.diverged
    ]
    assert sorted(dots) == sorted(expected)


def test_fifteen_families_have_marks_of_their_own(searched):
    families = [trace for trace in drawn(searched)["peak-lr"].data if trace.name != "winner"]
    assert [trace.marker.color for trace in families] == [family_color(trace.name) for trace in families]
    assert len({trace.marker.color for trace in families}) == len(families) > 7


def test_a_study_in_any_state(searched):
    pruned = tuple(trial for trial in searched.trials if not trial.complete)
    complete = tuple(searched.complete)
    for some in ((), pruned, pruned[:1], complete[:1]):
        found = drawn(replace(searched, trials=some))
        assert tuple(found) == FIGURES
        assert ("no trial yet" in found["lr-curves"].layout.title.text) == (some != complete[:1])
    assert not drawn(replace(searched, trials=()))["peak-lr"].data


def test_all_diverged(workload, storage):
    """No finite value anywhere."""
    wild = replace(SMALL, families=("constant",), pruner="none")
    study = searched_study(storage, replace(workload, peak_lr=(1e6, 1e7)), 5, wild)
    assert all(trial.diverged for trial in study.trials)
    assert not any(one.data for one in drawn(study).values())


def test_what_is_not_finite_is_a_gap():
    assert rounded([1.23456, None, float("nan"), float("inf")]) == [1.235, None, None, None]

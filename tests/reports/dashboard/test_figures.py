"""The figures that the dashboard shows, checked by plotly itself, for a study in any state."""

import json
from dataclasses import replace

import optuna
import plotly.graph_objects as plotly
import pytest

from study.reports.dashboard.figures import figures, rounded
from study.storage.study_record import StudyRecord
from tests.helpers import LOCKSTEP, SMALL, run_search

IDS = {"lr-curves", "learning-curves", "best-by-family", "peak-lr"}


def searched_study(storage, workload, trials, configuration=SMALL):
    run_search(storage, workload, trials, configuration, engine=LOCKSTEP)
    return StudyRecord.of(optuna.load_study(study_name="small", storage=storage))


@pytest.fixture(scope="module")
def searched(tmp_path_factory, workload):
    return searched_study(f"sqlite:///{tmp_path_factory.mktemp('figures')}/studies.db", workload, 30)


def drawn(study):
    """The figures, as plotly reads them; it raises if a name or a value is wrong."""
    return {name: plotly.Figure(json.loads(one.to_json())) for name, one in figures(study).items()}


def test_plotly_takes_them(searched):
    found = drawn(searched)
    assert found.keys() == IDS
    assert all(one.data and one.layout.title.text for one in found.values())
    assert all(len(one.to_json()) < 10_000 for one in figures(searched).values())


def test_the_best_come_first(searched):
    best = sorted(searched.complete, key=lambda trial: (trial.value, trial.number))[:6]
    found = drawn(searched)
    names = [f"{trial.number} {trial.family}" for trial in best]
    for name in ("lr-curves", "learning-curves"):
        assert [trace.name for trace in found[name].data] == names
    for trace, trial in zip(found["learning-curves"].data, best, strict=True):
        assert trace.x == trial.curve.steps
        assert list(trace.y) == pytest.approx(trial.curve.values, rel=1e-3)


def test_best_of_each_family_over_time(searched):
    """Against a table of every moment, made the slow way."""
    spent, table = 0.0, {}
    for trial in searched.trials:
        spent += trial.epochs_spent
        if trial.complete:
            own = table.setdefault(trial.family, {})
            own[spent] = min([trial.value, *own.values()])
    found = {trace.name: trace for trace in drawn(searched)["best-by-family"].data}
    assert found.keys() == table.keys()
    for family, own in table.items():
        line = dict(zip(found[family].x, found[family].y, strict=True))
        assert found[family].x[-1] == pytest.approx(spent, rel=1e-3)
        for moment, value in own.items():
            assert max((x, y) for x, y in line.items() if x <= 1.001 * moment)[1] == pytest.approx(value, rel=1e-3)


def test_every_comparable_trial_has_a_dot(searched):
    traces = drawn(searched)["peak-lr"].data
    dots = [(trace.name, x, y) for trace in traces for x, y in zip(trace.x, trace.y, strict=True)]
    expected = [
        (trial.family, float(f"{trial.peak_lr:.4g}"), float(f"{trial.reported[1]:.4g}"))
        for trial in searched.trials
        if not trial.diverged
    ]
    assert sorted(dots) == sorted(expected)


def test_fifteen_families_have_marks_of_their_own(searched):
    marks = [(trace.marker.color, trace.marker.symbol) for trace in drawn(searched)["peak-lr"].data]
    assert len(set(marks)) == len(marks) > 7


def test_a_study_in_any_state(searched):
    pruned = tuple(trial for trial in searched.trials if not trial.complete)
    complete = tuple(searched.complete)
    for some in ((), pruned, pruned[:1], complete[:1]):
        found = drawn(replace(searched, trials=some))
        assert found.keys() == IDS
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

"""The figures that the dashboard shows, checked by plotly itself, for a study in any state."""

import json
from dataclasses import replace

import optuna
import plotly.graph_objects as plotly
import pytest
from optuna.trial import TrialState

from study.reports.dashboard.figures import figures, rounded
from study.storage.records import finished_trials
from tests.helpers import LOCKSTEP, SMALL, run_search

IDS = {"lr-curves", "learning-curves", "best-by-family", "peak-lr"}


@pytest.fixture(scope="module")
def searched(tmp_path_factory, workload):
    storage = f"sqlite:///{tmp_path_factory.mktemp('figures')}/studies.db"
    run_search(storage, workload, 30, engine=LOCKSTEP)
    return optuna.load_study(study_name="small", storage=storage)


def drawn(optuna_study, trials):
    """The figures, as plotly reads them; it raises where a name or a value is wrong."""
    return {name: plotly.Figure(json.loads(one.to_json())) for name, one in figures(optuna_study, trials).items()}


def test_plotly_takes_them(searched):
    found = drawn(searched, finished_trials(searched))
    assert found.keys() == IDS
    assert all(one.data and one.layout.title.text for one in found.values())
    assert all(len(one.to_json()) < 10_000 for one in figures(searched, finished_trials(searched)).values())


def test_the_best_come_first(searched):
    complete = [trial for trial in finished_trials(searched) if trial.state == TrialState.COMPLETE]
    best = sorted(complete, key=lambda trial: (trial.value, trial.number))[:6]
    found = drawn(searched, finished_trials(searched))
    names = [f"{trial.number} {trial.params['family']}" for trial in best]
    for name in ("lr-curves", "learning-curves"):
        assert [trace.name for trace in found[name].data] == names
    for trace, trial in zip(found["learning-curves"].data, best, strict=True):
        assert list(trace.x) == trial.user_attrs["curve"]["step"]
        assert list(trace.y) == pytest.approx(trial.user_attrs["curve"]["val_error"], rel=1e-3)


def test_best_of_each_family_over_time(searched):
    """Against a table of every moment, made the slow way."""
    trials, spent, table = finished_trials(searched), 0.0, {}
    for trial in trials:
        spent += sum(trial.user_attrs["record"]["epochs_used"].values())
        if trial.state == TrialState.COMPLETE:
            own = table.setdefault(trial.params["family"], {})
            own[spent] = min([trial.value, *own.values()])
    found = {trace.name: trace for trace in drawn(searched, trials)["best-by-family"].data}
    assert found.keys() == table.keys()
    for family, own in table.items():
        line = dict(zip(found[family].x, found[family].y, strict=True))
        assert found[family].x[-1] == pytest.approx(spent, rel=1e-3)
        for moment, value in own.items():
            assert max((x, y) for x, y in line.items() if x <= 1.001 * moment)[1] == pytest.approx(value, rel=1e-3)


def test_every_comparable_trial_has_a_dot(searched):
    trials = finished_trials(searched)
    traces = drawn(searched, trials)["peak-lr"].data
    dots = [(trace.name, x, y) for trace in traces for x, y in zip(trace.x, trace.y, strict=True)]
    expected = [
        (trial.params["family"], float(f"{trial.params['peak_lr']:.4g}"), float(f"{trial.intermediate_values[1]:.4g}"))
        for trial in trials
        if not trial.user_attrs["record"]["diverged"]
    ]
    assert sorted(dots) == sorted(expected)


def test_fifteen_families_have_marks_of_their_own(searched):
    marks = [(t.marker.color, t.marker.symbol) for t in drawn(searched, finished_trials(searched))["peak-lr"].data]
    assert len(set(marks)) == len(marks) > 7


def test_a_study_in_any_state(searched):
    trials = finished_trials(searched)
    pruned = [trial for trial in trials if trial.state == TrialState.PRUNED]
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    for some in ([], pruned, pruned[:1], complete[:1]):
        found = drawn(searched, some)
        assert found.keys() == IDS
        assert ("no trial yet" in found["lr-curves"].layout.title.text) == (some != complete[:1])
    assert not drawn(searched, [])["peak-lr"].data


def test_all_diverged(workload, storage):
    """No finite value anywhere."""
    wild = replace(SMALL, families=("constant",), pruner="none")
    hot = replace(workload, peak_lr=(1e6, 1e7))
    trials = run_search(storage, hot, 5, wild)
    assert all(trial.user_attrs["record"]["diverged"] for trial in trials)
    optuna_study = optuna.load_study(study_name="small", storage=storage)
    assert not any(one.data for one in drawn(optuna_study, trials).values())


def test_what_is_not_finite_is_a_gap():
    assert rounded([1.23456, None, float("nan"), float("inf")]) == [1.235, None, None, None]

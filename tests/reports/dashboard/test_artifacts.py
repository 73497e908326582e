"""Pictures and curves of trials: what is in them, that the search is the same with them, and none is lost for them."""

import csv
import io
from dataclasses import replace
from xml.etree import ElementTree

import optuna
import pytest
from optuna.artifacts import FileSystemArtifactStore, get_all_artifact_meta
from optuna.samplers import RandomSampler
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from search_spaces import FAMILIES, suggest
from search_spaces.schedule import evaluation_steps
from study.reports.dashboard.artifacts import Artifacts
from study.reports.dashboard.lr_curve import lr_line
from study.reports.dashboard.trial_picture import Panel, run_picture
from study.reports.plot_style import family_color
from study.storage.trial_record import Curve
from tests.example_studies import TRIAL
from tests.helpers import SMALL, finished, open_small, run_search

SVG = "{http://www.w3.org/2000/svg}"


def search_with(artifacts, storage, workload, trials=15, configuration=SMALL):
    with open_small(storage, workload, configuration) as study:
        study.watcher.artifacts = artifacts
        for _ in study.search(trials):
            pass
        return study.optuna_study, study.optuna_study.get_trials()


def lines_of(svg):
    """The points of each polyline."""
    found = ElementTree.fromstring(svg).findall(f"{SVG}polyline")
    return [[tuple(map(float, point.split(","))) for point in line.get("points").split()] for line in found]


def drawn_trial(family, seed, total_steps):
    """A trial that ran to its end with a schedule drawn at random, and the lr of its steps."""
    asked = optuna.create_study(sampler=RandomSampler(seed=seed)).ask()
    schedule = suggest(asked, [family], (1e-3, 1.0))
    losses = [1.0] * 20
    rates = [rate for rate, _ in schedule.simulate(total_steps, losses if schedule.evaluations else ())]
    steps = evaluation_steps(total_steps, len(losses))
    lr = tuple(rates[step - 1] for step in steps)
    curve = Curve("error", tuple(steps), tuple(losses), tuple(losses), lr, (None,) * len(steps))
    return replace(TRIAL, params=asked.params, curve=curve), rates


def test_each_complete_trial_has_its_picture_and_its_curve(storage, workload, tmp_path):
    artifacts = Artifacts(tmp_path / "artifacts")
    _, trials = search_with(artifacts, storage, workload)
    assert artifacts.problem is None
    store = FileSystemArtifactStore(tmp_path / "artifacts")
    kept_in = RDBStorage(storage)
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    assert 3 <= len(complete) < len(trials)
    for trial in trials:
        metas = get_all_artifact_meta(trial, storage=kept_in)
        kinds = {meta.filename: meta.mimetype for meta in metas}
        assert kinds == ({"run.svg": "image/svg+xml", "curve.csv": "text/csv"} if trial in complete else {})
        kept = {}
        for meta in metas:
            with store.open_reader(meta.artifact_id) as file:
                kept[meta.filename] = file.read().decode()
        if kept:
            heads, *rows = csv.reader(io.StringIO(kept["curve.csv"]))
            curve = trial.user_attrs["curve"]
            assert heads == list(curve)
            assert [[float(cell) for cell in row] for row in rows] == [
                list(row) for row in zip(*curve.values(), strict=True)
            ]
            rates, errors = lines_of(kept["run.svg"])
            assert len(errors) == len(curve["step"])
            assert len(rates) > 10
            assert f"{trial.params['family']}: val_error {trial.value:.4f}" in kept["run.svg"]
            assert f'stroke="{family_color(trial.params["family"])}"' in kept["run.svg"]
    assert len(list((tmp_path / "artifacts").iterdir())) == 2 * len(complete)


def test_the_study_is_the_same_with_them(storage, workload, tmp_path):
    _, trials = search_with(Artifacts(tmp_path / "artifacts"), storage, workload)
    assert finished(trials) == finished(run_search(f"sqlite:///{tmp_path}/plain.db", workload, 15))


def test_no_trial_is_lost_where_nothing_can_be_written(storage, workload, tmp_path):
    (tmp_path / "artifacts").write_text("a file, not a folder")
    artifacts = Artifacts(tmp_path / "artifacts")
    _, trials = search_with(artifacts, storage, workload)
    assert len(finished(trials)) == 15
    assert "could not be written" in artifacts.problem


def test_a_search_that_keeps_nothing_needs_no_artifacts(workload):
    assert len(run_search(None, workload, 5, replace(SMALL, pruner="none"))) == 5


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("total_steps", [100, 1000, 5000])
def test_the_line_is_what_a_run_is_trained_with(family, total_steps):
    """Every drawn lr is one that the run has within a fiftieth of its length, to a fiftieth of its peak."""
    for seed in range(3):
        trial, rates = drawn_trial(family, seed, total_steps)
        line = lr_line(trial)
        assert (line.x[0], line.x[-1]) == (0, total_steps)
        assert list(line.x) == sorted(line.x)
        near = total_steps // 50
        for x, y in zip(line.x, line.y, strict=True):
            around = rates[max(0, int(x) - near) : int(x) + near + 1]
            assert min(around) - max(rates) / 50 <= y <= max(around) + max(rates) / 50


def test_where_points_are_drawn():
    """Corners of the panel: the highest value on top, low at the bottom, the last x at the right."""
    (line,) = lines_of(run_picture("t", [Panel("y", [0, 50, 100], [1.0, 0.5, 0.0], low=0.0)], "#123456"))
    (left, top), (middle, half), (right, bottom) = line
    assert left < middle < right
    assert middle == pytest.approx((left + right) / 2)
    assert half == pytest.approx((top + bottom) / 2)
    assert bottom - top == 130


@pytest.mark.parametrize("values", [[], [None, None], [0.5, 0.5], [float("nan"), 0.5], [float("inf"), None]])
def test_any_values_give_a_picture(values):
    """What is not finite is left out; names may hold what XML does not."""
    svg = run_picture("<&>", [Panel("a < b", list(range(len(values))), values)], "#123456")
    assert len(lines_of(svg)[0]) == sum(value == 0.5 for value in values)
    assert "nan" not in svg

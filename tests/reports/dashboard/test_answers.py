"""What the dashboard is answered: values of full runs only, the console's importance, readable attributes."""

import json
import random

import pytest

from study.analysis.importance import importance
from study.reports.dashboard.answers import shown_importance, shown_study
from study.reports.dashboard.figures import FIGURES
from tests.example_studies import draws, ended, ranged, row, study_record


def answer(study, trials=None):
    """As optuna-dashboard gives it, with the attributes that matter here."""
    served = [
        {
            "number": trial.number,
            "state": "Complete" if trial.complete else "Pruned",
            "values": [trial.value],
            "params": [{"name": "family"}],
            "user_attrs": [{"key": "record", "value": "{long"}, {"key": "curve", "value": "{longer"}],
        }
        for trial in sorted(study.trials, key=lambda trial: trial.number)
    ]
    return {
        "name": study.name,
        "trials": served if trials is None else trials,
        "best_trials": [one for one in served if one["number"] == study.best.number],
        "union_user_attrs": [{"key": "record", "sortable": False}],
        "plotly_graph_objects": [{"id": name} for name in ("of-mine", *reversed(FIGURES))],
    }


def attributes(trial):
    return {pair["key"]: pair["value"] for pair in trial["user_attrs"]}


@pytest.fixture
def study():
    return study_record([ended(0.6, 0.3), ended(0.7), row("wsd", 0.1, 1.0, diverged=True), ended(0.5, 0.4)])


def test_only_full_runs_have_a_value(study):
    shown = shown_study(answer(study), study)
    assert [trial.get("values") for trial in shown["trials"]] == [[0.3], None, None, [0.4]]
    assert shown["best_trials"][0]["values"] == [0.3]
    assert all(trial["params"] == [{"name": "family"}] for trial in shown["trials"])
    assert shown["name"] == study.name


def test_attributes_say_what_became_of_a_trial(study):
    full, pruned, diverged, _ = map(attributes, shown_study(answer(study), study)["trials"])
    assert full == {
        "asked": "1",
        "outcome": "full run",
        "val_error after 2 epochs": "0.6",
        "epochs": "22.0",
        "seconds": "1.5",
        "scheduler": '{"warmup_steps": 0, "scheduler": "LambdaLR"}',
    }
    assert (pruned["asked"], pruned["outcome"]) == ("2", "stopped after 2 epochs")
    assert diverged["outcome"] == "diverged (loss blew up)"
    assert "val_error after 2 epochs" not in diverged


def test_columns_of_numbers_can_be_sorted(study):
    columns = {column["key"]: column["sortable"] for column in shown_study(answer(study), study)["union_user_attrs"]}
    numbers = {"asked", "val_error after 2 epochs", "epochs", "seconds"}
    assert columns == dict.fromkeys(numbers, True) | {"outcome": False, "scheduler": False}


def test_figures_have_an_order_and_those_of_others_come_last(study):
    found = [figure["id"] for figure in shown_study(answer(study), study)["plotly_graph_objects"]]
    assert found == [*FIGURES, "of-mine"]


def test_a_trial_that_is_not_finished_or_not_read_yet_stays_as_it_is(study):
    running = {"number": 4, "state": "Running", "user_attrs": [], "values": None}
    assert shown_study(answer(study, [running]), study)["trials"] == [running]


def test_the_importance_is_the_one_of_the_console():
    values = random.Random(0)
    study = ranged([ended(values.random(), params=params) for params in draws(30)])
    (bars,) = shown_importance(study)["param_importances"]
    assert {bar["name"]: bar["importance"] for bar in bars} == importance(study)[0]
    assert shown_importance(study_record())["param_importances"] == [[]]
    json.dumps(bars)

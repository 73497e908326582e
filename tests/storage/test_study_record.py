"""Records: typed values of what is stored, and back to the same attributes; what is damaged or foreign is refused."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import optuna
import pytest

from search_spaces import InputError, from_params
from search_spaces.ranges import Choice, Float
from study.objective import Engine, Metric
from study.storage.finals import FailedRun, Finals
from study.storage.record_format import FORMAT
from study.storage.stored_trials import FINISHED, finished_trials
from study.storage.study_record import Confirmed, StudyRecord
from study.storage.trial_record import Place, Seeds, TrialRecord
from tests.example_studies import SESSION, TRIAL, row, study_record
from tests.helpers import LOCKSTEP, SMALL, run_search


@pytest.fixture(scope="module")
def optuna_study(tmp_path_factory, workload):
    storage = f"sqlite:///{tmp_path_factory.mktemp('records')}/studies.db"
    run_search(storage, workload, 15, replace(SMALL, audit=0.5), engine=LOCKSTEP)
    return optuna.load_study(study_name="small", storage=storage)


def test_a_record_says_what_is_stored(optuna_study):
    study = StudyRecord.of(optuna_study)
    assert (study.name, study.group, study.workload) == ("small", "small", "digits-mlp-sgd")
    assert study.metric == Metric("error", "minimize", "fraction of rows", 1.0)
    assert (study.steps_per_epoch, study.total_steps) == (16, 64)
    settings = study.settings
    assert (settings.dataset, settings.model, settings.optimizer) == ("digits", "mlp", "sgd")
    assert (settings.epochs, settings.budgets, settings.pruner, settings.sampler) == (4, (1, 4), "horizon", "tpe")
    assert settings.space["peak_lr"] == Float(1e-3, 5.0, log=True)
    assert settings.space["warmup_fraction_is_0"] == Choice((True, False))
    assert study.engine == LOCKSTEP
    assert study.sessions[0].time.tzinfo is not None
    assert (study.confirmed, study.unfinished, settings.enqueued) == (None, 0, ())
    assert study.configuration == optuna_study.user_attrs["configuration"]
    by_number = sorted(study.trials, key=lambda trial: trial.number)
    for trial, stored in zip(by_number, finished_trials(optuna_study), strict=True):
        record = stored.user_attrs["record"]
        assert (trial.number, trial.value, dict(trial.params)) == (stored.number, stored.value, stored.params)
        assert trial.complete == (stored.state == optuna.trial.TrialState.COMPLETE)
        assert trial.reported == stored.intermediate_values
        assert trial.place == Place(*(record["place"][key] for key in ("generation", "size", "position", "batch")))
        assert trial.seeds == Seeds(0, 0, 0)
        assert trial.epochs_spent == sum(record["epochs_used"].values())
        assert (trial.family, trial.peak_lr) == (stored.params["family"], stored.params["peak_lr"])
        assert trial.schedule == from_params(stored.params)
        kept = {key: value for key, value in record.items() if key != "digest"}
        assert trial.stored == {**stored.user_attrs, "record": kept}, "back again"
        assert study.trial(trial.number) is trial


def test_trials_are_in_the_order_in_which_they_were_asked(storage, workload):
    """The study goes on after a short bracket of 7, and each bracket writes its promoted trials last."""
    run_search(storage, workload, 7, engine=LOCKSTEP)
    run_search(storage, workload, 20, engine=LOCKSTEP)
    study = StudyRecord.of(optuna.load_study(study_name="small", storage=storage))
    sizes = [7, 10, 3]
    expected = [(bracket, position) for bracket, size in enumerate(sizes) for position in range(size)]
    assert [(trial.place.bracket, trial.place.position) for trial in study.trials] == expected
    assert [study.asked[trial.number] for trial in study.trials] == list(range(1, 21))
    numbers = [trial.number for trial in study.trials]
    assert sorted(numbers) == list(range(20)) != numbers


def test_the_order_holds_while_a_bracket_is_unfinished():
    """Trials that end first are stored first: the second and fourth of a bracket of five after one of two."""
    places = [Place(0, 2, 1, 0), Place(0, 2, 0, 0), Place(1, 5, 3, 0), Place(1, 5, 1, 0)]
    trials = [replace(TRIAL, number=number, place=place) for number, place in enumerate(places)]
    assert replace(study_record(), trials=tuple(trials)).asked == {0: 2, 1: 1, 2: 6, 3: 4}


def test_the_best_is_the_one_that_optuna_objects_give(optuna_study):
    study = StudyRecord.of(optuna_study)
    assert study.best.number == optuna_study.best_trial.number
    assert {trial.number for trial in study.complete} < {trial.number for trial in study.trials}
    equal = [row("rex", 0.1, 0.5), row("rex", 0.2, 0.5, 0.4), row("wsd", 0.3, 0.5, 0.4), row("wsd", 0.3, 0.5, 0.6)]
    assert study_record(equal).best.number == 1, "the earlier of equals"
    assert study_record(equal, "maximize").best.number == 3
    assert study_record(equal[:1]).best is None


def test_a_number_that_is_not_there_is_told(optuna_study):
    with pytest.raises(InputError) as said:
        StudyRecord.of(optuna_study).trial(15)
    assert str(said.value) == "study 'small' holds trials 0 to 14, but 15 was given"
    with pytest.raises(InputError, match="holds no finished trial yet, but 0 was given"):
        study_record().trial(0)


def test_a_trial_belongs_to_the_last_session_before_its_end(optuna_study):
    study = StudyRecord.of(optuna_study)
    assert all(study.session_of(trial) is study.sessions[0] for trial in study.trials), "there was one start"
    first, second = SESSION, replace(SESSION, time=SESSION.time + timedelta(hours=2), command="again")
    twice = study_record(sessions=(first, second))
    for hours, session in [(-1, first), (1, first), (3, second)]:
        assert twice.session_of(replace(TRIAL, ended=SESSION.time + timedelta(hours=hours))) is session
    assert second.time < datetime.now(UTC)
    assert twice.session_of(TRIAL) is second, "of an archive, which does not keep the time"


def test_only_new_trials_are_read_again(storage, workload, monkeypatch):
    read = []
    monkeypatch.setattr(TrialRecord, "of", lambda trial, of=TrialRecord.of: read.append(trial.number) or of(trial))
    run_search(storage, workload, 5)
    optuna_study = optuna.load_study(study_name="small", storage=storage)
    read.clear()
    before = StudyRecord.of(optuna_study)
    assert read == [0, 1, 2, 3, 4]
    assert StudyRecord.of(optuna_study, before) == before
    assert len(read) == 5
    run_search(storage, workload, 10)
    optuna_study = optuna.load_study(study_name="small", storage=storage)
    read.clear()
    after = StudyRecord.of(optuna_study, before)
    assert read == [5, 6, 7, 8, 9]
    assert after == StudyRecord.of(optuna_study)
    assert len(after.sessions) > len(before.sessions)


def changed(stored, path, value):
    """A copy of the attributes with one value changed; None takes it away."""
    first, *others = path
    inner = changed(stored[first], others, value) if others else value
    return {key: kept for key, kept in {**stored, first: inner}.items() if kept is not None}


def test_what_older_records_hold_besides_is_ignored(optuna_study):
    attributes = optuna_study.user_attrs
    assert "unequal_groups" not in attributes
    older = {**attributes, "unequal_groups": True}
    assert replace(StudyRecord.read("old", older, ()), stored=attributes) == StudyRecord.read("old", attributes, ())


def test_what_older_records_lack_has_a_default(optuna_study):
    attributes = optuna_study.user_attrs
    for key in ("engine", "unfinished", "confirmed"):
        attributes.pop(key, None)
    study = StudyRecord.read("old", attributes, ())
    assert (study.engine, study.unfinished, study.confirmed) == (Engine(), 0, None)
    trial = finished_trials(optuna_study)[0]
    for key in ("audited_from", "digest"):
        trial.user_attrs = changed(trial.user_attrs, ["record", key], None)
    assert TrialRecord.of(trial).audited_from is None


def test_what_may_be_stored_besides(optuna_study):
    attributes = optuna_study.user_attrs | {
        "confirmed": {"trial": 3, "seeds": [1000, 1001], "test": [0.25, 0.5]},
        "unfinished": {"generation": 1, "size": 10, "candidates": {"0": {}, "4": {}}},
    }
    study = StudyRecord.read("more", changed(attributes, ["configuration", "enqueued"], [{"family": "rex"}]), ())
    assert study.confirmed == Confirmed(3, (1000, 1001), (0.25, 0.5))
    lost = changed(attributes, ["confirmed", "failed"], [[3, 1002, "disk full"]])
    assert StudyRecord.read("more", lost, ()).confirmed.failed == (FailedRun(3, 1002, "disk full"),)
    assert study.unfinished == study.stored["unfinished"] == 2
    assert study.settings.enqueued == ({"family": "rex"},)


def test_finals_of_earlier_versions_are_read_and_failed_runs_are_kept():
    stored = {"finalists": [0], "references": [], "selection_seeds": [1], "seeds": [2], "winner": 0, "reference": None}
    before = Finals.read({**stored, "runs": [[0, 2, 0.5, None]]})
    assert (before.failed, before.done) == ((), True)
    lost = before.after(FailedRun(0, 3, "disk full"))
    assert Finals.read(json.loads(json.dumps(lost.record))) == lost


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (
            ["metric"],
            None,
            "damaged .'metric' is missing.: restore a copy of the database, or choose another name with --study",
        ),
        (["metric", "worst"], None, "damaged .'worst' is missing."),
        (["metric"], "error", "damaged"),
        (["configuration", "epochs"], "four", "damaged .invalid literal for int"),
        (["configuration", "horizons"], None, "damaged .'horizons' is missing."),
        (["configuration", "space", "peak_lr", "attributes", "step"], 0.5, "damaged"),
        (["sessions"], [{"time": "yesterday"}], "damaged .Invalid isoformat"),
        (["configuration"], None, "was not made by this project: choose another name with --study"),
        (["format"], FORMAT - 1, f"has record format {FORMAT - 1}, not {FORMAT}: choose another name with --study"),
    ],
)
def test_damaged_and_foreign_attributes_are_refused_naming_the_study(path, value, said, optuna_study):
    other = optuna.create_study(study_name="other")
    for key, kept in changed(optuna_study.user_attrs, path, value).items():
        other.set_user_attr(key, kept)
    with pytest.raises(InputError, match=f"study 'other' .*{said}"):
        StudyRecord.of(other)


@pytest.mark.parametrize("path", [["record"], ["record", "place"], ["record", "epochs_used"], ["curve", "step"]])
def test_a_damaged_trial_is_refused_naming_the_study(path, optuna_study):
    other = optuna.create_study(study_name="other")
    for key, kept in optuna_study.user_attrs.items():
        other.set_user_attr(key, kept)
    trial = next(trial for trial in optuna_study.get_trials(states=FINISHED) if "curve" in trial.user_attrs)
    trial.user_attrs = changed(trial.user_attrs, path, None)
    other.add_trial(trial)
    with pytest.raises(InputError, match=f"the records of study 'other' are damaged .'{path[-1]}' is missing"):
        StudyRecord.of(other)


def test_how_runs_are_trained_is_said():
    said = {Engine(): "loop", Engine(10): "lockstep of 10", Engine(1, 2): "loop in 2 workers"}
    assert {engine: str(engine) for engine in said} == said
    assert str(Engine(4, 1)) == "lockstep of 4 in 1 worker"

"""The search: what it stores, that the same seed gives the same study, and that stopping changes nothing."""

import json
from contextlib import closing
from dataclasses import replace

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from search_spaces import from_params, suggest
from study.executors.in_process import InProcess
from study.objective import Run
from study.storage.record_format import CURVE_POINTS
from tests.helpers import LOCKSTEP, LOOP, SMALL, finished, open_small, run_search, substance, trainer


@pytest.fixture(scope="module", params=[LOOP, LOCKSTEP], ids=["loop", "lockstep"])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def whole(tmp_path_factory, workload, engine):
    """Fifteen trials, searched without a stop."""
    return run_search(f"sqlite:///{tmp_path_factory.mktemp('whole')}/studies.db", workload, 15, engine=engine)


def test_trials_carry_what_they_promise(whole, workload, engine):
    assert [trial.state for trial in whole].count(TrialState.COMPLETE) >= 3
    assert [trial.state for trial in whole].count(TrialState.PRUNED) >= 3
    for number, trial in enumerate(whole):
        attrs = trial.user_attrs["record"] | {"curve": trial.user_attrs["curve"]}
        last = 4 if trial.state == TrialState.COMPLETE else 1
        assert trial.value == trial.intermediate_values[last] == attrs["curve"]["val_error"][-1]
        assert list(trial.intermediate_values) == ([1, 4] if last == 4 else [1]), "the rungs"
        if not attrs["diverged"]:
            assert attrs["epochs_used"] == ({"1": 1.0, "4": 4.0} if last == 4 else {"1": 1.0})
            assert attrs["curve"]["step"][-1] == last * 16
        assert (attrs["place"]["generation"], attrs["place"]["size"]) == ((0, 10) if number < 10 else (1, 5))
        assert attrs["place"]["batch"] == attrs["place"]["position"] // 5
        assert attrs["seeds"] == {"sampler_seed": 0, "train_seed": 0, "split_seed": 0}
        assert attrs["cohort"]["1"] == (1 if engine == LOOP else 5)
        assert attrs["engine"] == ("loop" if list(attrs["cohort"].values())[-1] == 1 else "lockstep")
        assert attrs["too_large"] == []
        assert attrs["seconds"] > 0
        schedule = from_params(trial.params)
        assert attrs["torch"]["scheduler"] == schedule.torch_class.__name__
        assert attrs["torch"]["warmup_steps"] == schedule.split(4 * 16)[0]
        curve = attrs["curve"]
        assert len(set(map(len, curve.values()))) == 1
        assert attrs["best_epoch"] == curve["step"][curve["val_error"].index(min(curve["val_error"]))] / 16
        if not schedule.evaluations:
            simulated = schedule.simulate(last * 16)
            assert curve["lr"] == pytest.approx([simulated[step - 1][0] for step in curve["step"]])


def test_the_value_is_that_of_a_complete_run(whole, workload, engine):
    """Each rung's value, trained once more by itself: the whole schedule compressed into the rung's epochs."""
    one_row = 0.0 if engine == LOOP else 1 / len(workload.data.validation.x)  # lockstep rounds differently
    for trial in whole[:6]:
        for epochs, value in trial.intermediate_values.items():
            run = Run(from_params(trial.params), epochs, 0, evaluations=1)
            assert list(trainer(workload).train([run]))[-1].metric == pytest.approx(value, abs=1.01 * one_row)


def test_the_best_of_all_so_far_are_promoted(whole):
    for begin, end in ((0, 10), (10, 15)):
        seen = sorted(trial.intermediate_values[1] for trial in whole[:end])
        limit = seen[max(1, end // SMALL.reduction) - 1]
        for trial in whole[begin:end]:
            assert (trial.state == TrialState.COMPLETE) == (trial.intermediate_values[1] <= limit)


def test_the_sampler_sees_whole_batches_only(whole, workload):
    """Each batch asked again here, by Optuna alone, from what the study's docstrings say that the sampler saw."""
    places = [trial.user_attrs["record"]["place"] for trial in whole]
    rows = {(place["generation"], place["position"]): trial for place, trial in zip(places, whole, strict=True)}
    assert len(rows) == 15
    for generation, batch in ((0, 0), (0, 1), (1, 0)):
        seed = np.random.SeedSequence([0, generation, batch]).generate_state(1)[0]
        view = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=int(seed)))
        for place in sorted(rows):
            row = rows[place]
            if place[0] < generation:
                view.add_trial(row)
            elif place < (generation, 5 * batch):  # tried at the first rung
                value = row.intermediate_values[1]
                view.add_trial(
                    optuna.trial.create_trial(
                        state=TrialState.PRUNED,
                        value=value,
                        params=row.params,
                        distributions=row.distributions,
                        intermediate_values={1: value},
                    )
                )
        trials = [view.ask() for _ in range(5)]
        for position, trial in enumerate(trials, start=5 * batch):
            suggest(trial, SMALL.families, workload.peak_lr)
            assert trial.params == rows[generation, position].params


def test_two_fresh_studies_are_equal(whole, storage, workload, engine):
    assert finished(run_search(storage, workload, 15, engine=engine)) == finished(whole)


def test_another_seed_gives_another_study(whole, storage, workload):
    other = run_search(storage, workload, 5, replace(SMALL, sampler_seed=1))
    assert [trial.params for trial in other] != [trial.params for trial in whole[:5]]


def test_a_study_extended_by_whole_brackets_is_the_same(whole, storage, workload, engine):
    run_search(storage, workload, 10, engine=engine)
    assert finished(run_search(storage, workload, 15, engine=engine)) == finished(whole)


def test_nothing_is_left_to_do_when_enough_are_finished(storage, workload):
    before = run_search(storage, workload, 3)
    assert [substance(trial) for trial in run_search(storage, workload, 3)] == [substance(trial) for trial in before]
    assert len(run_search(storage, workload, 4)) == 4


@pytest.mark.parametrize(("evaluations", "save_every"), [(1, 0.0), (8, 1e9), (30, 0.0), (70, 0.0)])
def test_a_search_stopped_anywhere_goes_on_as_if_nothing_had_happened(
    whole, storage, workload, engine, evaluations, save_every, monkeypatch
):
    monkeypatch.setattr("study.search.bracket.SAVE_EVERY", save_every)
    for _ in range(2):
        with open_small(storage, workload, engine=engine) as study, closing(study.search(15)) as steps:
            for _ in zip(range(evaluations), steps, strict=False):
                pass
    assert finished(run_search(storage, workload, 15, engine=engine)) == finished(whole)


@pytest.mark.parametrize("pruner", ["horizon", "none"])
def test_a_saved_run_that_diverged_stays_pruned(pruner, storage, tmp_path, workload, monkeypatch):
    wild, configuration = replace(workload, peak_lr=(1e20, 1e21)), replace(SMALL, pruner=pruner)
    left_alone = run_search(storage, wild, 5, configuration)
    monkeypatch.setattr("study.search.bracket.SAVE_EVERY", 0.0)
    stopped = f"sqlite:///{tmp_path / 'stopped.db'}"
    with open_small(stopped, wild, configuration) as study:
        steps = study.search(5)
        for _ in range(4):
            next(steps)
        steps.close()
    assert finished(run_search(stopped, wild, 5, configuration)) == finished(left_alone)
    assert {trial.state for trial in left_alone} == {TrialState.PRUNED}


def test_saved_runs_of_another_schedule_are_trained_again(whole, storage, workload, engine, monkeypatch):
    """Another version of Optuna might draw others."""
    monkeypatch.setattr("study.search.bracket.SAVE_EVERY", 0.0)
    with open_small(storage, workload, engine=engine) as study:
        with closing(study.search(15)) as steps:
            for _ in zip(range(12), steps, strict=False):
                pass
        unfinished = study.optuna_study.user_attrs["unfinished"]
        for candidate in unfinished["candidates"].values():
            candidate["params"]["peak_lr"] /= 2
            candidate["reported"] = [[1, 0.0]]
        study.optuna_study.set_user_attr("unfinished", unfinished)
    assert finished(run_search(storage, workload, 15, engine=engine)) == finished(whole)


def test_saved_runs_are_not_trained_again(storage, workload, monkeypatch):
    """Stopped in the long runs of a bracket, a search goes on with those."""
    monkeypatch.setattr("study.search.bracket.SAVE_EVERY", 0.0)
    with open_small(storage, workload) as study, closing(study.search(10)) as steps:
        next(bracket for bracket in steps if any(4 in c.epochs_used for c in bracket.candidates))
        saved = study.optuna_study.user_attrs["unfinished"]["candidates"]
    assert len(saved) == 10
    json.dumps(saved, allow_nan=False)  # the dashboard shows it
    trained = []
    train = InProcess.train

    def counted(self, runs, stop, done):
        trained.extend(run.budget for index, run in enumerate(runs) if index not in done)
        return train(self, runs, stop, done)

    monkeypatch.setattr(InProcess, "train", counted)
    run_search(storage, workload, 10)
    assert set(trained) == {4}
    with open_small(storage, workload) as study:
        assert study.optuna_study.user_attrs["unfinished"] == {}, "all is stored now"


@pytest.mark.parametrize("kept", [2, 13])
def test_a_bracket_cut_off_while_it_was_stored_is_completed(whole, storage, workload, engine, kept, monkeypatch):
    """Trials are stored one after another: a stop in between keeps those that are, and adds the rest."""
    import study.search.bracket

    trial_row, calls = study.search.bracket.trial_row, []

    def some_rows(*arguments):
        calls.append(arguments)
        if len(calls) > kept:
            raise KeyboardInterrupt
        return trial_row(*arguments)

    monkeypatch.setattr(study.search.bracket, "trial_row", some_rows)
    with pytest.raises(KeyboardInterrupt):
        run_search(storage, workload, 15, engine=engine)
    monkeypatch.undo()
    with open_small(storage, workload) as study:
        assert len(study.optuna_study.trials) == kept
    assert finished(run_search(storage, workload, 15, engine=engine)) == finished(whole)


def test_diverged_trials_teach_the_sampler(storage, workload):
    """They are told PRUNED with the worst value at their rung, never FAIL, and a study of nothing else ends too."""
    wild = replace(workload, peak_lr=(1e20, 1e21))
    trials = run_search(storage, wild, 6)
    assert [trial.state for trial in trials] == [TrialState.PRUNED] * 6
    assert {trial.value for trial in trials} == {1.0}
    assert all(trial.user_attrs["record"]["diverged"] for trial in trials)
    assert all(trial.intermediate_values == {1: 1.0} for trial in trials)
    assert all(sum(trial.user_attrs["record"]["epochs_used"].values()) < 1 for trial in trials)
    with open_small(storage, wild) as study:
        assert study.record.best is None


def test_long_runs_keep_fifty_points(workload, storage):
    configuration = replace(SMALL, epochs=60, rung_fractions=(), families=("constant",), trials_per_batch=1)
    (trial,) = run_search(storage, workload, 1, configuration)
    assert len(trial.user_attrs["curve"]["step"]) == CURVE_POINTS
    assert trial.user_attrs["curve"]["step"][-1] == 60 * 16
    assert list(trial.intermediate_values) == [60]

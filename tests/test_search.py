"""The search: what it stores, that the same seed gives the same study, and that stopping changes nothing."""

from contextlib import closing
from dataclasses import replace

import pytest
from conftest import LOCKSTEP, LOOP, SMALL, open_small, run_search
from optuna.trial import TrialState

from search_spaces import from_params
from study.records import CURVE_POINTS, best_trial, spent_epochs
from study.search import search
from study.trainer import Trainer
from study.training import Run


def substance(trial):
    """A trial without its number and its times: what must be the same in the same study."""
    record = {key: value for key, value in trial.user_attrs["record"].items() if key != "seconds"}
    return trial.state, trial.values, trial.params, trial.intermediate_values, {**trial.user_attrs, "record": record}


def finished(trials):
    return [substance(trial) for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]


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
        assert (attrs["batch"]["number"], attrs["batch"]["size"]) == (number // 5, 5)
        assert attrs["seeds"] == {"sampler_seed": 0, "train_seed": 0, "split_seed": 0}
        together = [1 if engine == LOOP else 5, 1]  # one of five goes on, or two
        assert attrs["cohort"]["1"] == together[0]
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
            assert list(Trainer(workload).train([run]))[-1].metric == pytest.approx(value, abs=1.01 * one_row)


def test_the_pruner_follows_its_rule(whole):
    for batch in range(3):
        seen = sorted(trial.intermediate_values[1] for trial in whole[: 5 * batch + 5])
        limit = seen[max(1, len(seen) // SMALL.reduction) - 1]
        for trial in whole[5 * batch : 5 * batch + 5]:
            assert (trial.state == TrialState.COMPLETE) == (trial.intermediate_values[1] <= limit)


def test_two_fresh_studies_are_equal(whole, storage, workload, engine):
    assert finished(run_search(storage, workload, 15, engine=engine)) == finished(whole)


def test_another_seed_gives_another_study(whole, storage, workload):
    other = run_search(storage, workload, 5, replace(SMALL, sampler_seed=1))
    assert [trial.params for trial in other] != [trial.params for trial in whole[:5]]


def test_a_study_extended_by_whole_batches_is_the_same(whole, storage, workload, engine):
    run_search(storage, workload, 10, engine=engine)
    assert finished(run_search(storage, workload, 15, engine=engine)) == finished(whole)


def test_nothing_is_left_to_do_when_enough_are_finished(storage, workload):
    before = run_search(storage, workload, 3)
    assert [substance(trial) for trial in run_search(storage, workload, 3)] == [substance(trial) for trial in before]
    assert len(run_search(storage, workload, 4)) == 4


@pytest.mark.parametrize("evaluations", [1, 8, 17])
def test_a_search_stopped_anywhere_goes_on_as_if_nothing_had_happened(whole, storage, workload, engine, evaluations):
    for _ in range(2):
        with open_small(storage, workload) as study, closing(search(study, workload, SMALL, engine, 15)) as batches:
            for _ in zip(range(evaluations), batches, strict=False):
                pass
    assert finished(run_search(storage, workload, 15, engine=engine)) == finished(whole)


@pytest.mark.parametrize("kept", [2, 4, 7])
def test_a_batch_cut_off_while_it_was_stored_is_completed(whole, storage, workload, engine, kept, monkeypatch):
    """The trials of a batch are stored one after another: a stop in between keeps those that are, and adds the rest."""
    import study.search

    store, calls = study.search.store, []

    def store_some(*arguments):
        calls.append(arguments)
        if len(calls) > kept:
            raise KeyboardInterrupt
        store(*arguments)

    monkeypatch.setattr(study.search, "store", store_some)
    with pytest.raises(KeyboardInterrupt):
        run_search(storage, workload, 15, engine=engine)
    monkeypatch.undo()
    with open_small(storage, workload) as study:
        assert len(study.trials) == kept
    assert finished(run_search(storage, workload, 15, engine=engine)) == finished(whole)


def test_diverged_trials_teach_the_sampler(storage, workload):
    """They are told PRUNED with the worst value at their rung, never FAIL, and a study of nothing else ends too."""
    wild = replace(workload, peak_lr=(1e20, 1e21))
    trials = run_search(storage, wild, 6)
    assert [trial.state for trial in trials] == [TrialState.PRUNED] * 6
    assert {trial.value for trial in trials} == {1.0}
    assert all(trial.user_attrs["record"]["diverged"] for trial in trials)
    assert all(trial.intermediate_values == {1: 1.0} for trial in trials)
    assert all(spent_epochs(trial) < 1 for trial in trials)
    assert best_trial(optuna_study_of(storage, wild), trials) is None


def optuna_study_of(storage, workload):
    with open_small(storage, workload) as study:
        return study


@pytest.mark.parametrize("pruner", ["median", "hyperband", "none"])
@pytest.mark.parametrize("trials_per_batch", [1, 5])
def test_the_classical_pruners_hear_of_every_epoch(pruner, trials_per_batch, storage, workload):
    configuration = replace(SMALL, pruner=pruner, trials_per_batch=trials_per_batch)
    trials = run_search(storage, workload, 25, configuration)
    converged = [trial for trial in trials if not trial.user_attrs["record"]["diverged"]]
    assert (TrialState.PRUNED in {trial.state for trial in converged}) == (pruner != "none")
    for trial in converged:
        epochs = list(trial.intermediate_values)
        assert epochs == list(range(1, len(epochs) + 1))
        assert (len(epochs) == 4) == (trial.state == TrialState.COMPLETE)
        assert spent_epochs(trial) == epochs[-1]


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_the_classical_pruners_go_on_after_a_stop(pruner, storage, tmp_path, workload):
    configuration = replace(SMALL, pruner=pruner, trials_per_batch=2)
    left_alone = run_search(storage, workload, 14, configuration)
    stopped = f"sqlite:///{tmp_path / 'stopped.db'}"
    run_search(stopped, workload, 6, configuration)
    with open_small(stopped, workload, configuration) as study:
        batches = search(study, workload, configuration, LOOP, 14)
        for _ in range(3):  # into the middle of the next batch
            next(batches)
        batches.close()
    assert finished(run_search(stopped, workload, 14, configuration)) == finished(left_alone)


def test_long_runs_keep_fifty_points(workload, storage):
    configuration = replace(SMALL, epochs=60, rung_fractions=(), families=("constant",), trials_per_batch=1)
    (trial,) = run_search(storage, workload, 1, configuration)
    assert len(trial.user_attrs["curve"]["step"]) == CURVE_POINTS
    assert trial.user_attrs["curve"]["step"][-1] == 60 * 16
    assert list(trial.intermediate_values) == [60]

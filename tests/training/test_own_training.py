"""A user's training as an objective: evaluations, deaths and lengths; then whole searches over it."""

import itertools
import math
import time

import pytest
import torch

import study
from search_spaces import Constant, InputError, Linear, ScheduleFree
from study.executors.in_process import InProcess
from study.objective import Run
from study.search.confirm import confirm
from study.search.expected_cost import SECONDS_A_TRIAL
from study.search.fitted_plan import rounded_up
from study.training.declaration import Declaration
from study.training.own_training import OwnTraining
from study.training.user_function import UserFunction
from tests import own_training
from tests.own_training import score, train, train_steps, train_with_rates

SCHEDULE = Linear(peak_lr=0.05)
ALONE = {"reference": "none", "confirm_seeds": 0}
FEW = ALONE | {"epochs": 20, "trials": 8, "progress": False, "sampler": "tpe", "families": ["linear", "rex", "plateau"]}


def objective(function, budget=4, unit="epochs", **declared):
    declared = Declaration(**declared).over(getattr(function, "_study_declaration", Declaration()))
    return OwnTraining(UserFunction(function), declared, torch.device("cpu"), unit).after_first_runs(budget)


def evaluations(own, budget=4, schedule=SCHEDULE, test=False, stop=lambda run: False, seed=0):
    return list(InProcess(own).train([Run(schedule, budget, seed, 1, test)], stop))


def test_a_limit_of_hours_is_fitted_to_the_speed_of_the_first_runs(tmp_path, monkeypatch):
    """All of 160 steps; a later start has no first runs, and times nothing."""
    clock = {"now": 1000.0, "runs": 0}
    monkeypatch.setattr(own_training, "CLOCK", clock)
    monkeypatch.setattr(time, "time", lambda: clock["now"])
    limited = FEW | {"train": own_training.by_the_clock, "storage": tmp_path / "s.db", "trials": 50}
    least = 5 * (20 * 8 + 5 + SECONDS_A_TRIAL) / 3600
    with pytest.raises(InputError, match=f"max_hours must be at least {rounded_up(least):g} for 5 trials"):
        study.find_schedule(**limited, max_hours=0.1 * least)
    first = study.find_schedule(**limited, max_hours=1.25 * least)
    assert first.record.stored["engine"]["speed"] == {"by_cohort": {"1": 1.0}, "start": 5.0}
    assert clock["runs"] == 4 + 4 + 6
    assert len(study.find_schedule(**limited, max_hours=1.25 * least).trials) == 6
    assert clock["runs"] == 4 + 4 + 6


def test_evaluations_are_what_was_yielded():
    own = objective(train)
    found = evaluations(own)
    assert [one.step for one in found] == [8, 16, 24, 32]
    assert {one.total_steps for one in found} == {32} == {own.steps(4)}
    assert [one.last for one in found] == [False, False, False, True]
    values = [
        one.noted.values["val_value"] for one in own.trainer.run(own_training.run_request(SCHEDULE, 4), lambda: False)
    ]
    assert [one.metric for one in found] == [one.loss for one in found] == values
    assert found[0].lr == SCHEDULE.rates(32)[7]
    assert found[0].momentum == 0.5


def test_the_last_value_is_that_of_the_run_and_of_the_test_where_it_is_given():
    def early(schedule, epochs, seed):
        for number, value in enumerate(train(schedule, epochs, seed)):
            if number in (0, 2):
                yield value

    _, before, last = evaluations(objective(early), budget=4)
    assert (before.step, last.step, last.last) == (24, 32, True)
    assert last.metric == before.metric

    tested = evaluations(objective(score), test=True)[-1]
    assert tested.test_metric == pytest.approx(1 / (1 + 1 / tested.metric))
    untested = evaluations(objective(train), test=True)[-1]
    assert untested.test_metric is None, "no test value was given"
    assert evaluations(objective(score))[-1].test_metric is None
    assert confirm(objective(score), InProcess(objective(score)), SCHEDULE, 4, [1000]) == [
        evaluations(objective(score), test=True, seed=1000)[-1].test_metric
    ]


def test_a_run_that_diverges_ends_with_the_worst_value():
    own = objective(train, worst=9.0)
    *_, last = evaluations(own, budget=20, schedule=Constant(peak_lr=50.0))
    assert (last.diverged, last.metric, last.loss, last.failure) == (True, 9.0, math.inf, None)


def test_a_run_is_left_where_it_is_to_be():
    own, asked = objective(train), itertools.count()
    assert evaluations(own, stop=lambda run: next(asked) >= 12)[-1].step == 8


def dies_if_hot(schedule, epochs, seed):
    for value in train(schedule, epochs, seed):
        if schedule.peak_lr > 0.2:
            raise RuntimeError("loss is nan")
        yield value


def dies_in_long_runs(schedule, epochs, seed):
    yield from train(schedule, epochs, seed)
    if epochs > 1:
        raise RuntimeError("disk full")


def test_a_run_that_dies_is_a_diverged_trial_with_its_reason_and_the_study_goes_on():
    (last,) = evaluations(objective(dies_if_hot), schedule=Linear(peak_lr=0.3))
    assert (last.diverged, last.step, last.metric) == (True, 1, objective(dies_if_hot).metric.worst)
    assert last.failure.startswith("RuntimeError: loss is nan (test_own_training.py, line ")
    found = study.find_schedule(train=dies_if_hot, **FEW)
    hot = [trial for trial in found.record.trials if trial.peak_lr > 0.2]
    assert 0 < len(hot) < 8 == len(found.record.trials)
    for trial in found.record.trials:
        assert (trial.failure is not None) == trial.diverged == (trial in hot)
    assert found.schedule.peak_lr < 0.2


def test_a_run_that_dies_late_has_no_test_value():
    def dies_late(schedule, epochs, seed):
        for number, value in enumerate(train(schedule, epochs, seed)):
            yield {"val_error": value, "test_error": value}
            if number == 2:
                raise RuntimeError("disk full")

    own = objective(dies_late, budget=2)
    *_, before, last = evaluations(own, test=True)
    assert before.test_metric == before.metric
    assert (last.diverged, last.metric, last.test_metric) == (True, own.metric.worst, None)


def test_three_deaths_in_a_row_stop_the_study():
    with pytest.raises(InputError, match="3 runs in a row failed, the last with: RuntimeError: disk full"):
        study.find_schedule(train=dies_in_long_runs, **FEW)


def test_plateau_is_told_how_often_it_observes():
    found = study.find_schedule(train=train, **FEW | {"families": ["plateau"], "trials": 2, "epochs": 40})
    for trial in found.record.trials:
        assert trial.torch_arguments["patience"] == max(1, round(40 * trial.schedule.patience_fraction))


def test_a_budget_that_is_not_used_is_refused():
    def ends_early(schedule, epochs, seed):
        yield from train(schedule, min(epochs, 2), seed)

    own = objective(ends_early)
    with pytest.raises(InputError, match="4 epochs should have about 32 steps, but its schedule is built for 16: does"):
        evaluations(own)


def test_a_plain_list_of_rates_leaves_out_what_observes():
    own = objective(train_with_rates, peak_lr=(0.001, 0.5))
    assert own.schedule_obstacle(SCHEDULE) is None
    found = study.find_schedule(train=train_with_rates, peak_lr=(0.001, 0.5), **FEW)
    assert found.record.settings.families == ("linear", "rex")
    with pytest.raises(InputError, match="cannot be trained with plateau: it observes evaluations"):
        study.find_schedule(train=train_with_rates, peak_lr=(0.001, 0.5), **FEW | {"families": ["plateau"]})


def test_its_weight_decay_cannot_be_searched():
    """Before anything of the user's runs."""
    with pytest.raises(
        InputError,
        match="cannot be searched for .*: remove search weight_decay, and weight_decay from space, or give da",
    ):
        study.find_schedule(train=never_called, search=["weight_decay"], progress=False)


def never_called(schedule, epochs, seed):
    raise AssertionError("it runs")
    yield


def test_what_replaces_the_optimizer_is_left_out():
    schedule = ScheduleFree(peak_lr=0.1)
    said = "it replaces the optimizer, which your own training makes: give --dataset, --model and --optimizer"
    assert objective(train, peak_lr=(0.001, 0.5)).schedule_obstacle(schedule) == said
    with pytest.raises(InputError, match="cannot be trained with schedule_free: it replaces the optimizer"):
        study.find_schedule(train=train, peak_lr=(0.001, 0.5), **FEW | {"families": ["schedule_free"]})


@pytest.mark.parametrize(
    ("families", "said"),
    [
        (["linear", "schedule_free"], "known.json: .* cannot be trained with schedule_free: it replaces the optimizer"),
        (["linear"], "known.json: family 'schedule_free' is not searched here: add it to families"),
    ],
)
def test_a_known_schedule_whose_family_was_left_out_is_refused_with_the_reason(families, said, tmp_path):
    known = tmp_path / "known.json"
    known.write_text('{"family": "schedule_free", "peak_lr": 0.1, "parameters": {}}')
    asked = FEW | {"families": families, "enqueue": [known]}
    with pytest.raises(InputError, match=said):
        study.find_schedule(train=train, peak_lr=(0.001, 0.5), **asked)


@pytest.mark.parametrize(
    ("pruner", "budget"),
    [
        ("horizon", {"epochs": 30}),
        ("horizon", {"steps": 240}),
        ("median", {"epochs": 30}),
        ("hyperband", {"steps": 240}),
        ("none", {"epochs": 30}),
    ],
    ids=str,
)
def test_it_is_searched_with_every_pruner_and_reproduced(pruner, budget):
    function = train if "epochs" in budget else train_steps
    options = {name: value for name, value in FEW.items() if name != "epochs"}
    found = study.find_schedule(train=function, pruner=pruner, **options, **budget)
    [length] = budget.values()
    expected = {"epochs": (13, 15, 30), "steps": (100, 120, 240)}[next(iter(budget))]
    assert found.record.settings.budgets == (expected if pruner == "horizon" else (length,))
    assert found.record.total_steps == 240
    assert found.best.value == min(trial.value for trial in found.record.complete)
    for trial in (found.record.trials[0], found.record.trials[-1]):
        assert all(one.found == one.stored for one in found.reproduce(trial.number))


def test_a_stop_loses_nothing(tmp_path, monkeypatch):
    """The same call goes on to the same trials, with no first run again."""
    storage, runs, stop_at = tmp_path / "own.db", itertools.count(1), 7

    def counted(self, request, left, run=UserFunction.run):
        if next(runs) == stop_at:
            raise KeyboardInterrupt
        return run(self, request, left)

    whole = study.find_schedule(train=train, **FEW)
    monkeypatch.setattr(UserFunction, "run", counted)
    with pytest.raises(KeyboardInterrupt):
        study.find_schedule(train=train, storage=storage, **FEW)
    before = next(runs)
    again = study.find_schedule(train=train, storage=storage, **FEW)
    assert [(t.params, t.value, t.reported) for t in again.record.trials] == [
        (t.params, t.value, t.reported) for t in whole.record.trials
    ]
    trained = sum(len(trial.epochs_used) for trial in whole.record.trials)
    assert next(runs) - before - 1 <= trained
    assert study.load("train-20-epochs", storage).best.value == whole.best.value


@pytest.mark.slow
def test_workers_find_the_same():
    alone, together = (study.find_schedule(train=train, **FEW, **how) for how in ({}, {"workers": 2}))
    assert [t.value for t in together.record.trials] == [t.value for t in alone.record.trials]
    assert together.record.engine.workers == 2


def test_a_function_of_a_notebook_cannot_go_to_workers():
    def local(schedule, epochs, seed):
        yield from train(schedule, epochs, seed)

    with pytest.raises(InputError, match="workers need functions of a module, but local is not one: put it"):
        study.find_schedule(train=local, **FEW, workers=2)
    found = study.find_schedule(train=local, **FEW)
    with pytest.raises(InputError, match="call study.load.*train=\\.\\.\\."):
        found.reproduce(0)
    assert all(one.found == one.stored for one in found.reproduce(0, train=local))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"train": 5}, "train must be a function or package.module:function, but 5 was given"),
        ({"train": torch.optim.SGD}, "train must be a generator function, but SGD is a class"),
        (
            {"train": "tests.own_training:trian"},
            "unknown function 'trian' in tests.own_training: did you mean 'train'?",
        ),
        ({"train": train, "dataset": "digits"}, "unknown option 'dataset'"),
        ({"train": train, "model": "mlp"}, "train replaces model: remove model, but 'mlp' was given"),
        ({"train": train, "steps": 100, "epochs": 5}, "give epochs or steps, not both, but 5 was given"),
        ({"train": train, "steps": 0}, "steps must be at least 1"),
        ({"train": train, "peak_lr": (1.0, 0.1)}, "peak_lr must be LOW HIGH"),
        ({"dataset": "digits", "metric": "error"}, "unknown option 'metric'"),
    ],
)
def test_what_does_not_go_together(options, said):
    with pytest.raises(InputError) as raised:
        study.find_schedule(progress=False, **options)
    assert said in str(raised.value)


def test_families_are_compared():
    compared = study.compare_families(
        train=score,
        steps=None,
        epochs=[2, 4],
        families=["linear", "rex"],
        trials_per_family=3,
        confirm_seeds=2,
        progress=False,
    )
    assert [one.name for one in compared.studies] == [
        f"benchmark-score-{epochs}-epochs-{family}" for epochs in (2, 4) for family in ("linear", "rex")
    ]
    assert all(len(one.confirmed.test) == 2 for one in compared.studies)

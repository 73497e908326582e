"""A function that trains: what is yielded is what is found, and each mistake is one message."""

import random

import numpy as np
import pytest
import torch

from search_spaces import InputError, Linear, Plateau
from search_spaces.step_watch import Left
from study.training.declaration import Declaration
from study.training.trainer import Died, RunRequest
from study.training.user_function import UserFunction
from tests import own_training

SCHEDULE = Linear(peak_lr=0.05)


def reported(function, left=lambda: False, schedule=SCHEDULE, budget=3, unit="epochs", **request):
    request = RunRequest(schedule, budget, unit, **{"seed": 0, **request})
    return [(one.noted.step, one.noted.values) for one in UserFunction(function).run(request, left)]


def test_every_value_is_heard_at_its_step():
    found = reported(own_training.train)
    assert [step for step, _ in found] == [8, 16, 24]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        optimizer, step, error = own_training.optimized()
        scheduler, expected = SCHEDULE.build(optimizer, 24), []
        for number in range(24):
            step(number)
            scheduler.step()
            expected += [{"val_value": error()}] if number % 8 == 7 else []
    assert [values for _, values in found] == expected
    assert [step for step, _ in reported(own_training.train_steps, budget=60, unit="steps")] == [25, 50, 60]
    assert reported(own_training.train_with_rates)[-1] == found[-1]
    assert list(reported(own_training.score)[0][1]) == ["val_score", "test_score"]


def test_the_seed_is_of_all_random_numbers_and_they_go_on_as_before():
    def draw(schedule, epochs, seed):
        schedule.rates(8)
        drawn = {"val_torch": torch.rand(1), "val_numpy": np.random.rand(), "val_python": random.random()}
        yield 8, drawn | {"seed": seed}

    states = random.getstate(), np.random.get_state()[1].tolist(), torch.random.get_rng_state().tolist()
    first, again, other = (reported(draw, metric="torch", seed=seed)[0][1] for seed in (1, 1, 2))
    assert first == again
    assert all(first[name] != other[name] for name in first)
    assert states == (random.getstate(), np.random.get_state()[1].tolist(), torch.random.get_rng_state().tolist())


def test_what_is_yielded_is_what_a_schedule_that_listens_observes():
    plateau = Plateau(peak_lr=0.05, factor=0.5, patience_fraction=0.2, evaluations=5)
    held = []

    def train(schedule, epochs, seed, better):
        optimizer, step, _ = own_training.optimized()
        scheduler = schedule.build(optimizer, epochs)
        for number in range(epochs):
            step(number)
            held.append(optimizer.param_groups[0]["lr"])
            scheduler.step()
            yield {"val_score": 1.0 + better * number}

    for better, sign, falls in ((0.1, 1, True), (0.1, -1, False), (-0.1, -1, True), (-0.1, 1, False), (0, 1, True)):
        held.clear()

        def trial(schedule, epochs, seed, better=better):
            yield from train(schedule, epochs, seed, better)

        reported(trial, schedule=plateau, budget=5, sign=sign)
        assert (held[-1] < held[0]) == falls, (better, sign)


def test_the_generator_is_closed_when_the_run_is_left():
    closed = []

    def train(schedule, epochs, seed):
        try:
            yield from own_training.train(schedule, epochs, seed)
        finally:
            closed.append(True)

    training = UserFunction(train).run(RunRequest(SCHEDULE, 3, "epochs", 0), lambda: False)
    next(training)
    training.close()
    assert closed == [True]
    with pytest.raises(Left):
        reported(train, left=lambda: True)
    assert closed == [True, True]


def no_generator(schedule, epochs, seed):
    return 0.5


def takes_no_epochs(schedule, seed):
    yield 0.5


def takes_more(schedule, epochs, seed, data):
    yield 0.5


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (no_generator, "test_user_function:no_generator must be a generator: a function of (schedule, epochs, seed)"),
        (lambda schedule, epochs, seed: 1, "must be a generator"),
        (takes_no_epochs, "takes_no_epochs must take 'epochs', the length of its run"),
        (takes_more, "must take (schedule, epochs, seed), but it does not: missing a required argument: 'data'"),
        (own_training.train_steps, "must take (schedule, epochs, seed), but it does not: missing"),
    ],
)
def test_a_function_that_cannot_be_called(function, said):
    with pytest.raises(InputError) as raised:
        reported(function)
    assert said in str(raised.value)


@pytest.mark.parametrize("yielded", ["good", None, (1,), (0, 0.5), (8, "good"), {}, {1: 0.5}, {"val": None}, True, [1]])
def test_what_is_no_evaluation(yielded):
    def train(schedule, epochs, seed):
        for _ in own_training.train(schedule, epochs, seed):
            yield yielded

    with pytest.raises(InputError, match="yield a number, \\(step, number\\), or a dict"):
        reported(train)


def test_a_function_that_never_ends_its_budget():
    def never_ends(schedule, epochs, seed):
        optimizer, step, error = own_training.optimized()
        scheduler = schedule.build(optimizer, epochs * 8)
        while True:
            step(0)
            scheduler.step()
            yield error()

    def evaluates_for_ever(schedule, epochs, seed):
        yield from own_training.train(schedule, epochs, seed)
        while True:
            yield 0.5

    with pytest.raises(InputError, match="built for 24 steps, but the optimizer makes more"):
        reported(never_ends)
    with pytest.raises(InputError, match="two evaluations at step 24"):
        reported(evaluates_for_ever)


def test_a_function_that_fails_says_why_and_where():
    def fails(schedule, epochs, seed):
        yield from own_training.train(schedule, 1, seed)
        raise ValueError("no such batch")

    def leaves(schedule, epochs, seed):
        yield from own_training.train(schedule, 1, seed)
        raise SystemExit(3)

    with pytest.raises(Died, match=r"ValueError: no such batch \(test_user_function.py, line \d+\)"):
        reported(fails)
    with pytest.raises(Died, match="SystemExit: 3"):
        reported(leaves)


def test_what_is_said_beside_a_function_and_at_the_command_line():
    beside = own_training.score._study_declaration
    assert beside == Declaration("score", "maximize", (0.001, 0.5), -1.0)
    assert Declaration(metric="accuracy", worst=0.0).over(beside) == Declaration(
        "accuracy", "maximize", (0.001, 0.5), 0.0
    )
    for given, said in (
        ({"direction": "up"}, "--direction must be minimize or maximize, but 'up' was given"),
        ({"peak_lr": (1, 0.1)}, r"--peak-lr must be LOW HIGH, with 0 < LOW < HIGH, but \(1, 0.1\) was given"),
        ({"worst": float("inf")}, "--worst must be finite"),
    ):
        with pytest.raises(InputError, match=said):
            Declaration(**given)

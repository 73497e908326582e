"""The first runs of a user's training: what they tell, and what they refuse."""

import itertools
import json
import re
import time

import pytest
import torch
from torch import nn

from search_spaces import ADAMW_PEAK_LR, SGD_PEAK_LR, InputError
from study.training.declaration import Declaration
from study.training.first_run import FirstRunResult, first_runs
from study.training.user_function import UserFunction
from tests import own_training
from tests.own_scripts import REPORTS

PEAK = Declaration(peak_lr=(0.001, 0.5))


def found(function, declared=Declaration(), unit="epochs", budget=20):  # noqa: B008  # frozen
    return first_runs(UserFunction(function), declared, unit, budget)


def test_what_they_find():
    first = found(own_training.train)
    assert (first.metric, first.steps, first.evaluations, first.seen) == ("value", 8, 1, True)
    assert first.peak_lr == SGD_PEAK_LR
    assert first.optimizer_code == "torch.optim.SGD(model.parameters(), lr={lr}, momentum=0.5)"
    assert first.notes[0] == "First run: train(schedule, epochs=1, seed=0)"
    assert first.notes[1].startswith("  1 epoch of 8 steps, val_value ")
    assert FirstRunResult.read(json.loads(json.dumps(first.plain()))) == first
    assert FirstRunResult.read({**first.plain(), "unequal_groups": False}) == first, "older ones hold it"
    assert "unequal_groups" not in first.plain()

    with torch.random.fork_rng():  # the value of a model that is hardly trained, and as much on top
        torch.manual_seed(0)
        _, _, error = own_training.optimized()
        assert first.worst == pytest.approx(2 * error(), rel=0.05)

    score = found(own_training.score, own_training.score._study_declaration)
    assert (score.metric, score.peak_lr, score.worst) == ("score", (0.001, 0.5), -1.0)
    steps = found(own_training.train_steps, unit="steps", budget=400)
    assert (steps.steps, steps.evaluations) == (1, 4 / 100)
    rates = found(own_training.train_with_rates, PEAK)
    assert (rates.seen, rates.peak_lr) == (False, (0.001, 0.5))


def test_they_tell_how_fast_it_trains(monkeypatch):
    """What comes before the schedule is built is the start of a run; the shortest of the three runs counts."""
    now, runs = [1000.0], [0]
    monkeypatch.setattr(time, "time", lambda: now[0])

    def slow(schedule, epochs, seed):
        runs[0] += 1
        now[0] += 3.0 + runs[0]
        optimizer, step, error = own_training.optimized()
        scheduler = schedule.build(optimizer, 8 * epochs)
        for number in range(8 * epochs):
            now[0] += 0.5 / runs[0]
            step(number)
            scheduler.step()
        yield error()

    assert found(slow).seconds == pytest.approx((0.5 / 3, 4.0))
    assert found(own_training.train_with_rates, PEAK).seconds == (0, 0)


def test_the_usual_range_is_that_of_the_optimizer():
    def with_optimizer(make):
        def train(schedule, epochs, seed):
            weight = nn.Parameter(torch.rand(1))
            optimizer = make([weight])
            scheduler = schedule.build(optimizer, 5 * epochs)
            for _ in range(5 * epochs):
                optimizer.zero_grad()
                weight.square().sum().backward()
                optimizer.step()
                scheduler.step()
            yield float(weight.detach())

        return found(train).peak_lr

    assert with_optimizer(torch.optim.AdamW) == ADAMW_PEAK_LR
    assert with_optimizer(lambda weights: torch.optim.RMSprop(weights, lr=0.02)) == pytest.approx((2e-4, 2.0))


def test_a_seed_that_is_not_used_is_noted():
    def same(schedule, epochs, seed):
        torch.manual_seed(3)
        yield from own_training.train(schedule, epochs, seed)

    assert found(same).notes[2:] == ("note: runs with different seeds give the same values, so the seed is not used",)
    assert found(own_training.train).notes[2:] == ()


def yields(*values):
    """A function that trains as it should, and yields these values in turn, over all its runs."""
    values = itertools.cycle(values)

    def train(schedule, epochs, seed):
        for _ in own_training.train(schedule, epochs, seed):
            yield next(values)

    return train


def yields_nothing(schedule, epochs, seed):
    for _ in own_training.train(schedule, epochs, seed):
        pass
    yield from ()


def ignores_the_rates(schedule, epochs, seed):
    schedule.rates(8 * epochs)
    optimizer, step, error = own_training.optimized()
    optimizer.param_groups[0]["lr"] = 0.01
    for number in range(8):
        step(number)
    yield 8, error()


def never_builds(schedule, epochs, seed):
    yield 0.5


def only_ends(schedule, epochs, seed):
    own_training.optimized()
    yield from ()


def raises(schedule, epochs, seed):
    yield from own_training.train(schedule, epochs, seed)
    raise OSError("no space left")


def evaluates_once(schedule, epochs, seed):
    *_, last = own_training.train(schedule, epochs, seed)
    yield last


def ignores_epochs(schedule, epochs, seed):
    yield from own_training.train(schedule, 3, seed)


def ignores_steps(schedule, steps, seed):
    yield from own_training.train(schedule, 5, seed)


@pytest.mark.parametrize(
    ("function", "declared", "said"),
    [
        (yields_nothing, {}, "the first run (1 epoch) of yields_nothing made no evaluation: report a validation value"),
        (yields(float("nan")), {}, "the metric 'value' is nan in the first run"),
        (yields(0.5), {}, "the metric 'value' is constant: peaks 0.001 and 0.0707 give the same value, 0.5"),
        (yields({"val_error": 0.5}), {"metric": "loss"}, "the metric 'loss' is missing: the evaluation has val_error"),
        (
            yields({"val_error": 1, "val_loss": 2}),
            {},
            "which of val_error, val_loss is the metric?",
        ),
        (ignores_the_rates, {"peak_lr": (0.001, 0.5)}, "the schedule does not reach your optimizer: peaks 0.001 and"),
        (ignores_the_rates, {}, "schedule.rates does not see the optimizer: give the range of the peak, --peak-lr LOW"),
        (never_builds, {}, "an evaluation was made before the schedule was built"),
        (only_ends, {}, "the schedule was never used: call schedule.build(optimizer, total_steps)"),
        (ignores_epochs, {}, "a run of 2 epochs should have about 48 steps, but its schedule is built for 24: does"),
        (raises, {}, "the first run (1 epoch) of raises failed: OSError: no space left (test_first_run.py, line"),
    ],
)
def test_what_is_refused(function, declared, said):
    with pytest.raises(InputError) as raised:
        found(function, Declaration(**declared))
    assert said in str(raised.value)


def test_one_evaluation_at_the_end_is_enough():
    assert found(evaluates_once).evaluations == 1


def test_a_length_that_is_not_used_is_refused_where_budgets_count_steps():
    with pytest.raises(InputError, match="a run of 100 steps was asked for, but its schedule is built for 40"):
        found(ignores_steps, unit="steps", budget=400)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (REPORTS, None),
        (REPORTS.replace("int(epochs)", "3"), "runs of 1 epoch and 2 epochs give the same error, 0."),
        ("import sys; from study.script import report; report(float(sys.argv[1]) + float(sys.argv[3]))", "note"),
    ],
)
def test_a_script_that_ignores_its_epochs_is_noticed_and_refused_if_that_cannot_be_chance(script, program, said):
    if said and said != "note":
        with pytest.raises(InputError) as raised:
            first_runs(script(program), PEAK, "epochs", 20)
        assert said in str(raised.value)
        assert str(raised.value).endswith(": does user_train use its epochs?")
        return
    unseen, *notes = first_runs(script(program), PEAK, "epochs", 20).notes[2:]
    assert unseen == "note: its steps are not seen: an epoch counts as 100"
    same = "note: runs of 1 epoch and 2 epochs give the same value, 0.0223607: does user_train use its epochs?"
    assert notes == ([same] if said else [])


def test_runs_of_one_length_have_no_length_to_compare(script):
    program = "import sys; from study.script import report; report(float(sys.argv[1]) + float(sys.argv[3]))"
    assert len(first_runs(script(program), PEAK, "epochs", 1).notes) == 3


def test_what_happens_is_said_before_and_after_the_first_of_them():
    lines, at = [], []

    def waits(schedule, epochs, seed):
        at.append(len(lines))
        time.sleep(1.2 if len(at) == 1 else 0)
        yield from own_training.train(schedule, epochs, seed)

    first_runs(UserFunction(waits), Declaration(), "epochs", 20, lines.append)
    assert at == [1, 2, 2, 2]
    assert lines[0] == "Checking your training in 4 short runs, the first of 1 epoch ..."
    assert re.fullmatch(r"  the first took \d s: about \d+ s to go", lines[1])

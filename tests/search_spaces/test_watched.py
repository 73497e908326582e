"""What code that is not ours does with a schedule: each mistake is one message."""

import time

import pytest
import torch
from torch import nn

from search_spaces import InputError, Linear, Plateau
from search_spaces.step_watch import Left
from search_spaces.watched import WatchedSchedule

SCHEDULE = Linear(peak_lr=0.1, warmup_fraction=0.2)


def make_optimizer(**arguments):
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0, **arguments)


def run(watched, total_steps=10, steps=None, scheduler_steps=1, optimizer=None, other=None):
    """A training loop: every optimizer step is followed by some of the scheduler's."""
    optimizer = optimizer or make_optimizer(momentum=0.9)
    scheduler = watched.build(optimizer, total_steps)
    for _ in range(steps or total_steps):
        optimizer.step()
        for _ in range(scheduler_steps):
            scheduler.step()
        if other:
            other(optimizer)
    watched.finish()


def test_a_schedule_that_is_followed_is_left_alone():
    watched, optimizer = WatchedSchedule(SCHEDULE, exact=True), make_optimizer(momentum=0.9)
    before = time.time()
    scheduler = watched.build(optimizer, 10)
    held = []
    for step in range(10):
        optimizer.step()
        held.append(optimizer.param_groups[0]["lr"])
        assert watched.step == step
        scheduler.step()
    watched.finish()
    assert held == pytest.approx(SCHEDULE.rates(10).tolist(), rel=1e-12)
    noted = WatchedSchedule.note(watched, {"val_error": 0.5})
    assert (noted.step, noted.lr, noted.momentum) == (10, held[-1], 0.9)
    assert watched.peak_lr == 0.1
    begun = watched.begun.plain()
    assert before <= begun.pop("time") <= time.time()
    assert begun == {
        "total_steps": 10,
        "first_lr": pytest.approx(held[0]),
        "last_lr": pytest.approx(held[-1]),
        "peak_lr": (1e-3, 5.0),
        "optimizer_code": "torch.optim.SGD(model.parameters(), lr={lr}, momentum=0.9)",
        "momentum": True,
    }


@pytest.mark.filterwarnings("ignore:.*scheduler.step.*")
def test_a_step_that_mixed_precision_skips_is_no_mistake():
    watched, optimizer = WatchedSchedule(SCHEDULE, exact=True), make_optimizer()
    scheduler = watched.build(optimizer, 10)
    for step in range(10):
        if step not in (0, 1, 5):
            optimizer.step()
        scheduler.step()
    watched.finish()


def test_steps_that_the_scheduler_skips_too_are_missing_at_the_end():
    def train(watched):
        optimizer = make_optimizer()
        scheduler = watched.build(optimizer, 10)
        for _ in range(8):
            optimizer.step()
            scheduler.step()
        watched.finish()

    scaler = torch.amp.GradScaler("cpu")
    train(WatchedSchedule(SCHEDULE, exact=True))
    del scaler
    train(WatchedSchedule(SCHEDULE))  # the first run has shown that it is right, or has seen a scaler
    with pytest.raises(InputError, match="was built for 10 steps, but the run ended after 8: give build"):
        train(WatchedSchedule(SCHEDULE, exact=True))


def set_rate(optimizer):
    optimizer.param_groups[0]["lr"] = 0.5


@pytest.mark.filterwarnings("ignore:.*scheduler.step.*")
@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ({"scheduler_steps": 0}, "scheduler.step() was called 0 times for 1 optimizer steps, in a run of 10"),
        ({"steps": 9}, "the schedule was built for 10 steps, but the run ended after 9: give build the"),
        ({"steps": 11}, "was built for 10 steps, but the optimizer makes more"),
        ({"steps": 5, "scheduler_steps": 2}, "scheduler.step() is called 2 times for each optimizer step"),
        ({"scheduler_steps": 2}, "scheduler.step() was called 12 times for 6 optimizer steps, in a run of 10"),
        ({"other": set_rate}, "the optimizer's rate at step 1 is 0.5, but the schedule's is 0.06667: something else"),
    ],
)
def test_a_schedule_that_is_not_followed(mistake, said):
    for exact in (True, False):
        if mistake == {"steps": 9} and not exact:  # mixed precision may have skipped one
            continue
        with pytest.raises(InputError) as raised:
            run(WatchedSchedule(SCHEDULE, exact=exact), **mistake)
        assert said in str(raised.value)


def test_a_second_scheduler_that_moves_first_has_no_effect():
    """Torch's schedulers go on from what they find; ours sets what the schedule says."""
    optimizer, watched, held = make_optimizer(), WatchedSchedule(SCHEDULE, exact=True), []
    scheduler = watched.build(optimizer, 10)
    other = torch.optim.lr_scheduler.StepLR(optimizer, 2)
    for _ in range(10):
        optimizer.step()
        held.append(optimizer.param_groups[0]["lr"])
        other.step()
        scheduler.step()
    watched.finish()
    assert held == pytest.approx(SCHEDULE.rates(10))


def test_an_optimizer_that_makes_no_step():
    watched = WatchedSchedule(SCHEDULE)
    watched.build(make_optimizer(), 10)
    with pytest.raises(InputError, match="made no step: give the one that trains the model"):
        watched.finish()


def test_a_schedule_that_is_never_used_or_twice():
    with pytest.raises(InputError, match="the schedule was never used: call schedule.build"):
        WatchedSchedule(SCHEDULE).finish()
    watched = WatchedSchedule(SCHEDULE)
    watched.build(make_optimizer(), 10)
    for again in (lambda: watched.build(make_optimizer(), 10), lambda: watched.rates(10)):
        with pytest.raises(InputError, match="built twice in one run"):
            again()
    for steps in (0, 2.5, True, "10"):
        with pytest.raises(InputError, match="total_steps must be a whole number"):
            WatchedSchedule(SCHEDULE).build(make_optimizer(), steps)


def test_evaluations_out_of_place():
    with pytest.raises(InputError, match="before the schedule was built"):
        WatchedSchedule(SCHEDULE).note({"val_error": 0.5})
    watched = WatchedSchedule(SCHEDULE)
    assert watched.rates(10) == [float(rate) for rate in SCHEDULE.rates(10)]
    with pytest.raises(InputError, match="give them, as \\(step, value\\)"):
        watched.note({"val_error": 0.5})
    watched.note({"val_error": 0.5}, 5)
    with pytest.raises(InputError, match="two evaluations at step 5"):
        watched.note({"val_error": 0.5}, 5)
    with pytest.raises(InputError, match="at step 11, but the schedule is built for 10 steps"):
        watched.note({"val_error": 0.5}, 11)
    watched.finish()


def test_a_schedule_that_listens_observes_the_evaluations():
    """The same as observing by hand."""
    schedule = Plateau(peak_lr=0.1, factor=0.5, patience_fraction=0.05, evaluations=10)
    optimizer = make_optimizer()
    watched = WatchedSchedule(schedule, observed=lambda values: values["val_error"])
    scheduler = watched.build(optimizer, 10)
    held = []
    for _ in range(10):
        optimizer.step()
        held.append(optimizer.param_groups[0]["lr"])
        scheduler.step()
        watched.note({"val_error": 1.0})
    assert held == [lr for lr, _ in schedule.simulate(10, [1.0] * 10)]
    assert held[-1] < held[0]


def test_a_first_run_has_a_schedule_for_its_optimizer():
    for optimizer, peak in ((make_optimizer(), 0.0707), (torch.optim.AdamW([nn.Parameter(torch.zeros(1))]), 1e-3)):
        watched = WatchedSchedule(None, exact=True)
        run(watched, 100, optimizer=optimizer)
        assert (watched.schedule.family, watched.schedule.warmup_fraction) == ("linear", 0.1)
        assert watched.peak_lr == pytest.approx(peak, rel=1e-3)
    for use in (lambda watched: watched.rates(10), lambda watched: watched.peak_lr):
        with pytest.raises(InputError, match="give the range of the peak, --peak-lr LOW HIGH"):
            use(WatchedSchedule(None))


def test_a_run_that_is_to_be_left_ends_in_the_next_step():
    with pytest.raises(Left):
        run(WatchedSchedule(SCHEDULE, left=lambda: True))


class Wrapper(torch.optim.Optimizer):
    """As accelerate's AcceleratedOptimizer: an optimizer that another one makes the steps of."""

    def __init__(self, optimizer):
        self.optimizer = optimizer

    @property
    def param_groups(self):
        return self.optimizer.param_groups

    def step(self):
        self.optimizer.step()


def test_the_optimizer_within_another_is_watched():
    watched, inner = WatchedSchedule(SCHEDULE, exact=True), make_optimizer()
    scheduler = watched.build(inner, 10)
    wrapped, other = Wrapper(make_optimizer()), WatchedSchedule(SCHEDULE, exact=True)
    around = other.build(wrapped, 10)
    for _ in range(10):
        inner.step()
        wrapped.step()
        scheduler.step()
        around.step()
    watched.finish()
    other.finish()

"""Properties of every family over the whole searched range, for short and long runs."""

import json
from math import ceil

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from search_spaces import (
    EVERY_FAMILY,
    Constant,
    Cosine,
    InputError,
    OneCycle,
    Plateau,
    WarmRestarts,
    from_params,
    suggest,
)
from search_spaces.families.cycles import LARGEST_CUT, LEAST_CYCLE, fit_cycles
from tests.drawing import PEAK_LR, DrawingTrial, every_family, properties


def drawn(data, family):
    return suggest(DrawingTrial(data), [family], PEAK_LR)


def losses_for(schedule):
    return [1.0] * schedule.evaluations


@every_family
@properties
@given(st.data(), st.integers(1, 400))
def test_rates_stay_above_zero_and_below_the_peak(family, data, total_steps):
    schedule = drawn(data, family)
    try:
        curve = schedule.simulate(total_steps, losses_for(schedule))
    except InputError:
        assume(False)
    assert len(curve) == total_steps
    rates = [lr for lr, _ in curve]
    assert min(rates) > 0
    assert max(rates) <= schedule.peak_lr * (1 + 1e-9)


@every_family
@properties
@given(st.data(), st.integers(10, 400))
def test_the_peak_is_reached(family, data, total_steps):
    schedule = drawn(data, family)
    rates = [lr for lr, _ in schedule.simulate(total_steps)]
    assert max(rates) == pytest.approx(schedule.peak_lr, rel=1e-9)


@every_family
@pytest.mark.parametrize("total_steps", [1, 2, 3, 10])
@properties
@given(data=st.data())
def test_the_shortest_runs_work_or_say_why_not(family, total_steps, data):
    schedule = drawn(data, family)
    if total_steps < schedule.least_steps:
        with pytest.raises(InputError, match=f"{family} needs at least {schedule.least_steps} steps"):
            schedule.simulate(total_steps)
    else:
        assert len(schedule.simulate(total_steps, losses_for(schedule)[:total_steps])) == total_steps


@every_family
@properties
@given(st.data(), st.integers(100, 200))
def test_the_shape_is_the_same_at_four_times_the_length(family, data, total_steps):
    schedule = drawn(data, family)
    first = 4 * total_steps  # length of the first cycle
    end = total_steps - 3
    if hasattr(schedule, "cycles"):  # how many fit may differ, by the stated rule
        growth = getattr(schedule, "t_mult", 1)
        bodies = [schedule.split(steps)[1] for steps in (total_steps, 4 * total_steps)]
        (count, first), (count_of_long, _) = (fit_cycles(body, schedule.cycles, growth) for body in bodies)
        assume(count == count_of_long)
        end -= ceil(LARGEST_CUT * first * growth ** (count - 1))  # what rounding may cut off one of the runs
    short = [lr for lr, _ in schedule.simulate(total_steps)]
    long = [lr for lr, _ in schedule.simulate(4 * total_steps)]
    # The highest rate of exp_range lies at a whole step, and scales all the others; knots lie between two steps.
    exp_range = getattr(schedule, "mode", None) == "exp_range"
    rounding = 1e-2 if exp_range else 5e-2 if hasattr(schedule, "knots") else 1e-9
    for step, lr in enumerate(short[:end]):
        # Rounding moves each phase by a step or two, and by one more for each first length that has gone by.
        slack = 3 + step // first
        near = long[max(0, 4 * (step - slack)) : 4 * (step + slack + 1)]
        assert min(near) * (1 - rounding) <= lr <= max(near) * (1 + rounding), f"step {step}"


@pytest.mark.filterwarnings("ignore:the scheduler has observed no loss")
@every_family
@properties
@given(st.data(), st.integers(3, 60), st.floats(1e-3, 1.0))
def test_parameter_groups_keep_their_ratio(family, data, total_steps, ratio):
    schedule = drawn(data, family)
    try:
        alone = [lr for lr, _ in schedule.simulate(total_steps)]
    except InputError:
        assume(False)
    groups = [{"params": [torch.zeros(1)], "lr": 0.1 * ratio}, {"params": [torch.zeros(1)], "lr": 0.1}]
    optimizer = schedule.optimizer(torch.optim.SGD(groups, momentum=0.9))
    scheduler = schedule.build(optimizer, total_steps)
    for lr in alone:
        small, large = (group["lr"] for group in optimizer.param_groups)
        assert large == pytest.approx(lr, rel=1e-9)
        assert small == pytest.approx(ratio * lr, rel=1e-9)
        optimizer.step()
        scheduler.step()


@every_family
@properties
@given(data=st.data())
def test_stored_parameters_give_the_schedule_back(family, data):
    trial = DrawingTrial(data)
    schedule = suggest(trial, [family], PEAK_LR)
    assert from_params(trial.params) == schedule
    assert from_params(json.loads(json.dumps(trial.params))) == schedule


def test_a_used_optimizer_starts_afresh():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=7.0)
    OneCycle(peak_lr=2.0, cycle_momentum=False).build(optimizer, 10)
    Cosine(peak_lr=0.1).build(optimizer, 10)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1)


@pytest.mark.parametrize("growth", [1, 2])
@given(steps=st.integers(1, 3000), cycles=st.integers(1, 8))
def test_cycles_cover_the_run_and_end_with_it(growth, steps, cycles):
    count, first = fit_cycles(steps, cycles, growth)
    lengths = [first * growth**i for i in range(count)]
    assert 1 <= count <= cycles
    assert 0 <= sum(lengths) - steps <= LARGEST_CUT * lengths[-1]
    assert count == 1 or first >= LEAST_CYCLE


@given(steps=st.integers(100, 3000), cycles=st.integers(2, 5), t_mult=st.sampled_from([1, 2]))
@properties
def test_warm_restarts_end_at_a_minimum(steps, cycles, t_mult):
    rates = [lr for lr, _ in WarmRestarts(peak_lr=1.0, cycles=cycles, t_mult=t_mult).simulate(steps)]
    assert rates[-1] <= 0.1, "a tenth of the cycle cut, and one whole step of at least five, leave less than a tenth"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Constant(peak_lr=0.0), "peak_lr must be above 0 and finite, but 0.0 was given"),
        (lambda: Constant(peak_lr=float("nan")), "peak_lr must be above 0"),
        (lambda: Cosine(peak_lr=1.0, warmup_fraction=1.0), "warmup_fraction must be at least 0 and below 1"),
        (
            lambda: OneCycle(peak_lr=1.0, warmup_fraction=0.1),
            "one_cycle already includes a warm-up: remove warmup_fraction",
        ),
        (lambda: Cosine(peak_lr=1.0, t_max_fraction=0.5), "set floor_ratio above 0, or t_max_fraction to 1"),
        (
            lambda: OneCycle(peak_lr=1.0, anneal_strategy="cosine"),
            "unknown anneal_strategy 'cosine': did you mean 'cos'",
        ),
        (lambda: suggest(None, ["cosin"]), "unknown family 'cosin': did you mean 'cosine'"),
        (lambda: suggest(None, []), "at least one family is needed"),
        (
            lambda: Constant(peak_lr=1.0).simulate(0),
            "total_steps must be a whole number of at least 1, .* but 0 was given",
        ),
    ],
)
def test_bad_values_are_input_errors(make, said):
    with pytest.raises(InputError, match=said):
        make()


@pytest.mark.parametrize("family", ["one_cycle", "cyclic"])
def test_momentum_cannot_be_cycled_where_there_is_none(family):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    with pytest.raises(InputError, match=f"{family} with cycle_momentum=True needs an optimizer with momentum"):
        EVERY_FAMILY[family](peak_lr=1.0, cycle_momentum=True).build(optimizer, 10)
    scheduler = EVERY_FAMILY[family](peak_lr=1.0, cycle_momentum=False).build(optimizer, 10)
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["momentum"] == 0


def test_rates_of_zero_cannot_be_scaled():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.0)
    with pytest.raises(InputError, match="a group with a learning rate above 0"):
        Constant(peak_lr=1.0).build(optimizer, 10)


def test_patience_is_a_share_of_the_evaluations():
    assert Plateau(peak_lr=1.0, patience_fraction=0.3, evaluations=20).arguments(100)["patience"] == 6
    assert Plateau(peak_lr=1.0, patience_fraction=0.05, evaluations=5).arguments(100)["patience"] == 1

"""A run that is already going gets more steps: what it has trained so far is part of the longer run, rate by rate."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from search_spaces import EVERY_FAMILY, WSD, Constant, Cosine, InputError, MultiStep, Plateau, Step, suggest
from tests.drawing import PEAK_LR, DrawingTrial, properties

AT_ANY_TIME = ("constant", "schedule_free", "plateau", "greedy")
"""Families whose scheduler needs no change."""
UNTIL_A_STEP = ("wsd", "step", "multistep")


def rates_of(schedule, total_steps, every=7):
    """The rates of a run; what observes sees a loss that never improves, every few steps."""
    if not schedule.evaluations:
        return schedule.rates(total_steps).tolist()
    return schedule.rates(total_steps, [1.0] * (total_steps // every)).tolist()


@pytest.mark.parametrize("family", [*AT_ANY_TIME, *UNTIL_A_STEP])
@properties
@given(st.data(), st.integers(1, 400), st.integers(0, 1000))
def test_until_the_step_the_rates_are_those_of_the_longer_run(family, data, total_steps, more):
    schedule = suggest(DrawingTrial(data), [family], PEAK_LR)
    if schedule.evaluations:  # evaluations of both runs are at the same steps only for these lengths
        total_steps, more = 7 * total_steps, 7 * more
    until = schedule.extendable_until(total_steps)
    assume(until)
    longer = schedule.prolonged(total_steps, total_steps + more)
    assert rates_of(longer, total_steps + more)[:until] == rates_of(schedule, total_steps)[:until]
    assert longer.warmup_steps(total_steps + more) == schedule.warmup_steps(total_steps)
    assert family in UNTIL_A_STEP or until == total_steps


@pytest.mark.parametrize("family", UNTIL_A_STEP)
@properties
@given(st.data(), st.integers(20, 400))
def test_after_the_step_they_are_not(family, data, total_steps):
    """So a run that has gone further cannot be prolonged: the step is the last one, to within one."""
    schedule = suggest(DrawingTrial(data), [family], PEAK_LR)
    until = schedule.extendable_until(total_steps)
    assume(0 < until < total_steps - 2)
    longer = schedule.prolonged(total_steps, 10 * total_steps)
    assert rates_of(longer, 10 * total_steps)[: until + 2] != rates_of(schedule, total_steps)[: until + 2]


@pytest.mark.parametrize("family", [name for name in EVERY_FAMILY if name not in (*AT_ANY_TIME, *UNTIL_A_STEP)])
def test_others_depend_on_the_length_from_the_start(family):
    schedule = EVERY_FAMILY[family](peak_lr=0.1)
    assert schedule.extendable_until(200) == 0
    assert rates_of(schedule, 200)[:20] != rates_of(schedule, 400)[:20]
    with pytest.raises(InputError, match=f"a run with {family} cannot be prolonged: its rates depend on its length"):
        schedule.prolonged(200, 400)


@pytest.mark.parametrize(
    ("schedule", "until"),
    [
        (WSD(peak_lr=1.0, warmup_fraction=0.1, cooldown_fraction=0.2), 100 + 720),
        (WSD(peak_lr=1.0, cooldown_fraction=1.0), 0),
        (Step(peak_lr=1.0, step_size_fraction=0.25), 250),
        (MultiStep(peak_lr=1.0, warmup_fraction=0.1, first_drop_fraction=0.5), 100 + 450),
        (Constant(peak_lr=1.0, warmup_fraction=0.1), 1000),
        (Plateau(peak_lr=1.0), 1000),
        (Cosine(peak_lr=1.0), 0),
    ],
)
def test_the_step_by_hand(schedule, until):
    assert schedule.extendable_until(1000) == until


def test_the_cool_down_moves_to_the_new_end():
    schedule = WSD(peak_lr=1.0, warmup_fraction=0.1, cooldown_fraction=0.2, shape="linear")
    rates = rates_of(schedule.prolonged(1000, 2100), 2100)
    assert rates[99:1700] == [100 / 101] + [1.0] * 1600
    assert rates[1701] < 1
    assert rates[-1] == pytest.approx(1 / 400)


def test_a_run_does_not_become_shorter():
    with pytest.raises(InputError, match="a run of 1000 steps can only become longer, but 999 was given"):
        WSD(peak_lr=1.0).prolonged(1000, 999)

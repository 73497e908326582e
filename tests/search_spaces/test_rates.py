"""The rates from formulas against those that torch's schedulers set, step by step."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from search_spaces import EVERY_FAMILY, Constant, Cosine, InputError, OneCycle, Plateau, suggest
from tests.drawing import PEAK_LR, DrawingTrial, every_family, properties


def assert_as_simulated(schedule, total_steps, losses=()):
    """Both give the same rates, to 1e-12 of the peak and to 1e-12."""
    simulated = [lr for lr, _ in schedule.simulate(total_steps, losses)]
    rates = schedule.rates(total_steps, losses if schedule.evaluations else None)
    assert (rates.dtype, rates.shape) == (np.float64, (total_steps,))
    np.testing.assert_allclose(rates, simulated, rtol=0, atol=1e-12 * min(1.0, schedule.peak_lr))


def draw_losses(data, schedule, total_steps):
    """As many as the schedule observes, or fewer; NaN and infinity too, of a run that diverges."""
    most = min(schedule.evaluations, total_steps)
    values = st.sampled_from([1.0, 0.9, 0.5]) | st.floats(0, 10) | st.sampled_from([float("nan"), float("inf")])
    return data.draw(st.lists(values, max_size=most), label="losses")


@every_family
@properties
@given(st.data(), st.integers(1, 4) | st.integers(5, 400))
def test_rates_are_what_torch_sets(family, data, total_steps):
    schedule = suggest(DrawingTrial(data), [family], PEAK_LR)
    assume(total_steps >= schedule.least_steps)
    assert_as_simulated(schedule, total_steps, draw_losses(data, schedule, total_steps))


@pytest.mark.parametrize("total_steps", [1, 2, 30])
@pytest.mark.parametrize("family", [cls for cls in EVERY_FAMILY.values() if not cls.has_own_warmup])
def test_a_warm_up_leaves_one_step_of_the_body(family, total_steps):
    """Rounded, it would be as long as the run."""
    schedule = family(peak_lr=0.3, warmup_fraction=0.99)
    assert_as_simulated(schedule, total_steps, [1.0] * min(total_steps, schedule.evaluations))
    losses = [] if schedule.evaluations else None
    assert schedule.rates(total_steps, losses)[-1] == pytest.approx(0.3)


@pytest.mark.parametrize("t_max_fraction", [0.001, 0.1, 0.3, 0.5, 0.999])
def test_cosine_rises_again_as_torch_s_does(t_max_fraction):
    """Here torch's own rounding exceeds the tolerance: the closed form would fail. The least T_max is 1 step."""
    schedule = Cosine(peak_lr=1.0, t_max_fraction=t_max_fraction, floor_ratio=0.3)
    for total_steps in (1000, 5000):
        assert_as_simulated(schedule, total_steps)


def test_plateau_needs_losses_and_only_plateau_takes_them():
    with pytest.raises(InputError, match="plateau observes validation losses: give losses, one for each evaluation"):
        Plateau(peak_lr=1.0).rates(100)
    with pytest.raises(InputError, match="at most 3 losses can be observed, but 4 was given"):
        Plateau(peak_lr=1.0).rates(3, [1.0] * 4)
    with pytest.raises(InputError, match="constant does not observe losses: remove losses"):
        Constant(peak_lr=1.0).rates(100, [1.0])
    assert Plateau(peak_lr=1.0).rates(3, []).tolist() == [1.0, 1.0, 1.0]


def test_a_run_that_is_too_short_has_no_rates():
    with pytest.raises(InputError, match="total_steps must be a whole number of at least 1"):
        Constant(peak_lr=1.0).rates(0)
    with pytest.raises(InputError, match="one_cycle needs at least 3 steps"):
        OneCycle(peak_lr=1.0).rates(2)

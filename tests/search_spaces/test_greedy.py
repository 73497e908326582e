"""Greedy against transformers' GreedyLR, given the same losses."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Greedy
from tests.drawing import properties

LOSSES = [1.0, 0.9, 0.8, 0.8, 0.9, 0.8, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.2, 0.3, 0.3, 0.3, 0.3, 0.3, 0.1]


def as_transformers_has_it(schedule, losses):
    """The rate after each loss."""
    optimization = pytest.importorskip("transformers.optimization", reason="needs the extra examples")
    if not hasattr(optimization, "GreedyLR"):
        pytest.skip("this version of transformers has no GreedyLR")
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=schedule.peak_lr)
    scheduler = optimization.GreedyLR(
        optimizer,
        factor=schedule.factor,
        patience=schedule.arguments(1)["patience"],
        threshold=schedule.threshold,
        threshold_mode="rel",
        min_lr=schedule.floor_ratio * schedule.peak_lr,
        max_lr=schedule.peak_lr,
        eps=0.0,
        reset_start=10**9,
    )
    rates = []
    for loss in losses:
        scheduler.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


@properties
@given(
    st.lists(st.sampled_from([1.0, 0.9, 0.5]) | st.floats(-1, 10) | st.just(float("nan")), max_size=40),
    st.floats(0.3, 0.99),
    st.floats(0.01, 0.2),
    st.sampled_from([0.0, 0.1]),
    st.sampled_from([0.0, 1e-6, 0.1]),
)
def test_it_is_transformers_greedy_lr(losses, factor, patience_fraction, floor_ratio, threshold):
    parameters = {"factor": factor, "floor_ratio": floor_ratio, "threshold": threshold}
    schedule = Greedy(peak_lr=0.3, patience_fraction=patience_fraction, **parameters)
    expected = [0.3, *as_transformers_has_it(schedule, losses)]
    steps = len(losses) + 1
    assert [lr for lr, _ in schedule.simulate(steps, [*losses, 0.0])] == pytest.approx(expected, rel=1e-12)
    assert schedule.rates(steps, [*losses, 0.0]).tolist() == pytest.approx(expected, rel=1e-12)


def test_the_rate_falls_and_rises_by_hand():
    """Patience 1: the second loss in a row that improves, or does not, changes the rate, and the count begins anew."""
    rates = Greedy(peak_lr=1.0, factor=0.5, patience_fraction=0.05, evaluations=20).rates(20, LOSSES)
    assert rates.tolist() == [1, 1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.5, 0.5, 1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]


@pytest.mark.parametrize("total_steps", [20, 60])
def test_what_was_observed_counts_when_a_run_goes_on(total_steps):
    """Also in a longer one: the rate, the best loss, and the losses in a row."""

    def built(steps):
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
        schedule = Greedy(peak_lr=1.0, factor=0.5, patience_fraction=0.05, evaluations=20)
        return optimizer, schedule.build(optimizer, steps)

    def rates_after(optimizer, scheduler, losses):
        rates = []
        for loss in losses:
            optimizer.step()
            scheduler.step()
            scheduler.observe(loss)
            rates.append(optimizer.param_groups[0]["lr"])
        return rates

    whole = rates_after(*built(20), LOSSES)
    optimizer, scheduler = built(20)
    rates_after(optimizer, scheduler, LOSSES[:8])
    states = optimizer.state_dict(), scheduler.state_dict()
    optimizer, scheduler = built(total_steps)
    optimizer.load_state_dict(states[0])
    scheduler.load_state_dict(states[1])
    assert rates_after(optimizer, scheduler, LOSSES[8:]) == whole[8:]

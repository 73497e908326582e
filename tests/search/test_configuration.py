"""The lengths of a trial's runs, and the available pruners."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import InputError
from study.search.configuration import PRUNERS, Configuration, budgets
from study.search.pruners import make_pruner


@given(
    epochs=st.integers(1, 1000),
    fractions=st.lists(st.floats(0.01, 0.5), min_size=1, max_size=3),
    least=st.integers(1, 10),
)
def test_every_run_is_as_long_as_it_should_be_whatever_the_epochs(epochs, fractions, least):
    *rungs, full = budgets(fractions, epochs, least)
    asked = {int(fraction * epochs) for fraction in fractions}
    assert full == epochs
    assert rungs == sorted(set(rungs))
    assert all(least <= rung <= epochs / 2 for rung in rungs)
    assert {rung for rung in asked if rung >= least} <= set(rungs) <= asked | {least}


def test_a_rung_of_exactly_half_a_run_is_tried_a_longer_one_is_left_out():
    """As the help of --least-steps says."""
    assert Configuration(epochs=20, least_steps=500, rung_fractions=(0.1,)).budgets(50) == [10, 20]
    assert Configuration(epochs=20, least_steps=501, rung_fractions=(0.1,)).budgets(50) == [20]


def test_names():
    """Without a pruner no run is pruned before its end; horizon is a strategy of its own."""
    made = [type(make_pruner(name, 20)).__name__ for name in PRUNERS if name != "horizon"]
    assert made == ["MedianPruner", "HyperbandPruner", "SuccessiveHalvingPruner", "NopPruner"]
    with pytest.raises(InputError, match="unknown pruner 'horizn': did you mean 'horizon'"):
        Configuration(pruner="horizn")
    with pytest.raises(InputError, match="unknown pruner 'horizon'"):
        make_pruner("horizon", 20)

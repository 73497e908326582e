"""The rule between rungs, and their lengths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import InputError
from study.search.pruners import PRUNERS, horizons, make_pruner, worst_to_go_on


@given(st.lists(st.integers(0, 50).map(lambda i: i / 50), min_size=1, max_size=40), st.integers(2, 5))
def test_the_best_part_goes_on(values, reduction):
    worst = worst_to_go_on(values, reduction)
    for value in values:
        ahead = sum(other < value for other in values)
        assert (value <= worst) == (ahead < max(1, len(values) // reduction))


def test_the_order_does_not_matter():
    values = [0.5, 0.1, 0.3, 0.2, 0.4, 0.6]
    assert worst_to_go_on(values, 3) == worst_to_go_on(values[::-1], 3) == 0.2


@given(
    epochs=st.integers(1, 1000),
    fractions=st.lists(st.floats(0.01, 0.5), min_size=1, max_size=3),
    least=st.integers(1, 10),
)
def test_every_run_is_as_long_as_it_should_be_whatever_the_epochs(epochs, fractions, least):
    *rungs, full = horizons(fractions, epochs, least)
    asked = {int(fraction * epochs) for fraction in fractions}
    assert full == epochs
    assert rungs == sorted(set(rungs))
    assert all(least <= rung <= epochs / 2 for rung in rungs)
    assert {rung for rung in asked if rung >= least} <= set(rungs) <= asked | {least}


def test_names():
    """Horizon and none judge no run before its end."""
    made = [type(make_pruner(name, 20)).__name__ for name in PRUNERS]
    assert made == ["NopPruner", "MedianPruner", "HyperbandPruner", "SuccessiveHalvingPruner", "NopPruner"]
    with pytest.raises(InputError, match="unknown pruner 'horizn': did you mean 'horizon'"):
        make_pruner("horizn", 20)

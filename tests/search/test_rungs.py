"""The rule between rungs."""

from hypothesis import given
from hypothesis import strategies as st

from study.search.rungs import worst_to_promote


@given(st.lists(st.integers(0, 50).map(lambda i: i / 50), min_size=1, max_size=40), st.integers(2, 5))
def test_the_best_part_is_promoted(values, reduction):
    worst = worst_to_promote(values, reduction)
    for value in values:
        ahead = sum(other < value for other in values)
        assert (value <= worst) == (ahead < max(1, len(values) // reduction))


def test_the_order_does_not_matter():
    values = [0.5, 0.1, 0.3, 0.2, 0.4, 0.6]
    assert worst_to_promote(values, 3) == worst_to_promote(values[::-1], 3) == 0.2

"""Edges: parameters whose best values crowd at an end of their range."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from study.analysis.edges import edge_warnings
from tests.example_studies import ended, ranged

away_from_the_limit = st.floats(0, 1).filter(lambda share: min(abs(share - 0.05), abs(share - 0.95)) > 1e-6)


@given(st.lists(away_from_the_limit, min_size=4, max_size=5), st.booleans())
@example([0.0, 0.0, 0.5, 0.5], True)
@example([1.0, 1.0, 1.0, 0.0, 0.0], False)
def test_an_edge_is_named_if_more_than_half_lie_there(shares, log):
    """Of up to five trials, each put at a known share of its range."""
    name, low, high = ("peak_lr", 1e-3, 5.0) if log else ("cosine.floor_ratio", 0.0, 0.3)
    values = [low * (high / low) ** share if log else low + (high - low) * share for share in shares]
    lines = edge_warnings(ranged(ended(0.5, params={name: min(max(value, low), high)}) for value in values))
    n, at_low, at_high = len(shares), sum(share < 0.05 for share in shares), sum(share > 0.95 for share in shares)
    crowded = [at_low * 2 > n, at_high * 2 > n]
    assert len(lines) == sum(crowded)
    for line in lines:
        assert f": {max(at_low, at_high)} of the best {n} trials lie within 5% of its" in line
        assert [f"lower end, {low:g}" in line, f"upper end, {high:g}" in line] == crowded


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1), ("maximize", -1)])
def test_the_best_came_furthest_and_are_a_tenth(direction, sign):
    """Sixty trials: six are looked at, the complete ones, which are worse than the pruned ones' short runs."""
    middle, end = {"family": "rex", "peak_lr": 0.07}, {"family": "rex", "peak_lr": 4.9}
    pruned = [ended(sign * 0.1, params=middle)] * 50
    rows = [
        *pruned,
        *[ended(sign * 0.3, sign * 0.4, params=end)] * 4,
        *[ended(sign * 0.3, sign * 0.4, params=middle)] * 2,
    ]
    rows += [ended(sign * 0.3, sign * 0.5, params=middle)] * 4
    assert edge_warnings(ranged(rows, direction)) == [
        "peak_lr: 4 of the best 6 trials lie within 5% of its upper end, 5 (range 0.001 to 5, log scale): "
        "the optimum may lie outside; consider widening the range"
    ]
    assert not edge_warnings(ranged(rows[1:52] + rows[54:], direction)), "two of six"
    diverged = [ended(sign * 0.0, sign * 0.0, params=end, diverged=True)] * 6
    assert not edge_warnings(ranged([*diverged, *pruned], direction))


def test_audited_trials_are_not_looked_at():
    """They came as far as the best, but pruning had left them."""
    end, middle = {"peak_lr": 4.9}, {"peak_lr": 0.07}
    rows = [ended(0.5, 0.4, params=middle)] * 5
    assert edge_warnings(ranged([*rows, *[ended(0.6, 0.1, params=end)] * 5]))
    assert not edge_warnings(ranged([*rows, *[ended(0.6, 0.1, params=end, audited_from=2)] * 5]))


def test_four_must_have_a_parameter():
    with_floor, without = ended(0.1, params={"cosine.floor_ratio": 0.0}), ended(0.1, params={"peak_lr": 0.07})
    assert not edge_warnings(ranged([with_floor] * 3 + [without] * 2))
    (line,) = edge_warnings(ranged([with_floor] * 4 + [without]))
    assert line.startswith(
        "cosine.floor_ratio: 4 of the best 4 trials that have it lie within 5% of its lower end, 0 ("
    )


def test_categories_and_short_ranges_have_no_edges():
    assert not edge_warnings(ranged([ended(0.1, params={"family": "rex", "drops": 4})] * 5))
    (line,) = edge_warnings(ranged([ended(0.1, params={"cycles": 8})] * 5))
    assert "upper end, 8 (range 2 to 8):" in line

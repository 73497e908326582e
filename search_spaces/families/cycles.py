"""Whole cycles in whole steps: torch's cyclic schedulers count in integers, and a run should end at a minimum."""

LEAST_CYCLE = 5
"""Steps of the shortest cycle: with fewer, a cycle has no shape left."""
LARGEST_CUT = 0.1
"""Share of the last cycle that rounding may cut off."""


def fit_cycles(steps: int, cycles: int, growth: int = 1) -> tuple[int, int]:
    """How many cycles fit, and the length of the first, so that the run ends at the end of a cycle.

    Each cycle is `growth` times as long as the one before. The first length is rounded up, so that rounding cuts the
    last cycle short and never adds the start of another. As many of the wanted cycles are kept as leave the first at
    least LEAST_CYCLE steps and lose at most LARGEST_CUT of the last.

    >>> fit_cycles(1000, 4)
    (4, 250)
    >>> fit_cycles(1000, 3, growth=2)
    (3, 143)
    >>> fit_cycles(12, 4)
    (2, 6)
    """
    for count in range(min(cycles, steps // LEAST_CYCLE), 1, -1):
        units = sum(growth**i for i in range(count))
        first = -(-steps // units)
        cut = units * first - steps
        if first >= LEAST_CYCLE and cut <= LARGEST_CUT * first * growth ** (count - 1):
            return count, first
    return 1, steps

"""Fits whole cycles into a run: torch's cyclic schedulers count integer steps, and a run should end at a minimum."""

LEAST_CYCLE = 5
"""Minimum length of a cycle in steps; a shorter one has no recognizable shape."""
LARGEST_CUT = 0.1
"""Maximum fraction of the last cycle that rounding may cut off."""


def fit_cycles(steps: int, cycles: int, growth: int = 1) -> tuple[int, int]:
    """(number of cycles, length of the first in steps) such that the run of `steps` ends at the end of a cycle.

    Each cycle is `growth` times as long as the previous one. The first length is rounded up, so that rounding shortens
    the last cycle instead of starting another. The result has the largest number of cycles, at most `cycles`, whose
    first cycle has at least LEAST_CYCLE steps and whose last cycle loses at most LARGEST_CUT of its length.

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

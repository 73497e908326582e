"""Divergence: detects runs whose loss blew up."""

from __future__ import annotations

from collections.abc import Mapping

EXPLODED = 1000.0
"""A run has diverged if its loss exceeds that of its first step by more than EXPLODED times the first one's size."""


class Divergence:
    """Holds the highest loss that each run may have. Runs are identified by their index."""

    def __init__(self, first_losses: Mapping[int, float]) -> None:
        """first_losses: the loss of each run before its first step, by index; it may be negative."""
        self.highest = {run: loss + EXPLODED * abs(loss) for run, loss in first_losses.items()}

    def has(self, run: int, loss: float) -> bool:
        """Whether the run has diverged, given its current loss; NaN counts as diverged."""
        return not loss <= self.highest[run]

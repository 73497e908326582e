"""Divergence: which runs of a cohort have a loss that blew up."""

from __future__ import annotations

from collections.abc import Mapping

EXPLODED = 1000.0
"""A run has diverged if its loss exceeds that of its first step by more than this many times its size."""


class Divergence:
    """Keeps the highest loss that each run may have. Runs are known by their index."""

    def __init__(self, first_losses: Mapping[int, float]) -> None:
        """first_losses: of each run before its first step, by its index; one may be negative."""
        self.highest = {run: loss + EXPLODED * abs(loss) for run, loss in first_losses.items()}

    def has(self, run: int, loss: float) -> bool:
        """Whether this loss means that the run has diverged, as NaN does."""
        return not loss <= self.highest[run]

"""Runs whose training failed: one is recorded and the search continues, several in a row stop it."""

from __future__ import annotations

from search_spaces.errors import InputError
from study.objective import Evaluation

MOST = 3
"""Failures in a row that stop a search: it is the training that fails then, not a schedule that is too hot."""


class Failures:
    """Counts failed runs in a row, in the order in which runs end."""

    def __init__(self) -> None:
        self.in_a_row = 0

    def count(self, evaluation: Evaluation) -> None:
        """Take in an evaluation; raises InputError if it ends the last of several failed runs in a row."""
        if evaluation.last:
            self.in_a_row = self.in_a_row + 1 if evaluation.failure else 0
        if self.in_a_row >= MOST:
            raise InputError(f"{MOST} runs in a row failed, the last with: {evaluation.failure}")

"""Runs whose training failed: one is recorded and the search continues, several in a row stop it."""

from __future__ import annotations

from fractions import Fraction

from search_spaces.errors import InputError
from study.objective import Evaluation

MOST = 3
"""Failures in a row that stop a search: it is the training that fails then, not a schedule that is too hot."""


class Failures:
    """Counts failed runs in a row, in the order in which runs end. A cohort that fails as a whole counts as one run."""

    def __init__(self) -> None:
        self.in_a_row, self.at_first, self.all_failed, self.last = Fraction(), Fraction(), True, ""

    def count(self, evaluation: Evaluation) -> None:
        """Take in an evaluation; raises InputError if it ends the last of several failed runs in a row."""
        if evaluation.failure:
            self.in_a_row, self.last = self.in_a_row + Fraction(1, evaluation.cohort), evaluation.failure
            self.at_first = self.in_a_row if self.all_failed else self.at_first
            check(self.in_a_row, self.last)
        elif evaluation.last:
            self.in_a_row, self.all_failed = Fraction(), False

    def follow(self, earlier: Failures) -> None:
        """Count on from runs that come before these in the study, although these have begun without them.

        Raises InputError if several failed runs in a row are partly of these and partly of those.
        """
        check(earlier.in_a_row + self.at_first, self.last or earlier.last)
        if self.all_failed:
            self.in_a_row, self.last = self.in_a_row + earlier.in_a_row, self.last or earlier.last


def check(in_a_row: Fraction, last: str) -> None:
    """Raise InputError after this many failed runs in a row, if these are too many. last: why the last one failed."""
    if in_a_row >= MOST:
        raise InputError(f"{MOST} runs in a row failed, the last with: {last}")

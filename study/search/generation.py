"""A generation: the trials that compete for the longer rungs, and what they have cost up to now."""

from __future__ import annotations

from dataclasses import dataclass, field

from study.search.candidate import Candidate


@dataclass
class Generation:
    """The trials that compete for the longer rungs.

    stored_before: positions that an earlier start of the search has stored. finished: whether all of them are stored.
    """

    number: int
    size: int
    stored_before: frozenset[int] = frozenset()
    candidates: list[Candidate] = field(default_factory=list)
    finished: bool = False

    @property
    def tried(self) -> int:
        """How many have begun, of those that were not stored at the start."""
        return sum(bool(candidate.evaluations) for candidate in self.on_their_way)

    @property
    def epochs_trained(self) -> float:
        """Of the same, over all rungs, up to now."""
        return sum(sum(candidate.epochs_used.values()) for candidate in self.on_their_way)

    @property
    def epochs_loaded(self) -> float:
        """Which of these an earlier start trained."""
        return sum(candidate.epochs_loaded for candidate in self.on_their_way)

    @property
    def on_their_way(self) -> list[Candidate]:
        """The candidates that were not stored when this start began."""
        return [candidate for candidate in self.candidates if candidate.position not in self.stored_before]

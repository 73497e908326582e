"""Repeats: for how many search seeds something is measured, and where the result goes; the flags load no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from search_spaces.errors import require_at_least


@dataclass(frozen=True)
class Repeats:
    """How often, and where the result goes."""

    search_seeds: int = 20
    """Searches."""
    first_search_seed: int = 0
    """Sampler seed of the first search; the others follow it."""
    processes: int = 2
    """Searches at a time, with one thread each."""
    output: Path = Path("results/search")
    """Folder for the table (.md), the rows (.csv) and the manifest (.json)."""
    rebuild: bool = False
    """Write the table again from the rows that are there, without searching."""

    def __post_init__(self) -> None:
        require_at_least(2, self, "search_seeds")
        require_at_least(1, self, "processes")
        require_at_least(0, self, "first_search_seed")

    @property
    def seeds(self) -> range:
        """The search seeds."""
        return range(self.first_search_seed, self.first_search_seed + self.search_seeds)

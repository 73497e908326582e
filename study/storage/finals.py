"""What was trained again to confirm the answer of a search, as typed values; see `search/finals.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import mean
from typing import Any, NamedTuple

from study.storage.typed import as_tuple


class FinalRun(NamedTuple):
    """A full run of a trial's schedule with a fresh seed.

    validation: the metric at its end; the worst if it diverged. test: the same on the test rows; None if these were not
    used, if the objective has none, or if the run diverged. raw: `validation` of the weights that are not averaged, if
    they are averaged.
    """

    trial: int
    seed: int
    validation: float
    test: float | None
    raw: float | None = None

    @property
    def stored(self) -> list[Any]:
        """As it is stored."""
        return list(self if self.raw is not None else self[:-1])


@dataclass(frozen=True)
class Finals:
    """The finals of a search: which trials were trained again, with which seeds, and what that gave.

    finalists: trials of which the winner is chosen, by their mean validation values over `selection_seeds`. references:
    trials of the reference, of which its best peak is chosen in the same way. winner, reference: those chosen; None
    until that is known, or if there are none to choose from. seeds: winner and reference are evaluated on test with
    these. runs: those that have ended, of earlier finals too. trials: that the study had; None if it was not kept.
    """

    finalists: tuple[int, ...]
    references: tuple[int, ...]
    selection_seeds: tuple[int, ...]
    seeds: tuple[int, ...]
    winner: int | None = None
    reference: int | None = None
    runs: tuple[FinalRun, ...] = ()
    trials: int | None = None

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Finals:
        """From the attribute of a study."""
        runs = tuple(FinalRun(*as_tuple(run)) for run in as_tuple(stored["runs"]))
        return cls(
            finalists=as_tuple(stored["finalists"]),
            references=as_tuple(stored["references"]),
            selection_seeds=as_tuple(stored["selection_seeds"]),
            seeds=as_tuple(stored["seeds"]),
            winner=stored["winner"],
            reference=stored["reference"],
            runs=runs,
            trials=stored.get("trials"),
        )

    @property
    def record(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self) | {"runs": [run.stored for run in self.runs]}  # as JSON: tuples become lists

    @property
    def trials_named(self) -> set[int]:
        """The numbers of all trials that are named."""
        return {*self.finalists, *self.references, *self.chosen, *(run.trial for run in self.runs)}

    def of(self, trial: int, seeds: tuple[int, ...]) -> list[FinalRun]:
        """The trial's runs with these seeds, in their order, as far as they have ended."""
        ended = {run.seed: run for run in self.runs if run.trial == trial}
        return [ended[seed] for seed in seeds if seed in ended]

    def mean_validation(self, trial: int) -> float:
        """The trial's mean validation value over the seeds that choose, with which it must have been trained."""
        return mean(run.validation for run in self.of(trial, self.selection_seeds))

    @property
    def done(self) -> bool:
        """Whether everything has been trained."""
        groups = ((self.finalists, self.winner), (self.references, self.reference))
        chosen = all(one is not None for group, one in groups if group)
        return chosen and all(len(self.of(trial, self.seeds)) == len(self.seeds) for trial in self.chosen)

    @property
    def chosen(self) -> list[int]:
        """Winner and reference, as far as there are any."""
        return [trial for trial in (self.winner, self.reference) if trial is not None]

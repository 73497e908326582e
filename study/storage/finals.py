"""What was trained again to confirm the answer of a search, as typed values; see `search/finals.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import mean
from typing import Any, NamedTuple

from study.storage.typed import as_tuple

FEWEST_LEFT = 2
"""Seeds that must be left if runs with others failed: with fewer there is no interval, and nothing is confirmed."""


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


class FailedRun(NamedTuple):
    """A full run of a trial's schedule with a fresh seed whose training failed, so that it has no result.

    failure: why, as in an `Evaluation`. A run that diverges has not failed.
    """

    trial: int
    seed: int
    failure: str


@dataclass(frozen=True)
class Finals:
    """The finals of a search: which trials were trained again, with which seeds, and what that gave.

    finalists: trials of which the winner is chosen, by their mean validation values over `selection_seeds`. references:
    trials of the reference, of which its best peak is chosen in the same way. winner, reference: those chosen; None
    until that is known, or if there are none to choose from. seeds: winner and reference are evaluated on test with
    these. runs: those that have ended, of earlier finals too. trials: that the study had; None if it was not kept.
    failed: runs that failed when they were last trained, which the next start trains again.
    """

    finalists: tuple[int, ...]
    references: tuple[int, ...]
    selection_seeds: tuple[int, ...]
    seeds: tuple[int, ...]
    winner: int | None = None
    reference: int | None = None
    runs: tuple[FinalRun, ...] = ()
    trials: int | None = None
    failed: tuple[FailedRun, ...] = ()

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
            failed=tuple(FailedRun(*as_tuple(run)) for run in as_tuple(stored.get("failed", ()))),
        )

    @property
    def record(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self) | {"runs": [run.stored for run in self.runs]}  # as JSON: tuples become lists

    @property
    def trials_named(self) -> set[int]:
        """The numbers of all trials that are named."""
        again = {run.trial for run in self.runs} | {run.trial for run in self.failed}
        return {*self.finalists, *self.references, *self.chosen, *again}

    def after(self, run: FinalRun | FailedRun) -> Finals:
        """The same, once this run has ended or failed."""
        others = tuple(one for one in self.failed if (one.trial, one.seed) != (run.trial, run.seed))
        if isinstance(run, FailedRun):
            return replace(self, failed=(*others, run))
        return replace(self, failed=others, runs=(*self.runs, run))

    def of(self, trial: int, seeds: tuple[int, ...]) -> list[FinalRun]:
        """The trial's runs with these seeds, in their order, as far as they have ended."""
        ended = {run.seed: run for run in self.runs if run.trial == trial}
        return [ended[seed] for seed in seeds if seed in ended]

    def shared(self, trials: Sequence[int], seeds: tuple[int, ...]) -> tuple[int, ...]:
        """Those of these seeds with which the runs of all these trials have ended."""
        ended = {(run.trial, run.seed) for run in self.runs}
        return tuple(seed for seed in seeds if all((trial, seed) in ended for trial in trials))

    def mean_validation(self, trial: int) -> float:
        """The trial's mean validation value over the seeds that choose, with some of which its runs have ended."""
        return mean(run.validation for run in self.of(trial, self.selection_seeds))

    def ranked(self, trials: Sequence[int], sign: int) -> list[int]:
        """The trials by mean validation value over the seeds that choose, the best first, equal ones in their order.

        sign: of the metric. The means are over the seeds with which the runs of all of them have ended, if there are
        such seeds; trials whose runs all failed are left out.
        """
        ended = [trial for trial in trials if self.of(trial, self.selection_seeds)]
        over = replace(self, selection_seeds=self.shared(ended, self.selection_seeds) or self.selection_seeds)
        return sorted(ended, key=lambda trial: sign * over.mean_validation(trial))

    @property
    def competing(self) -> list[int]:
        """The trials that are trained to choose winner and reference: a group of one needs no choice."""
        return [trial for group in (self.finalists, self.references) if len(group) > 1 for trial in group]

    @property
    def places(self) -> list[tuple[int, int]]:
        """Trial and seed of each run that the finals need, as far as it is known what is chosen."""
        choosing = [(trial, seed) for trial in self.competing for seed in self.selection_seeds]
        return choosing + [(trial, seed) for trial in self.chosen for seed in self.seeds]

    @property
    def lost(self) -> list[FailedRun]:
        """The runs that the finals need and that failed."""
        return [run for run in self.failed if (run.trial, run.seed) in self.places]

    @property
    def decided(self) -> bool:
        """Whether winner and reference are chosen, as far as there are any to choose from."""
        groups = ((self.finalists, self.winner), (self.references, self.reference))
        return all(one is not None for group, one in groups if group)

    @property
    def done(self) -> bool:
        """Whether everything has been trained, and nothing failed."""
        return self.decided and set(self.places) <= {(run.trial, run.seed) for run in self.runs}

    @property
    def ended(self) -> bool:
        """Whether everything has been trained that did not fail, so far as it is known what is chosen."""
        left = set(self.places) - {(run.trial, run.seed) for run in self.runs}
        return left <= {(run.trial, run.seed) for run in self.failed}

    @property
    def chosen(self) -> list[int]:
        """Winner and reference, as far as there are any."""
        return [trial for trial in (self.winner, self.reference) if trial is not None]

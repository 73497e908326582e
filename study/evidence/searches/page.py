"""The page of a comparison of searches: how to read it, a table of all workloads, and one for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import median
from typing import Any

from study.evidence.searches.arms import ARMS
from study.evidence.searches.evaluated_search import EvaluatedSearch
from study.evidence.searches.tables import of_workload, table_after, table_equal, table_overall
from study.evidence.searches.testbed import Testbed
from study.search.configuration import Configuration

CHANGED = {name for arms in ARMS.values() for changes in arms.values() for name in changes}
BASE = [field.name for field in fields(Configuration) if field.name in CHANGED - {"pruner"}]
"""The settings that any arm changes, except the pruner, which is `horizon` unless the arm sets another."""


@dataclass(frozen=True)
class SearchComparison:
    """Arms compared over search seeds, on one workload or several.

    compare: what is compared. base: the search that the arms change. trials: per search. rows: one per search.
    testbeds: by the workload name in the rows.
    """

    compare: str
    base: Configuration
    arms: Sequence[str]
    trials: int
    search_seeds: int
    first_search_seed: int
    rows: Sequence[EvaluatedSearch]
    testbeds: Mapping[str, Testbed]

    @property
    def best(self) -> dict[str, float]:
        """The test error of the best known schedule, by workload."""
        return {
            name: min(schedule.mean_test for schedule in one.recorded.schedules)
            if one.recorded
            else min(found.error for row in of_workload(self.rows, name) for found in row.incumbents)
            for name, one in self.testbeds.items()
        }

    @property
    def full_epochs(self) -> dict[str, float]:
        """The epochs of an unpruned search, by workload."""
        return {name: float(self.trials * one.configuration.epochs) for name, one in self.testbeds.items()}

    def page(self, equal_epochs: bool) -> str:
        """Markdown. equal_epochs: whether the searches continued until all had spent the same number of epochs."""
        best, full = self.best, self.full_epochs
        text = [f"# {self.compare.capitalize()} compared", "", self.legend, ""]
        if len(self.testbeds) > 1:
            text += ["## All workloads", "", table_overall(self.rows, self.arms, best, full, equal_epochs), ""]
        for name, one in self.testbeds.items():
            own = of_workload(self.rows, name)
            text += [f"## {name}", "", about(one, best[name]), ""]
            text += [f"After {self.trials} trials:", "", table_after(own, self.arms, best[name], full[name]), ""]
            if equal_epochs:
                text += ["At equal epochs:", "", table_equal(own, self.arms, best[name], full[name]), ""]
        return "\n".join(text)

    @property
    def legend(self) -> str:
        """How to read the tables."""
        return (
            f"{self.search_seeds} searches of {self.trials} trials per arm and workload, search seeds from "
            f"{self.first_search_seed}. "
            "Regret: how much worse the schedule that the search would have returned is than the best known one, in "
            "points of test error, averaged over fresh training seeds. On a recorded workload, the nearest recorded "
            "schedule of the same family replaces the one that is suggested. Means with 95 % BCa bootstrap intervals; "
            "differences are paired by search seed. *Missed the best*: fraction of searches in which a schedule that "
            "was tried would have beaten the winner in a full run, on the search's own validation rows. *Equal "
            "epochs*: each arm continues until it has spent as many epochs as an unpruned search; *regret at 25 %*: "
            "after a quarter of these epochs; *epochs to within 0.5*: from when on the incumbent stays within half a "
            "point of the best known schedule: the median over searches, with an interval from order statistics. "
            "*Seconds*: training at the speed of as many runs as the arm trains at a time, timed before the searches, "
            "plus the search's own time; *ms per trial outside training*: that time.\n\n"
            f"The search, unless an arm changes it: {flags({name: getattr(self.base, name) for name in BASE})}. "
            f"Changes by arm: {'; '.join(f'*{arm}*: {flags(ARMS[self.compare][arm])}' for arm in self.arms)}."
        )


def flags(changes: Mapping[str, Any]) -> str:
    """The command-line flags for these changes of a configuration.

    >>> flags({"rung_fractions": (0.1, 0.5), "reduction": 4})
    '`--rung-fractions 0.1 0.5 --reduction 4`'
    """
    words = []
    for name, value in changes.items():
        words += [f"--{name.replace('_', '-')}", *map(str, value if isinstance(value, tuple) else [value])]
    return f"`{' '.join(words)}`" if words else "nothing"


def about(one: Testbed, best: float) -> str:
    """The schedules behind a testbed, and the test error of the best one."""
    if not one.recorded:
        return f"Trained live. The best schedule found in any of these searches has {100 * best:.2f} % test error."
    seeds = len(one.recorded.about.confirm_seeds)
    errors = [schedule.mean_test for schedule in one.recorded.schedules]
    return (
        f"{len(errors)} recorded schedules, each evaluated on {seeds} fresh seeds; the best has "
        f"{100 * best:.2f} % test error, the median {100 * median(errors):.2f} %."
    )

"""The page of a comparison of searches: how to read it, and a table for all workloads and for each."""

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
"""What any arm changes of a search, but for the pruner: an arm that does not name one has `horizon`."""


@dataclass(frozen=True)
class SearchComparison:
    """Arms compared over search seeds, on one workload or several.

    compare: what is compared. base: the search that the arms change. trials: per search. rows: one for each search.
    testbeds: by the name that rows have.
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
        """The test error of the best schedule known, by workload."""
        return {
            name: min(schedule.mean_test for schedule in one.recorded.schedules)
            if one.recorded
            else min(found.error for row in of_workload(self.rows, name) for found in row.incumbents)
            for name, one in self.testbeds.items()
        }

    @property
    def full_epochs(self) -> dict[str, float]:
        """The epochs that the trials take unpruned, by workload."""
        return {name: float(self.trials * one.configuration.epochs) for name, one in self.testbeds.items()}

    def page(self, equal_epochs: bool) -> str:
        """Markdown. equal_epochs: whether the searches went on until all had spent the same."""
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
            "Regret: points of test error over the best known schedule, of the schedule that the search would have "
            "returned; test errors are means over fresh training seeds. A recorded workload answers for a schedule "
            "with the nearest one of its family that was recorded. Means with 95 % BCa bootstrap intervals, "
            "differences in pairs of equal search seeds. *Lost the best*: searches in which a schedule that was tried"
            " would have beaten the winner on the search's own validation rows, had it been trained in full. *Equal "
            "epochs*: each arm tries as many schedules as fit into the epochs that the trials take unpruned; *regret "
            "at 25 %*: after a quarter of them; *within 0.5*: when the incumbent came to stay within half a point, "
            "the median over the searches, with its interval by their order. *Seconds*: the epochs at the speed, timed "
            "before the searches, of as many runs as the arm trains at a time, and what the search took besides.\n\n"
            f"The search, where an arm does not change it: {flags({name: getattr(self.base, name) for name in BASE})}. "
            f"What each changes: {'; '.join(f'*{arm}*: {flags(ARMS[self.compare][arm])}' for arm in self.arms)}."
        )


def flags(changes: Mapping[str, Any]) -> str:
    """What to type for these changes of a configuration.

    >>> flags({"rung_fractions": (0.1, 0.5), "reduction": 4})
    '`--rung-fractions 0.1 0.5 --reduction 4`'
    """
    words = []
    for name, value in changes.items():
        words += [f"--{name.replace('_', '-')}", *map(str, value if isinstance(value, tuple) else [value])]
    return f"`{' '.join(words)}`" if words else "nothing"


def about(one: Testbed, best: float) -> str:
    """What the searches are evaluated by."""
    if not one.recorded:
        return f"Trained live. The best schedule found in any of these searches has {100 * best:.2f} % test error."
    seeds = len(one.recorded.about.confirm_seeds)
    errors = [schedule.mean_test for schedule in one.recorded.schedules]
    return (
        f"{len(errors)} recorded schedules, each judged over {seeds} fresh seeds; the best of them has "
        f"{100 * best:.2f} % test error, the median one {100 * median(errors):.2f} %."
    )

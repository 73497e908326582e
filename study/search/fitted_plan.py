"""Fits the trials and the rungs of a new study to a limit of its cost."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from search_spaces.errors import InputError
from study.objective import Objective, length_in_words
from study.search.configuration import Configuration
from study.search.expected_cost import ExpectedCost, expected_runs
from study.search.limit import Limit
from study.search.study_plan import StudyPlan
from study.speed import ChosenEngine

CHEAPER_RUNGS = (0.05, 0.25)
"""Rung fractions that cost less: about 8 full runs instead of 13 for fifty trials (results/search/cost.md)."""
LEAST_STEPS_OF_CHEAPER_RUNGS = 500
"""Fewest steps of the shorter of these rungs. With 200, twenty searches were inconclusive: results/search/cost.md."""


@dataclass(frozen=True)
class Fitted:
    """What a study was fitted to, and the result.

    limit: as its flag is typed. trials: that it allows. rung_fractions: that take the place of the default ones; None
    if the rungs stay as they are.
    """

    limit: str
    trials: int
    rung_fractions: tuple[float, ...] | None

    def plan(self, plan: StudyPlan, limit: Limit) -> StudyPlan:
        """The plan with these rungs instead of the default ones; it says what was fitted if the limit is given."""
        configuration, about = plan.configuration, plan.about
        if self.rung_fractions and has_default_rungs(configuration):
            configuration = replace(configuration, rung_fractions=self.rung_fractions)
        if limit.given:
            *shorter, last = configuration.budgets(plan.objective.steps(1))
            runs = ", ".join([*map(str, shorter), length_in_words(last, configuration.unit)])
            said = f"{limit}: {self.trials} trials, runs of {runs}"
            about = "\n".join(filter(None, [about, said]))
        record, kept = plan.record | configuration.record(plan.objective), asdict(self) if limit.given else None
        return replace(plan, configuration=configuration, record=record, about=about, limit=kept)


def fitted_before(
    plan: StudyPlan, limit: Limit, stored: Mapping[str, Any] | None, trials: int
) -> tuple[StudyPlan, int]:
    """The plan of a study that exists, and its trials, as they were fitted when it began.

    stored: a `Fitted` as plain values, None if the study has no limit. Raises InputError if another limit is given. A
    study that is continued without its limit gets all `trials`.
    """
    if limit.given and (stored is None or stored["limit"] != str(limit)):
        begun = f"with {stored['limit']}" if stored else f"without {limit.flag}"
        raise InputError(f"study {plan.name!r} was begun {begun}: do the same, or choose another name with --study")
    if stored is None:
        return plan, trials
    rungs = stored["rung_fractions"]
    fitted = Fitted(stored["limit"], stored["trials"], tuple(rungs) if rungs else None)
    return fitted.plan(plan, limit), min(trials, fitted.trials) if limit.given else trials


def has_default_rungs(configuration: Configuration) -> bool:
    """Whether the rungs are those that nobody has chosen."""
    return configuration.pruner == "horizon" and configuration.rung_fractions == Configuration.rung_fractions


@dataclass(frozen=True)
class Fitting:
    """What a limit is fitted to. chosen: the engine, and its speed. reference: whether the study has one."""

    configuration: Configuration
    objective: Objective
    limit: Limit
    chosen: ChosenEngine
    reference: bool = False

    def fit(self, trials: int, known: int = 0) -> Fitted:
        """How many trials the limit allows, at most `trials`, and by which rungs.

        known: trials that are given, and so the fewest. Cheaper rungs are taken if the configuration has the default
        ones, and more trials fit with them. Raises InputError if the limit is too small for the smallest search.
        """
        found = [(self.most(one, trials), one) for one in self.candidates()]
        most, configuration = max(found, key=lambda pair: pair[0])  # the first of equals
        fewest = min(trials, max(known, configuration.reduction))
        if most < fewest:
            least = min(self.cost(one, fewest) for _, one in found)
            raise InputError(
                f"{self.limit.flag} must be at least {rounded_up(least):g} for {fewest} trials, the smallest search "
                f"that makes sense, but {self.limit.value:g} was given"
            )
        return Fitted(str(self.limit), most, None if configuration is self.configuration else CHEAPER_RUNGS)

    def candidates(self) -> Iterator[Configuration]:
        """The configuration as it is, and with cheaper rungs if these can take the place of its own."""
        yield self.configuration
        cheaper = replace(self.configuration, rung_fractions=CHEAPER_RUNGS)
        shortest = self.objective.steps(cheaper.budgets(self.objective.steps(1))[0])
        if has_default_rungs(self.configuration) and shortest >= LEAST_STEPS_OF_CHEAPER_RUNGS:
            yield cheaper

    def most(self, configuration: Configuration, trials: int) -> int:
        """The most trials within the limit, at most `trials`; 0 if not even one fits."""
        return bisect_right(range(1, trials + 1), self.limit.value, key=lambda number: self.cost(configuration, number))

    def cost(self, configuration: Configuration, trials: int) -> float:
        """The expected cost of this many trials, in the unit of the limit."""
        runs = expected_runs(configuration, self.objective.steps(1), trials, self.reference)
        engine, _, speed = self.chosen
        cost = ExpectedCost.of(runs, self.objective, configuration.budget, engine, speed, trials)
        if self.limit.max_hours is None:
            return cost.full_runs
        if cost.seconds is None:
            raise InputError(f"the speed of {self.objective.name} is not known: give --max-cost instead of --max-hours")
        return cost.seconds / 3600


def rounded_up(value: float) -> float:
    """To three significant digits, so that it is enough when it is typed.

    >>> rounded_up(2.0), rounded_up(0.0123456)
    (2.0, 0.0124)
    """
    unit = 10.0 ** (math.floor(math.log10(value)) - 2)
    return float(f"{math.ceil(round(value / unit, 6)) * unit:.3g}")

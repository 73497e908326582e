"""The studies that compare families: one for each family and budget, all with equal trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from study.objective import FIRST_FRESH_SEED, Unit
from study.search.configuration import Configuration, SearchOptions
from study.search.study_plan import StudyPlan


@dataclass(frozen=True)
class Part:
    """One study of a comparison: a family with a budget, and one seed of the sampler.

    name: of the study. seeds: the fresh ones that confirm its winner, the same for all families, others for a repeated
    search.
    """

    name: str
    configuration: Configuration
    seeds: list[int]


def parts(
    options: SearchOptions,
    budgets: Sequence[int],
    search_seeds: int,
    confirm_seeds: int,
    group: str,
    unit: Unit = "epochs",
) -> list[Part]:
    """Every study of the comparison, budget by budget, so that a family is never ahead of the others by much.

    budgets: of the unit. search_seeds: how often each search is repeated. group: the name of the comparison.
    """
    found = []
    for budget in budgets:
        for repeat in range(search_seeds):
            first = FIRST_FRESH_SEED + repeat * confirm_seeds
            seeds = list(range(first, first + confirm_seeds))
            sampler_seed = options.sampler_seed + repeat
            for family in options.families:
                changes = {"families": (family,), "sampler_seed": sampler_seed, unit: budget}
                repeated = f"-search-{sampler_seed}" if repeat else ""
                name = f"{group}-{budget}-{unit}-{family}{repeated}"
                found.append(Part(name, Configuration(**asdict(options) | changes), seeds))
    return found


@dataclass(frozen=True)
class ComparisonPlan:
    """The studies that compare families, in order. seeds: the fresh ones that confirm each study's winner."""

    name: str
    studies: list[StudyPlan]
    seeds: list[list[int]]

    def expected_epochs(self, trials: int) -> list[float]:
        """What each study costs: its trials and the confirming of its winner."""
        return [
            trials * plan.configuration.expected_epochs(plan.objective.steps(1)) + len(own) * plan.configuration.budget
            for plan, own in zip(self.studies, self.seeds, strict=True)
        ]

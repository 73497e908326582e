"""Arms set by hand: schedules that a search cannot try, because all that it tries is relative to the run.

They start from what a benchmark of families has tuned, so that one thing differs at a time: a decay per update that
was made for a longer run; cycles that the end of the run cuts through; a warm-up, at several peaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from search_spaces import Cyclic, Linear, WarmRestarts
from search_spaces.schedule import Schedule
from study.analysis.family_results import by_budget, chosen, family_of
from study.storage.study_record import StudyRecord

FACTORS = (1, 4, 16)
"""Of the tuned peak, at which a warm-up is tried."""
WARMUP = 0.1
"""Share of the run."""


@dataclass(frozen=True, kw_only=True)
class Cut(Schedule):
    """The first part of another schedule, which was made for a longer run.

    whole: the other one, without warm-up. share: of its run that is trained, above 0 and at most 1.
    """

    whole: Schedule
    share: float

    family = "cut"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "torch_class", self.whole.torch_class)

    def arguments(self, steps: int) -> dict[str, Any]:
        return self.whole.arguments(round(steps / self.share))

    def body(self, steps: int) -> Any:
        return self.whole.body(round(steps / self.share))[:steps]


@dataclass(frozen=True)
class Arm:
    """A schedule to train for this many epochs. name: what it shows, unique within a budget."""

    name: str
    epochs: int
    schedule: Schedule


def cut_short(whole: Schedule, share: float) -> Cut:
    """The first part of a schedule."""
    return Cut(peak_lr=whole.peak_lr, whole=whole, share=share)


def tuned(studies: Sequence[StudyRecord], family: str) -> Schedule | None:
    """The schedule that was chosen for a family, if there is one."""
    found = [trial for study in studies if family_of(study) == family and (trial := chosen(study))]
    return found[0].schedule if found else None


def hand_set(studies: Sequence[StudyRecord]) -> list[Arm]:
    """The arms that a benchmark of families leads to; none for what it lacks."""
    budgets = by_budget(studies)
    middle = list(budgets)[len(budgets) // 2]
    settings = studies[0].settings
    adaptive = settings.optimizer == "adamw" and "warmup_fraction_is_0" in settings.space
    return [
        *fixed_gamma(budgets),
        *cycles(middle, budgets[middle]),
        *(warm_ups(middle, budgets[middle]) if adaptive else []),
    ]


def fixed_gamma(budgets: dict[int, list[StudyRecord]]) -> list[Arm]:
    """The exponential decay of the longest budget in the shorter runs: its gamma kept, or scaled to their length."""
    longest = max(budgets)
    made = tuned(budgets[longest], "exponential")
    if not made:
        return []
    whole = replace(made, warmup_fraction=0.0)
    arms = []
    for epochs in (epochs for epochs in budgets if epochs < longest):
        arms += [Arm("fixed gamma", epochs, cut_short(whole, epochs / longest)), Arm("scaled gamma", epochs, whole)]
    return arms


def cycles(epochs: int, studies: Sequence[StudyRecord]) -> list[Arm]:
    """Cycles that end with the run, and the same that the end cuts in the middle of the last one."""
    arms = []
    for family in (WarmRestarts, Cyclic):
        found = tuned(studies, family.family)
        if found:
            whole = family(peak_lr=found.peak_lr)
            arms += [
                Arm(f"{family.family} ends low", epochs, whole),
                Arm(f"{family.family} ends mid-cycle", epochs, cut_short(whole, (whole.cycles - 0.5) / whole.cycles)),
            ]
    return arms


def warm_ups(epochs: int, studies: Sequence[StudyRecord]) -> list[Arm]:
    """A linear decay to 0, with a warm-up and without, at the tuned peak and at higher ones."""
    found = tuned(studies, "linear")
    if not found:
        return []
    return [
        Arm(warm_up_name(factor, share), epochs, Linear(peak_lr=factor * found.peak_lr, warmup_fraction=share))
        for factor in FACTORS
        for share in (0.0, WARMUP)
    ]


def warm_up_name(factor: int, share: float) -> str:
    """Of an arm of `warm_ups`."""
    return f"{factor} x peak, warm-up {share:g}"


def seeds_of(studies: Sequence[StudyRecord], epochs: int) -> list[int]:
    """The fresh seeds that this budget was confirmed with, and that the arms share; none if nothing is confirmed."""
    confirmed = (study.confirmed for study in studies if study.settings.epochs == epochs)
    return next((list(one.seeds) for one in confirmed if one), [])

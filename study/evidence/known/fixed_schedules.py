"""Hand-picked schedules, which published claims compare.

They start from the schedules that a benchmark of families tuned and change one thing at a time: a decay per step tuned
for a longer run; cycles that the run cuts short; a warm-up at several peaks; for language models, where a decay ends
and how a cool-down goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from search_spaces import WSD, Cosine, Cyclic, Linear, WarmRestarts
from search_spaces.ranges import is_fixed
from search_spaces.schedule import Schedule
from study.analysis.family_results import by_budget, chosen, family_of, shared_seeds
from study.storage.study_record import StudyRecord
from study.workloads.names import LANGUAGE_MODELS

FACTORS = (1, 4, 16)
"""Multiples of the tuned peak at which a warm-up is tried."""
WARMUP = 0.1
"""Length of this warm-up as a fraction of the run."""
TO_ZERO, TO_A_TENTH = "linear to zero", "cosine to a tenth"
COOL_DOWNS = ((0.025, "1-sqrt"), (0.1, "1-sqrt"), (0.2, "1-sqrt"), (0.2, "linear"))
"""Length as a fraction of the body, and shape."""


@dataclass(frozen=True, kw_only=True)
class Cut(Schedule):
    """The first part of a schedule for a longer run.

    whole: the complete schedule, without warm-up. share: fraction of it that is trained, above 0 and at most 1.
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
    """A schedule to train for `epochs` epochs. name: what it shows, unique within a budget."""

    name: str
    epochs: int
    schedule: Schedule


def cut_short(whole: Schedule, share: float) -> Cut:
    """The first part of a schedule. share: its length as a fraction of the whole, above 0 and at most 1."""
    return Cut(peak_lr=whole.peak_lr, whole=whole, share=share)


def tuned(studies: Sequence[StudyRecord], family: str) -> Schedule | None:
    """The tuned schedule of a family; None if it has none."""
    found = [trial for study in studies if family_of(study) == family and (trial := chosen(study))]
    return found[0].schedule if found else None


def hand_set(studies: Sequence[StudyRecord]) -> list[Arm]:
    """The arms derived from a benchmark of families; families that it lacks are skipped."""
    budgets = by_budget(studies)
    middle = list(budgets)[(len(budgets) - 1) // 2]  # of two the shorter one, which costs less to train
    settings = studies[0].settings
    warmup = settings.space.get("warmup_fraction")
    adaptive = settings.optimizer == "adamw" and warmup is not None and not is_fixed(warmup)
    return [
        *fixed_gamma(budgets),
        *cycles(middle, budgets[middle]),
        *(warm_ups(middle, budgets[middle]) if adaptive else []),
        *(arm for epochs, own in budgets.items() for arm in language_decays(epochs, own)),
    ]


def fixed_gamma(budgets: dict[int, list[StudyRecord]]) -> list[Arm]:
    """The exponential decay of the longest budget in shorter runs, with its gamma kept or scaled to their length."""
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
    """Cyclic schedules that end with a full cycle, and the same ones cut in the middle of the last cycle."""
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
    """Linear decay to 0 with and without warm-up, at the tuned peak and at higher ones."""
    found = tuned(studies, "linear")
    if not found:
        return []
    return [
        Arm(warm_up_name(factor, share), epochs, Linear(peak_lr=factor * found.peak_lr, warmup_fraction=share))
        for factor in FACTORS
        for share in (0.0, WARMUP)
    ]


def warm_up_name(factor: int, share: float) -> str:
    """The name of an arm of `warm_ups`."""
    return f"{factor} x peak, warm-up {share:g}"


def language_decays(epochs: int, studies: Sequence[StudyRecord]) -> list[Arm]:
    """Linear to zero, cosine to a tenth, and cool-downs of several lengths, each at its family's tuned peak."""
    if studies[0].settings.model not in LANGUAGE_MODELS:
        return []
    linear, cosine, wsd = (tuned(studies, family) for family in ("linear", "cosine", "wsd"))
    arms = []
    if linear:
        arms.append(Arm(TO_ZERO, epochs, Linear(peak_lr=linear.peak_lr, warmup_fraction=linear.warmup_fraction)))
    if cosine:
        warmup = cosine.warmup_fraction
        arms.append(Arm(TO_A_TENTH, epochs, Cosine(peak_lr=cosine.peak_lr, warmup_fraction=warmup, floor_ratio=0.1)))
    if wsd:
        warmup = wsd.warmup_fraction
        for share, shape in COOL_DOWNS:
            made = WSD(peak_lr=wsd.peak_lr, warmup_fraction=warmup, cooldown_fraction=share, shape=shape)
            arms.append(Arm(cool_down_name(share, shape), epochs, made))
    return arms


def cool_down_name(share: float, shape: str) -> str:
    """The name of a cool-down of `language_decays`."""
    return f"wsd, {shape} over {share:g}"


def seeds_of(studies: Sequence[StudyRecord], epochs: int) -> list[int]:
    """The fresh seeds over which the families are compared at this budget, which the arms reuse; empty if none are."""
    return shared_seeds(by_budget(studies).get(epochs, []))

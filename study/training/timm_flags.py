"""A schedule as the flags of timm's `train.py`, which many scripts have taken over: nothing in them need be changed.

timm steps its schedules once an epoch. The rate of each epoch is that of a run of as many steps as there are epochs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from search_spaces.schedule import Schedule

Flags = dict[str, Any]
MAPS: dict[str, Callable[[Schedule, Flags], Flags | None]] = {
    "constant": lambda schedule, native: {"sched": "constant"},
    "step": lambda schedule, native: {
        "sched": "step",
        "decay-epochs": native["step_size"],
        "decay-rate": native["gamma"],
    },
    "multistep": lambda schedule, native: {
        "sched": "multistep",
        "decay-milestones": [milestone + 1 for milestone in native["milestones"]],  # timm drops one epoch before
        "decay-rate": native["gamma"],
    },
    "polynomial": lambda schedule, native: {"sched": "poly", "decay-rate": native["power"], "min-lr": 0.0},
    "linear": lambda schedule, native: {
        "sched": "poly",
        "decay-rate": 1.0,
        "min-lr": native["end_factor"] * schedule.peak_lr,
    },
    "cosine": lambda schedule, native: (
        {"sched": "cosine", "min-lr": native["eta_min"]} if getattr(schedule, "t_max_fraction", None) == 1.0 else None
    ),
}
"""What timm is given for the body of a schedule of each family that it has, None if nothing. native: for torch."""


def timm_flags(schedule: Schedule, epochs: int) -> list[str] | None:
    """The words that follow `train.py` for a run of this many epochs; None if timm has no such schedule.

    The warm-up comes before timm's own `--epochs`, which are those of the body.
    """
    warmup, body = schedule.split(epochs)
    found = MAPS[schedule.family](schedule, schedule.arguments(body)) if schedule.family in MAPS else None
    if found is None:
        return None
    flags: Flags = {"epochs": body, "lr": schedule.peak_lr, **found, "warmup-epochs": warmup}
    if warmup:
        flags["warmup-lr"] = schedule.peak_lr / (warmup + 1)
    words = [word for name, value in flags.items() for word in (f"--{name}", *as_words(value))]
    return [*words, "--warmup-prefix"]


def as_words(value: Any) -> list[str]:
    """The value of a flag as it is typed."""
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]

"""A schedule as the flags of timm's `train.py`, which many scripts have taken over: nothing in them need be changed.

timm steps its schedules once an epoch. The rate of each epoch is that of a run of as many steps as there are epochs.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from search_spaces.schedule import Schedule

Flags = dict[str, Any]
TYPICAL_EPOCHS = 100
"""Length for which flags are tried."""
WSD_SINCE = (1, 0, 31)
"""The version of timm that has `--sched wsd`. Older ones refuse its flags."""


def timm_cosine(schedule: Schedule, native: Flags) -> Flags | None:
    """timm's falls to the end of the run: it cannot rise again after a shorter T_max."""
    whole = getattr(schedule, "t_max_fraction", None) == 1.0
    return {"sched": "cosine", "min-lr": native["eta_min"]} if whole else None


def timm_wsd(schedule: Schedule, native: Flags) -> Flags | None:
    """The shapes of the cool-down have the same names in timm."""
    given = native["lr_lambda"].keywords
    floor = given["floor"] * schedule.peak_lr
    shape = {"sched": "wsd", "decay-epochs": given["cooldown"], "lr-decay-fn": given["shape"], "min-lr": floor}
    return shape if timm_version() >= WSD_SINCE and given["shape"] != "power" else None


MAPS: dict[str, Callable[[Schedule, Flags], Flags | None]] = {
    "constant": lambda schedule, native: {"sched": "step", "decay-epochs": 1, "decay-rate": 1.0},
    "exponential": lambda schedule, native: {"sched": "step", "decay-epochs": 1, "decay-rate": native["gamma"]},
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
    "cosine": timm_cosine,
    "wsd": timm_wsd,
}
"""What timm is given for the body of a schedule of each family that it has, None if nothing. native: for torch.

timm's own `--sched constant` is as new as wsd, and older versions take it for no scheduler at all.
"""


def timm_version() -> tuple[int, ...]:
    """The version that is installed here, with which the script is taken to run; empty if it is not installed."""
    try:
        return tuple(int(part) for part in version("timm").split(".")[:3] if part.isdigit())
    except PackageNotFoundError:
        return ()


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


def timm_obstacle(schedule: Schedule) -> str | None:
    """Why timm cannot be given this schedule; None if it can."""
    if timm_flags(schedule, TYPICAL_EPOCHS) is not None:
        return None
    if schedule.family == "wsd" and timm_version() < WSD_SINCE:
        return f"it needs timm {'.'.join(map(str, WSD_SINCE))} or newer, in this environment too"
    return "timm has no flags for it"


def as_words(value: Any) -> list[str]:
    """The value of a flag as it is typed."""
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]

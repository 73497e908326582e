"""A schedule as JSON that holds all its fields, and back: for a process that is to train with this very schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from search_spaces import EVERY_FAMILY, Schedule


def schedule_to_json(schedule: Schedule) -> dict[str, Any]:
    """Plain values.

    >>> from search_spaces import REX
    >>> schedule_to_json(REX(peak_lr=0.1))
    {'family': 'rex', 'fields': {'peak_lr': 0.1, 'warmup_fraction': 0.0}}
    """
    return {"family": schedule.family, "fields": asdict(schedule)}


def schedule_from_json(plain: Mapping[str, Any]) -> Schedule:
    """The schedule of what `schedule_to_json` made."""
    return EVERY_FAMILY[plain["family"]](**plain["fields"])

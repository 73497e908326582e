"""Measurements evaluate schedules, which have no weight decay: a search of it is refused before anything is trained."""

from __future__ import annotations

from search_spaces.errors import InputError
from study.search.configuration import SearchOptions


def require_schedules_alone(search: SearchOptions) -> None:
    """Raise InputError if something besides the schedule is searched."""
    if search.searches_besides:
        raise InputError("this measurement evaluates schedules alone: remove --search, and weight_decay from --space")

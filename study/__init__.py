"""Which learning-rate schedule, with which parameters, for your model, data and budget: an Optuna study that answers.

What is named here is loaded when it is first used: `import study` loads neither torch nor Optuna.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from study.api import Result as Result
    from study.api import compare_families as compare_families
    from study.api import find_schedule as find_schedule
    from study.api import load as load
    from study.reports.findings import Comparison as Comparison
    from study.training.declaration import trains as trains

__all__ = ["Comparison", "Result", "compare_families", "find_schedule", "load", "trains"]
HOMES = {"Comparison": "study.reports.findings", "trains": "study.training.declaration"}
"""Modules of the names that `study.api` does not define."""


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(HOMES.get(name, "study.api")), name)
    raise AttributeError(f"module 'study' has no attribute {name!r}")

"""Data, model, loss, metric and optimizer: built-in ones and yours.

from study.workloads import Data, Metric, Split, Workload

These are imported when they are first used, so that options can be read without torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from study.objective import Metric as Metric
    from study.workloads.data import Data as Data
    from study.workloads.data import Split as Split
    from study.workloads.workload import Workload as Workload

HOMES = {
    "Data": "study.workloads.data",
    "Metric": "study.objective",
    "Split": "study.workloads.data",
    "Workload": "study.workloads.workload",
}
__all__ = ["Data", "Metric", "Split", "Workload"]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    if name in HOMES:
        return getattr(import_module(HOMES[name]), name)
    raise AttributeError(f"module 'study.workloads' has no attribute {name!r}")

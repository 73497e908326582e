"""Data, model, loss, metric and optimizer: built-in ones and yours.

from study.workloads import Data, Metric, Split, Workload
"""

from study.objective import Metric
from study.workloads.data import Data, Split
from study.workloads.workload import Workload

__all__ = ["Data", "Metric", "Split", "Workload"]

"""What a schedule is judged on: data, model, loss, metric and optimizer, known ones and one's own.

from study.workloads import Data, Metric, Split, Workload
"""

from study.workloads.data import Data, Split
from study.workloads.workload import Metric, Workload

__all__ = ["Data", "Metric", "Split", "Workload"]

"""Worker processes on the GPUs of a machine: which card each sees, and whether all train what one process does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from study.evidence.gpu.agreement import example_runs
from study.executors.in_process import InProcess
from study.executors.processes import Processes
from study.executors.side_by_side import SideBySide
from study.machine import cards
from study.objective import Objective
from study.training.workload_objective import WorkloadObjective
from study.workloads.workload import Workload


@dataclass(frozen=True)
class CardsFound:
    """here: the cards of this machine. seen: what each process sees. same: whether the results are bit-identical."""

    here: Sequence[str]
    seen: Sequence[str]
    same: bool

    @property
    def problems(self) -> list[str]:
        """What is not as it must be, in sentences."""
        wrong = [] if self.same else ["processes train something else than one process"]
        each = not self.here or all(self.seen.count(card) == 1 for card in self.here)
        return wrong + ([] if each else [f"the processes see {', '.join(self.seen)}, not one card each"])


def train_on_cards(workload: Workload, device: torch.device) -> CardsFound:
    """Train in a process for each card, or in two without one, and in this process. workload: its data on the CPU."""
    here = cards() if device.type == "cuda" else []
    objective = WorkloadObjective(workload, trained_on=device)
    runs = example_runs(workload)
    with Processes(objective, len(here) or 2) as processes:
        seen = processes.everywhere(visible_cards)
        found = list(SideBySide(objective, 2, processes).train(runs))
    expected = list(InProcess(WorkloadObjective(workload.to(device)), 2).train(runs))
    return CardsFound(here, seen, found == expected)


def visible_cards(objective: Objective) -> str:
    """What the process of a worker sees."""
    return os.environ.get("CUDA_VISIBLE_DEVICES", "all")

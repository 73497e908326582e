"""Whether the process that asks the sampler leaves the GPU alone."""

from __future__ import annotations

import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import optuna
import torch

from study.assembly import plan_search
from study.evidence.speed.studies import StudyOutcome, our_study
from study.search.configuration import Configuration
from study.source import make_objective
from study.workloads.options import WorkloadOptions


@dataclass(frozen=True)
class Asked:
    """A whole search that trained on the CPU, in a process of its own that could see the GPU.

    touched_cuda: whether that process has started CUDA, as any tensor on the GPU would have.
    """

    outcome: StudyOutcome
    touched_cuda: bool


def search_beside_gpu(what: WorkloadOptions, configuration: Configuration, trials: int, data_root: Path) -> Asked:
    """Search on the CPU in a new process: all that could start CUDA there is the sampler and what surrounds it."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(search_on, what, configuration, trials, data_root, "cpu").result()


def search_on(what: WorkloadOptions, configuration: Configuration, trials: int, data_root: Path, device: str) -> Asked:
    """Search in this process, in a new study, as scripts/search.py does."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    objective = make_objective(what, device, data_root)
    with tempfile.TemporaryDirectory() as folder:
        plan = plan_search(what, objective, configuration, f"sqlite:///{folder}/study.db")
        return Asked(our_study(plan, trials), torch.cuda.is_initialized())

"""How fast runs are trained, by several ways in turn, each in a process of its own."""

from __future__ import annotations

import resource
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from search_spaces import Cosine
from study.evidence.speed.tutorial_loop import tutorial_run
from study.executors.processes import Processes
from study.machine import same_random_numbers_after, usable_cores
from study.objective import Objective, Run, never
from study.training.lockstep import Lockstep
from study.training.loop import EVALUATION_ROWS, train_cohort
from study.training.plain import Plain
from study.training.workload_objective import WorkloadObjective
from study.workloads.data import Split
from study.workloads.options import WorkloadOptions
from study.workloads.workload import Workload

TRAIN_ROWS, VALIDATION_ROWS = 3200, 800
"""All workloads are cut to these rows: 50 steps and one evaluation an epoch. More would make no step slower."""
COHORTS = (1, 4, 16, 64)
LEAST_SECONDS = 0.5
MATRIX = 2048
"""Rows and columns of the matrices that measure the machine's rate."""


@dataclass(frozen=True)
class Measured:
    """One way of training one workload: epochs of one run, timed in several rounds.

    seconds: per epoch of one run, by round. peak_bytes: of the process and its workers; on a GPU, what it allocated.
    """

    workload: str
    device: str
    way: str
    seconds: tuple[float, ...]
    peak_bytes: int


def ways(device: str) -> dict[str, int]:
    """The ways of training on a device, and how many runs each trains at a time."""
    cores = usable_cores()
    workers = {f"loop in {cores} workers": cores} if device == "cpu" and cores > 1 else {}
    return {"tutorial": 1, "loop": 1, **workers} | {f"lockstep of {cohort}": cohort for cohort in COHORTS}


def measure(what: WorkloadOptions, device: str, rounds: int, data_root: Path) -> list[Measured]:
    """Time each way on the workload, one after the other, once in every round."""
    context = get_context("spawn")
    with ExitStack() as stack:
        pools = {}
        for way in ways(device):
            pool = ProcessPoolExecutor(1, context, begin_measuring, (what, device, way, data_root))
            pools[way] = stack.enter_context(pool)
            stack.callback(lambda pool: pool.submit(end_measuring).result(), pool)
        for way, pool in pools.items():  # once each, uncounted
            pool.submit(seconds_of_an_epoch, way).result()
        timed = [
            {way: pool.submit(seconds_of_an_epoch, way).result() for way, pool in pools.items()} for _ in range(rounds)
        ]
        peaks = {way: pool.submit(peak_bytes).result() for way, pool in pools.items()}
    return [Measured(measured_name(what), device, way, tuple(row[way] for row in timed), peaks[way]) for way in pools]


def measured_name(what: WorkloadOptions) -> str:
    """The workload's name: data set, model and optimizer."""
    return f"{what.dataset} {what.model} {what.optimizer}"


state: dict[str, Any] = {}
"""Of a measuring process: its `workload`, and its `workers` if that is its way."""


def begin_measuring(what: WorkloadOptions, device: str, way: str, data_root: Path) -> None:
    """Set up a measuring process."""
    state["workload"] = with_fewer_rows(what.load(data_root)).to(torch.device(device))
    if "workers" in way:
        state["workers"] = Processes(WorkloadObjective(state["workload"]), 1, ways(device)[way])


def end_measuring() -> None:
    """End a measuring process's own workers: it would wait for them for ever."""
    if "workers" in state:
        state["workers"].__exit__()


def with_fewer_rows(workload: Workload) -> Workload:
    """The workload, cut to the rows that are measured."""
    data = workload.data
    train, validation = Split(*data.train.first(TRAIN_ROWS)), Split(*data.validation.first(VALIDATION_ROWS))
    return replace(workload, data=replace(data, train=train, validation=validation))


def seconds_of_an_epoch(way: str) -> float:
    """Seconds that one epoch of one run takes, with an evaluation at its end: the mean over at least LEAST_SECONDS."""
    workload: Workload = state["workload"]
    together = ways(workload.device.type)[way]
    # A little apart, as the runs of a cohort are.
    runs = [Run(Cosine(peak_lr=workload.peak_lr[0] * (1 + i / together)), 1, 0, evaluations=1) for i in range(together)]
    began = time.perf_counter()
    trained = 0
    while time.perf_counter() < began + LEAST_SECONDS:
        trained += together
        if way == "tutorial":
            tutorial_run(workload, runs[0])
        elif "workers" in way:
            list(state["workers"].train(runs))
        else:
            with same_random_numbers_after(workload.device):
                learner = (Plain if way == "loop" else Lockstep)(workload, runs)
                list(train_cohort(workload, runs, learner, never, runs[0].budget * workload.steps_per_epoch))
    return (time.perf_counter() - began) / trained


def peak_bytes() -> int:
    """The most memory that the process and its workers have had; on a GPU, that was allocated there."""
    if state["workload"].device.type == "cuda":
        return int(torch.cuda.max_memory_allocated())
    workers: list[int] = state["workers"].everywhere(worker_peak_bytes) if "workers" in state else []
    return own_peak_bytes() + sum(workers)


def worker_peak_bytes(objective: Objective) -> int:
    """The most memory that the worker process which trains the objective has had."""
    return own_peak_bytes()


def own_peak_bytes() -> int:
    """The most memory that this process has had.

    From Linux's status file: `getrusage` counts what the parent had when it started this process, too.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def useful_flop(workload: Workload) -> float:
    """Floating-point operations of one epoch of one run: steps and evaluation, as torch counts the plain loop's."""
    workload = with_fewer_rows(workload)
    learner = Plain(workload, [Run(Cosine(peak_lr=workload.peak_lr[0]), 1, 0, evaluations=1)])
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as step:  # the fused kernel is not counted
        learner.update(*workload.data.train.first(workload.batch_size))
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as evaluation:
        learner.evaluate(*workload.data.validation.first(EVALUATION_ROWS), [0])
    return float(
        workload.steps_per_epoch * step.get_total_flops()
        + workload.data.validation.rows / EVALUATION_ROWS * evaluation.get_total_flops()
    )


def matrix_rate(device: str, rounds: int = 10) -> float:
    """Floating-point operations per second in a float32 matrix product, at its fastest."""
    matrix = torch.rand(MATRIX, MATRIX, device=device)
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        matrix @ matrix
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    return 2.0 * MATRIX**3 / min(seconds)


def ratios(measured: Measured, reference: Measured) -> tuple[float, float, float]:
    """How many times as fast as the reference: median, least and most over the rounds."""
    each = [other / own for own, other in zip(measured.seconds, reference.seconds, strict=True)]
    return median(each), min(each), max(each)

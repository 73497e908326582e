"""Times the training of runs with several methods in turn, each in its own process."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, suppress
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
from study.executors.side_by_side import SideBySide
from study.machine import choose_device, same_bits_every_time, same_random_numbers_after, usable_cores
from study.objective import Objective, Run, never
from study.training.lockstep import Lockstep
from study.training.loop import EVALUATION_ROWS, train_cohort
from study.training.plain import Plain
from study.training.workload_objective import WorkloadObjective
from study.workloads.data import Split
from study.workloads.options import WorkloadOptions
from study.workloads.workload import Workload

TRAIN_ROWS, VALIDATION_ROWS = 3200, 800
"""All workloads are cut to these rows: 50 steps and one evaluation per epoch. The time per step does not change."""
COHORTS = (1, 4, 16, 64)
LEAST_SECONDS = 0.5
MATRIX = 2048
"""Rows and columns of the matrices that measure the machine's speed."""


@dataclass(frozen=True)
class Measured:
    """Timings of one training method on one workload.

    seconds: per epoch of one run, by round. peak_bytes: of the process and its workers, or allocated on the GPU.
    """

    workload: str
    device: str
    way: str
    seconds: tuple[float, ...]
    peak_bytes: int


def ways(device: str, cohorts: Sequence[int]) -> dict[str, int]:
    """The training methods for a device, and how many runs each trains at a time. cohorts: sizes of lockstep."""
    cores = usable_cores()
    workers = {f"loop in {cores} workers": cores} if device == "cpu" and cores > 1 else {}
    return {"tutorial": 1, "loop": 1, **workers} | {f"lockstep of {cohort}": cohort for cohort in cohorts}


def measure(
    what: WorkloadOptions, device: str, rounds: int, data_root: Path, cohorts: Sequence[int] | None = None
) -> list[Measured]:
    """Time all methods on the workload, one after the other in every round. cohorts: None for COHORTS."""
    context = get_context("spawn")
    with ExitStack() as stack:
        pools = {}
        for way, together in ways(device, cohorts or COHORTS).items():
            pool = ProcessPoolExecutor(1, context, begin_measuring, (what, device, way, together, data_root))
            pools[way] = stack.enter_context(pool)
            stack.callback(end_of, pool)
        # All start at once. This is a warm-up, and not counted.
        for started in [pool.submit(seconds_of_an_epoch) for pool in pools.values()]:
            started.result()
        timed = [{way: pool.submit(seconds_of_an_epoch).result() for way, pool in pools.items()} for _ in range(rounds)]
        peaks = {way: pool.submit(peak_bytes).result() for way, pool in pools.items()}
    return [Measured(measured_name(what), device, way, tuple(row[way] for row in timed), peaks[way]) for way in pools]


def end_of(pool: ProcessPoolExecutor) -> None:
    """End what a measuring process has started; an interruption may have ended the process itself."""
    with suppress(BrokenProcessPool):
        pool.submit(end_measuring).result()


def measured_name(what: WorkloadOptions) -> str:
    """The name of the workload: dataset, model and optimizer."""
    return f"{what.dataset} {what.model} {what.optimizer}"


state: dict[str, Any] = {}
"""State of a measuring process: `workload`, `way`, the runs it trains `together`, and `workers` if it uses them."""


def begin_measuring(what: WorkloadOptions, device: str, way: str, together: int, data_root: Path) -> None:
    """Set up a measuring process."""
    workload = with_fewer_rows(what.load(data_root)).to(choose_device(device))
    state.update(workload=workload, way=way, together=together)
    if "workers" in way:
        state["workers"] = Processes(WorkloadObjective(workload), together)


def end_measuring() -> None:
    """End the workers of a measuring process, which would otherwise wait for them forever."""
    if "workers" in state:
        state["workers"].__exit__()


def with_fewer_rows(workload: Workload) -> Workload:
    """The workload, cut to TRAIN_ROWS and VALIDATION_ROWS."""
    data = workload.data
    train, validation = Split(*data.train.first(TRAIN_ROWS)), Split(*data.validation.first(VALIDATION_ROWS))
    return replace(workload, data=replace(data, train=train, validation=validation))


def seconds_of_an_epoch() -> float:
    """Seconds per epoch of one run, including an evaluation at its end, averaged over at least LEAST_SECONDS."""
    workload, way, together = state["workload"], state["way"], state["together"]
    # Slightly different schedules, as in a cohort.
    runs = [Run(Cosine(peak_lr=workload.peak_lr[0] * (1 + i / together)), 1, 0, evaluations=1) for i in range(together)]
    began = time.perf_counter()
    trained = 0
    while time.perf_counter() < began + LEAST_SECONDS:
        trained += together
        if way == "tutorial":
            tutorial_run(workload, runs[0])
        elif "workers" in way:
            list(SideBySide(WorkloadObjective(workload), 1, state["workers"]).train(runs))
        else:
            with same_random_numbers_after(workload.device), same_bits_every_time(workload.device):
                learner = (Plain if way == "loop" else Lockstep)(workload, runs)
                list(train_cohort(workload, runs, learner, never, runs[0].budget * workload.steps_per_epoch))
    return (time.perf_counter() - began) / trained


def peak_bytes() -> int:
    """Peak memory of the process and its workers, or allocated on the GPU."""
    if state["workload"].device.type == "cuda":
        return int(torch.cuda.max_memory_allocated())
    workers: list[int] = state["workers"].everywhere(worker_peak_bytes) if "workers" in state else []
    return own_peak_bytes() + sum(workers)


def worker_peak_bytes(objective: Objective) -> int:
    """Peak memory of a worker process. objective: ignored."""
    return own_peak_bytes()


def own_peak_bytes() -> int:
    """Peak memory of this process.

    Read from Linux's status file, because `getrusage` includes the parent's memory when it started this process.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def useful_flop(workload: Workload) -> float:
    """Floating-point operations per epoch of one run: steps and evaluation of the plain loop, counted by torch."""
    workload = with_fewer_rows(workload)
    learner = Plain(workload, [Run(Cosine(peak_lr=workload.peak_lr[0]), 1, 0, evaluations=1)])
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as step:  # torch does not count the fused kernel
        learner.update(*workload.data.train.first(workload.batch_size))
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as evaluation:
        learner.evaluate(*workload.data.validation.first(EVALUATION_ROWS), [0])
    return float(
        workload.steps_per_epoch * step.get_total_flops()
        + workload.data.validation.rows / EVALUATION_ROWS * evaluation.get_total_flops()
    )


def matrix_rate(device: str, rounds: int = 10) -> float:
    """Floating-point operations per second of a float32 matrix product, in the fastest of `rounds`."""
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
    """Speed relative to the reference: median, minimum and maximum over the rounds."""
    each = [other / own for own, other in zip(measured.seconds, reference.seconds, strict=True)]
    return median(each), min(each), max(each)

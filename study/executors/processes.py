"""Processes: single-threaded worker processes that train cohorts in parallel on the CPU cores."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import parent_process
from typing import Any, TypeVar

import torch
from torch.multiprocessing import get_context

from search_spaces.errors import InputError
from study.executors.in_process import InProcess, cohorts
from study.objective import Evaluation, Objective, Run, Stop, never

T = TypeVar("T")

LOOK_EVERY = 0.2
"""Seconds between checks whether to stop."""
BROKEN = "a worker process was killed or could not start: repeat the command to resume"
STOP_SECONDS = 15.0
"""How long a worker that is to stop may take to leave its run, before it is ended."""
START_SECONDS = 120.0
"""How long workers wait for the slowest one to start."""


class Processes:
    """An `Executor` that trains in `workers` processes, with the same results as a single-threaded process.

    The data is shared, not copied. A context manager: the processes start with the first runs and end with the context.
    """

    def __init__(self, objective: Objective, cohort: int, workers: int) -> None:
        self.objective, self.cohort = objective, cohort
        context = get_context("spawn")  # torch's: tensors go through shared memory
        with startable():
            self.stopped = context.Event()
            self.workers, together = workers, context.Barrier(workers)
            self.pool = ProcessPoolExecutor(workers, context, begin, (objective, cohort, self.stopped, together))

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *error: object) -> None:
        self.stopped.set()
        self.pool.shutdown(cancel_futures=True)

    def train(
        self, runs: Sequence[Run], stop: Stop = never, done: Collection[int] = frozenset()
    ) -> Iterator[Evaluation]:
        """Implements `Executor.train`; yields all evaluations of a cohort when it ends.

        stop: called several times a second; the workers stop once it is true for all runs.
        """
        training: dict[Future[list[Evaluation]], list[int]] = {}
        try:
            for cohort in cohorts(runs, self.cohort, self.objective):
                if not set(cohort) <= set(done):
                    with startable():
                        future = self.pool.submit(train_in_worker, [runs[index] for index in cohort])
                    training[future] = cohort
            while training:
                ended, _ = wait(training, LOOK_EVERY, FIRST_COMPLETED)
                if all(map(stop, range(len(runs)))):
                    return
                for future in ended:
                    indices = training.pop(future)
                    for evaluation in future.result():
                        yield replace(evaluation, run=indices[evaluation.run])
        except (BrokenProcessPool, BrokenPipeError) as error:
            raise InputError(BROKEN) from error
        finally:
            if training:
                self.stopped.set()  # the caller closed the iterator early

    def everywhere(self, function: Callable[..., T], *arguments: Any) -> list[T]:
        """Call function(objective, *arguments) in all workers at the same time; returns the result of each."""
        with startable():
            futures = [self.pool.submit(call_together, function, *arguments) for _ in range(self.workers)]
        try:
            return [future.result() for future in futures]
        except (BrokenProcessPool, BrokenPipeError) as error:
            raise InputError(BROKEN) from error


@contextmanager
def startable() -> Iterator[None]:
    """Say why worker processes cannot be started, if the system refuses; they start when they are first given work."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        shared = "shared memory" in str(error)  # torch's message names a file that nobody knows
        if not shared and not isinstance(error, OSError):
            raise
        reason = str(error).rpartition(": ")[2]
        if shared and "No space" in reason:
            reason = "/dev/shm, which holds the data they share, is too small"
        raise InputError(f"worker processes cannot be started ({reason}): give --executor in-process") from error


def begin(objective: Objective, cohort: int, stopped: Any, together: Any) -> None:
    """Set up a worker: one thread, its executor, and a watcher that ends it together with its parent."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the parent decides
    threading.Thread(target=end_with_parent, daemon=True).start()
    threading.Thread(target=end_if_stopped, args=(stopped,), daemon=True).start()
    state.update(executor=InProcess(objective, cohort), stopped=stopped, together=together)


def end_with_parent() -> None:
    """End this process when its parent ends, even if the parent was killed."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def end_if_stopped(stopped: Any) -> None:
    """End this process if it was stopped, and does not leave its run: code of a user's may hang.

    It looks from time to time, because an event must not be waited for by a process that may be killed.
    """
    while not stopped.is_set():
        time.sleep(1.0)
    time.sleep(STOP_SECONDS)
    os._exit(1)


state: dict[str, Any] = {}
"""State of a worker: its `executor`; `stopped`, an event set to stop; `together`, a barrier for all workers."""


def train_in_worker(runs: Sequence[Run]) -> list[Evaluation]:
    """Train a cohort to its end, or until `stopped` is set."""
    executor, stopped = state["executor"], state["stopped"]
    return list(executor.train(runs, lambda run: stopped.is_set()))


def call_together(function: Callable[..., T], *arguments: Any) -> T:
    """Wait until every worker has arrived, then call the function with this worker's objective."""
    state["together"].wait(START_SECONDS)
    return function(state["executor"].objective, *arguments)

"""Processes: single-threaded worker processes on this machine; on a machine with GPUs, each has one of them."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, TypeVar

import torch
import torch.multiprocessing  # lets tensors go through shared memory

from search_spaces.errors import InputError
from study.executors.side_by_side import Lost, Trained, train_whole
from study.machine import cards
from study.objective import Objective, Run

T = TypeVar("T")

BROKEN = "a worker process was killed or could not start: repeat the command to resume"
STOP_SECONDS = 15.0
"""How long a worker that is to stop may take to leave its run, before it is ended."""
START_SECONDS = 120.0
"""How long workers wait for the slowest one to start."""
MOST_ATTEMPTS = 100_000
"""Attempts that may be unfinished at the same time."""


class Processes:
    """`Workers` in processes of this machine, with the same results as a single-threaded process.

    Data in main memory is shared, not copied. A context manager: the processes start when they are needed and end with
    the context. If the objective trains on CUDA, each process sees one card, and trains there.
    """

    def __init__(self, objective: Objective, workers: int) -> None:
        self.workers = workers
        context = OneCardEach(cards() if objective.device.type == "cuda" else [])
        with startable():
            self.stopped, together = context.Event(), context.Barrier(workers)
            self.left = context.RawArray("b", MOST_ATTEMPTS)  # no lock, which a process that is killed would keep
            state = (objective.elsewhere(), objective.device, self.stopped, self.left, together)
            self.pool = ProcessPoolExecutor(workers, context, begin, state)
        self.training: dict[Future[Trained], int] = {}
        self.attempts = 0

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *error: object) -> None:
        self.leave(self.training.values())
        self.stopped.set()
        self.pool.shutdown(cancel_futures=True)

    def submit(self, runs: Sequence[Run]) -> int:
        self.attempts += 1
        self.left[self.attempts % MOST_ATTEMPTS] = 0
        with startable(), told_if_broken():
            self.training[self.pool.submit(train_in_worker, runs, self.attempts)] = self.attempts
        return self.attempts

    def ended(self, seconds: float) -> Mapping[int, Trained | Lost]:
        with told_if_broken():
            done, _ = wait(self.training, seconds, FIRST_COMPLETED)
            return {self.training.pop(future): future.result() for future in done}

    def leave(self, attempts: Collection[int]) -> None:
        given_up = set(attempts)
        for attempt in given_up:
            self.left[attempt % MOST_ATTEMPTS] = 1
        for future in [future for future, attempt in self.training.items() if attempt in given_up]:
            future.cancel()
            del self.training[future]

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        with told_if_broken():
            with startable():
                future = self.pool.submit(call_here, function, *arguments)
            return future.result()

    def everywhere(self, function: Callable[..., T], *arguments: Any) -> list[T]:
        """Call function(objective, *arguments) in all workers at the same time; returns the result of each."""
        with told_if_broken():
            with startable():
                futures = [self.pool.submit(call_together, function, *arguments) for _ in range(self.workers)]
            return [future.result() for future in futures]


@contextmanager
def told_if_broken() -> Iterator[None]:
    """Raise InputError if a worker process has ended."""
    try:
        yield
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


class OneCardEach(SpawnContext):
    """Starts processes that see one card each, in turn; without cards, as any other context.

    A process must find the variable when it starts, before anything imports torch.
    """

    def __init__(self, visible: Sequence[str]) -> None:
        super().__init__()
        self.visible, self.made = visible, 0

    def Process(self, *arguments: Any, **named: Any) -> SpawnProcess:  # type: ignore[override]
        """The next process."""
        card = self.visible[self.made % len(self.visible)] if self.visible else None
        self.made += 1
        return OneCardProcess(card, *arguments, **named)


class OneCardProcess(SpawnProcess):
    """A process that sees one card. card: its number or identifier; None leaves all visible."""

    def __init__(self, card: str | None, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.card = card

    def start(self) -> None:
        before = os.environ.get(VISIBLE)
        if self.card is not None:
            os.environ[VISIBLE] = self.card
        try:
            super().start()
        finally:
            if before is not None:
                os.environ[VISIBLE] = before
            elif self.card is not None:
                del os.environ[VISIBLE]


VISIBLE = "CUDA_VISIBLE_DEVICES"


def begin(objective: Objective, device: torch.device, stopped: Any, left: Any, together: Any) -> None:
    """Set up a worker: one thread, its objective, and watchers that end it with its parent or when it is stopped."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the parent decides
    threading.Thread(target=end_with_parent, daemon=True).start()
    threading.Thread(target=end_if_stopped, args=(stopped,), daemon=True).start()
    state.update(objective=objective.at(device), stopped=stopped, left=left, together=together)


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
"""State of a worker: its `objective`; `stopped`, an event set to end; `left`, for each attempt whether it is given up;
`together`, a barrier for all workers."""


def train_in_worker(runs: Sequence[Run], attempt: int) -> Trained:
    """Train a cohort to its end, or until this attempt is given up."""
    left, place = state["left"], attempt % MOST_ATTEMPTS
    return train_whole(state["objective"], runs, lambda run: bool(left[place]))


def call_here(function: Callable[..., T], *arguments: Any) -> T:
    """Call the function with this worker's objective."""
    return function(state["objective"], *arguments)


def call_together(function: Callable[..., T], *arguments: Any) -> T:
    """Wait until every worker has arrived, then call the function with this worker's objective."""
    state["together"].wait(START_SECONDS)
    return function(state["objective"], *arguments)

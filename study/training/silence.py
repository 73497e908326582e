"""Runs that hang: one that evaluates nothing for much longer than a whole run takes is ended, and counts as failed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import parent_process
from types import FrameType
from typing import Any

from study.machine import usable_cores
from study.objective import duration

TIMES = 10.0
"""A run may be silent for this many times as long as a whole run of its budget takes."""
LEAST = 60.0
"""It may always be silent for as many seconds: short runs wait for much else."""
WAKE = signal.SIGURG
"""The signal that ends silent code; without a handler it does nothing, so one that is late does no harm."""


@dataclass
class Pace:
    """How long runs take. slowest: seconds for each epoch or step of a budget, of the runs that ended in this process.

    Before one has ended here, the first runs say it. They had the whole machine, which workers share.
    """

    slowest: float | None = None

    def longest_silence(self, budget: int, first: float) -> float:
        """Seconds that a run of this budget may go without an evaluation. first: `slowest`, of the first runs."""
        shared = usable_cores() if parent_process() else 1
        usual = first * shared if self.slowest is None else self.slowest
        return max(LEAST, TIMES * usual * budget)

    def ended(self, budget: int, seconds: float) -> None:
        """Take in a run that trained to its end."""
        self.slowest = max(self.slowest or 0.0, seconds / budget)


class Silent(BaseException):
    """Raised out of a user's code that has been silent for too long. No `except Exception` catches it."""


def hung(seconds: float) -> str:
    """Why a run was ended that made no evaluation for this time."""
    return f"it made no evaluation for {duration(seconds)}, much longer than a whole run should take, and was ended"


@contextmanager
def breakable(seconds: float | None) -> Iterator[None]:
    """Let the code within be ended at any point: by Ctrl-C and SIGTERM at once, and by `Silent` after this time.

    A search only notes the signals, so that they interrupt no write. But a user's code may hang, and never come back.
    Signals are for the main thread: in another one, the code within is left alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[signal.Signals, Any] = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(number)
        if callable(handler):  # a worker ignores Ctrl-C
            before[number] = signal.signal(number, raising_after(handler))
    timer = None
    if seconds is not None:
        before[WAKE] = signal.signal(WAKE, raise_silent)
        timer = threading.Timer(seconds, signal.pthread_kill, (threading.get_ident(), WAKE))
        timer.daemon = True
        timer.start()
    try:
        yield
    finally:
        if timer:
            timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def raising_after(handler: Callable[[int, FrameType | None], Any]) -> Callable[[int, FrameType | None], Any]:
    """A handler that does the same, and then raises KeyboardInterrupt."""

    def handle(number: int, frame: FrameType | None) -> None:
        handler(number, frame)
        raise KeyboardInterrupt

    return handle


def raise_silent(number: int, frame: FrameType | None) -> None:
    """End the code that runs now."""
    raise Silent

"""How runs are trained, as flags."""

from __future__ import annotations

import os
from dataclasses import dataclass

from search_spaces.errors import InputError, require, unknown

EXECUTORS = ("in-process", "processes")
ENGINES = ("auto", "lockstep", "loop")
WORKERS_PER_CORE = 8
"""More processes only take turns."""


@dataclass(frozen=True)
class ExecutorOptions:
    """How runs are trained."""

    engine: str = "auto"
    """lockstep: many runs as one stacked model; loop: one run at a time; auto: the faster one, timed at the start."""
    cohort: int | None = None
    """Most runs trained together. Default: as many as are fast (timed) and fit into memory."""
    executor: str | None = None
    """in-process, or processes: single-threaded workers on the CPU. Default: chosen by timing, in-process if --engine
    or --cohort is given."""
    workers: int | None = None
    """Number of worker processes. Default: one per core, if --executor is processes."""

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise unknown("engine", self.engine, ENGINES)
        if self.executor is not None and self.executor not in EXECUTORS:
            raise unknown("executor", self.executor, EXECUTORS)
        require(self.cohort is None or self.cohort >= 1, "--cohort must be at least 1", self.cohort)
        require(self.workers is None or self.workers >= 1, "--workers must be at least 1", self.workers)
        most = WORKERS_PER_CORE * (os.cpu_count() or 1)
        require(self.workers is None or self.workers <= most, f"--workers must be at most {most} here", self.workers)
        if self.executor == "in-process" and self.workers is not None:
            raise InputError(f"--executor in-process has no workers: remove --workers {self.workers}")
        if self.engine == "loop" and self.cohort not in (None, 1):
            raise InputError(f"--engine loop trains one run at a time: remove --cohort {self.cohort}")
        if self.engine == "lockstep":
            require(self.cohort != 1, "--engine lockstep needs a --cohort of at least 2", self.cohort)

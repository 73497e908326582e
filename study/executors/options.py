"""How runs are trained, as flags."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from search_spaces.errors import InputError, require, unknown
from study.flags import Shown

EXECUTORS = ("in-process", "processes", "ray")
ENGINES = ("auto", "lockstep", "loop")


@dataclass(frozen=True)
class ExecutorOptions:
    """How runs are trained."""

    engine: str = "auto"
    """lockstep: many runs as one stacked model; loop: one run at a time; auto: the faster one, timed at the start."""
    cohort: int | None = None
    """Most runs trained together. Default: as many as are fast (timed) and fit into memory."""
    executor: str | None = None
    """in-process; processes: single-threaded workers on this machine, one per GPU if it has any; or ray: actors on the
    machines of a Ray cluster. Default: chosen by timing, in-process if --engine or --cohort is given."""
    workers: int | None = None
    """Number of worker processes or Ray actors. Default, if --executor is processes: one per GPU or core."""
    gpus_per_run: float | None = None
    """For --executor ray: GPUs of each actor; 0.5 lets two share one. Default: 1 with --device cuda, else 0."""
    cpus_per_run: float | None = None
    """For --executor ray: cores that each actor reserves, such as for reading data. Default: 1."""
    ray_address: Annotated[str | None, Shown(metavar="ADDRESS")] = None
    """For --executor ray: HOST:PORT of a cluster, or auto: the one of this machine. Default: start Ray here."""

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise unknown("engine", self.engine, ENGINES)
        if self.executor is not None and self.executor not in EXECUTORS:
            raise unknown("executor", self.executor, EXECUTORS)
        require(self.cohort is None or self.cohort >= 1, "--cohort must be at least 1", self.cohort)
        require(self.workers is None or self.workers >= 1, "--workers must be at least 1", self.workers)
        self.check_ray()
        if self.executor == "in-process" and self.workers is not None:
            raise InputError(f"--executor in-process has no workers: remove --workers {self.workers}")
        if self.engine == "loop" and self.cohort not in (None, 1):
            raise InputError(f"--engine loop trains one run at a time: remove --cohort {self.cohort}")
        if self.engine == "lockstep":
            require(self.cohort != 1, "--engine lockstep needs a --cohort of at least 2", self.cohort)

    def check_ray(self) -> None:
        """Raise InputError if a flag of Ray has no meaning."""
        for name in ("gpus_per_run", "cpus_per_run", "ray_address"):
            value, flag = getattr(self, name), f"--{name.replace('_', '-')}"
            require(value is None or self.executor == "ray", f"{flag} needs --executor ray", value)
        if self.executor == "ray" and self.workers is None:
            raise InputError("--executor ray needs the number of its actors: give --workers N")
        gpus, cpus = self.gpus_per_run, self.cpus_per_run
        whole = gpus is None or 0 <= gpus <= 1 or gpus == math.floor(gpus) > 0
        require(whole, "--gpus-per-run must be at most 1, or a whole number", gpus)
        require(cpus is None or 0 < cpus < math.inf, "--cpus-per-run must be above 0", cpus)
        client = self.ray_address is not None and "://" in self.ray_address
        require(not client, "--ray-address must be HOST:PORT or auto, on a machine of the cluster", self.ray_address)

    @property
    def elsewhere(self) -> bool:
        """Whether other processes train the runs, as far as the flags say."""
        return bool(self.workers) or self.executor in ("processes", "ray")

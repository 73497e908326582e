"""Engine: how the runs of a study are trained. It is chosen by timing, once, and the study then keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, NoReturn

import optuna

from search_spaces.errors import InputError, require, unknown
from study.executors.in_process import Trainer, Trains, same_random_numbers_after
from study.executors.processes import Workers, workers_obstacle
from study.executors.timing import cohort_sizes, runs_in_memory, seconds_per_update
from study.machine import one_thread
from study.search.configuration import Configuration
from study.storage.provenance import usable_cores
from study.training.lockstep_check import obstacle
from study.workloads.workload import Workload

ENGINES = ("auto", "lockstep", "loop")
WORTH_WORKERS = 30.0
"""Seconds that workers must promise to save over a study of 50 trials; to start them takes some itself."""


@dataclass(frozen=True)
class Engine:
    """How runs are trained. Results are equal to the last bit for equal engines and threads, on one machine.

    cohort: the most runs trained together in lockstep; 1 is the plain loop, run by run.
    workers: processes of one thread each; 0 is one process with all its threads.
    """

    cohort: int = 1
    workers: int = 0

    @property
    def name(self) -> str:
        """As at the command line."""
        return "loop" if self.cohort == 1 else "lockstep"

    def __str__(self) -> str:
        how = self.name if self.cohort == 1 else f"lockstep of {self.cohort}"
        return how + (f" in {self.workers} worker{'s' * (self.workers > 1)}" if self.workers else "")

    @property
    def options(self) -> EngineOptions:
        """What asks for this very engine."""
        return EngineOptions(self.name, self.cohort if self.cohort > 1 else None, self.workers or None)

    @contextmanager
    def trainer(self, workload: Workload) -> Iterator[Trains]:
        """What trains that way."""
        if not self.workers:
            yield Trainer(workload, self.cohort)
            return
        with Workers(workload, self.cohort, self.workers) as workers:
            yield workers


@dataclass(frozen=True)
class EngineOptions:
    """What the user says of the engine."""

    engine: str = "auto"
    """lockstep (runs trained together), loop (run by run), or auto: what is fastest, found by timing a few updates."""
    cohort: int | None = None
    """Most runs trained together. None: as many as are fast (timed; results/speed/speed.md), and fit into memory."""
    workers: int | None = None
    """Processes of one thread that train, on the CPU. None: auto finds out, otherwise one process with all threads."""

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise unknown("engine", self.engine, ENGINES)
        require(self.cohort is None or self.cohort >= 1, "--cohort must be at least 1", self.cohort)
        require(self.workers is None or self.workers >= 1, "--workers must be at least 1", self.workers)
        if self.engine == "loop":
            require(self.cohort in (None, 1), "--engine loop trains run by run: leave out --cohort", self.cohort)
        if self.engine == "lockstep":
            require(self.cohort != 1, "--engine lockstep needs a --cohort of at least 2", self.cohort)


def agree(
    optuna_study: optuna.Study, options: EngineOptions, workload: Workload, configuration: Configuration
) -> tuple[Engine, str]:
    """The engine that the study keeps, chosen now if it is new, and the reason; raises InputError if told another."""
    if options.workers:
        check_workers(workload, configuration)
    stored = optuna_study.user_attrs.get("engine")
    if stored is None:
        with same_random_numbers_after(workload.device):
            engine, reason = choose(options, workload, configuration)
        optuna_study.set_user_attr("engine", {**as_stored(engine), "asked": asdict(options)})
        return engine, reason
    if stored["cohort"] > 1 and not workload.data.resident:
        raise InputError(f"the runs of this study train together, so {workload.data.name} must fit into memory")
    for option in ("engine", "cohort"):
        given, asked, is_now = (values[option] for values in (asdict(options), stored["asked"], stored))
        if given not in ("auto", None, asked, is_now):
            refuse(optuna_study, f"--{option} {is_now}")
    if options.workers and not stored["workers"]:
        refuse(optuna_study, "one process with all threads, not --workers of one thread each")
    return Engine(stored["cohort"], options.workers or stored["workers"]), "as when the study began"


def refuse(optuna_study: optuna.Study, was: str) -> NoReturn:
    """Raise the InputError for options that are not those of the study."""
    name = optuna_study.study_name
    raise InputError(f"study {name!r} was made with {was}: give the same again, or choose another with --study")


def as_stored(engine: Engine) -> dict[str, Any]:
    """The engine as a study's record holds it."""
    return {"engine": engine.name, **asdict(engine)}


def lower_cohort(optuna_study: optuna.Study, cohort: int) -> Engine:
    """The study's engine from now on, stored: there was not enough memory for larger cohorts."""
    stored = optuna_study.user_attrs["engine"]
    engine = Engine(cohort, stored["workers"])
    optuna_study.set_user_attr("engine", {**stored, **as_stored(engine)})
    return engine


def check_workers(workload: Workload, configuration: Configuration) -> None:
    """Raise InputError where several processes cannot train, or would make the results depend on their speed."""
    reason = workers_obstacle(workload, configuration.pruner)
    if reason:
        raise InputError(reason)


def choose(options: EngineOptions, workload: Workload, configuration: Configuration) -> tuple[Engine, str]:
    """The engine for a new study, and the reason."""
    workers = options.workers or 0
    if options.engine == "loop" or options.cohort == 1 or (options.engine == "auto" and workers and not options.cohort):
        return Engine(1, workers), "as you said"
    wanted = options.cohort or configuration.most_together(workload.steps_per_epoch)
    most = min(wanted, runs_in_memory(workload)) if workload.data.resident else wanted
    if options.engine == "auto" and not options.cohort:
        return fastest(workload, configuration, most)
    require(wanted > 1, "--engine lockstep needs --trials-per-batch of at least 2", wanted)
    if most < 2:
        raise InputError("two runs together do not fit into memory: use --engine loop")
    reason = obstacle(workload)
    if reason:
        raise InputError(f"runs of {workload.name} cannot be trained in lockstep ({reason}): use --engine loop")
    return Engine(most, workers), "as you said" if most == wanted else f"{wanted} runs together do not fit into memory"


def fastest(workload: Workload, configuration: Configuration, most: int) -> tuple[Engine, str]:
    """The engine of the shortest time per update and run, timed now, and the reason; most: the largest cohort."""
    times = {Engine(): seconds_per_update(workload, 1)}
    reason = obstacle(workload)
    for cohort in [] if reason else cohort_sizes(most):
        times[Engine(cohort)] = seconds_per_update(workload, cohort)
        if times[Engine(cohort)] > 1.2 * min(seconds for engine, seconds in times.items() if engine.cohort > 1):
            break  # larger ones have left the caches
    cores = usable_cores()
    if cores > 1 and not workers_obstacle(workload, configuration.pruner):
        updates = 50 / 2 * configuration.epochs * workload.steps_per_epoch
        with one_thread():
            promised = seconds_per_update(workload, 1) / cores
        if updates * (min(times.values()) - promised) > WORTH_WORKERS:
            with Workers(workload, 1, cores) as workers:
                times[Engine(1, cores)] = sum(workers.everywhere(seconds_per_update, workload, 1, median)) / cores**2
    measured = ", ".join(f"{1000 * seconds:.2f} {engine}" for engine, seconds in times.items())
    told = f"; not in lockstep: {reason}" if reason else ""
    return min(times, key=lambda engine: times[engine]), f"milliseconds per update and run: {measured}{told}"

"""Which executor trains a study: chosen by timing, once; the study then keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from statistics import median
from typing import Any, NoReturn

from search_spaces.errors import InputError, require
from study.executors.in_process import InProcess
from study.executors.options import ExecutorOptions
from study.executors.processes import Processes
from study.executors.timing import cohort_sizes, seconds_per_step
from study.machine import same_random_numbers_after, torch_threads, usable_cores
from study.objective import Engine, Executor, Objective

WORTH_WORKERS = 30.0
"""Seconds that workers must save over a study of 50 trials, by estimate: starting them takes some time."""


@dataclass(frozen=True)
class Demand:
    """What a search asks of its executor.

    most_together: the most runs to train at a time. steps: of a full run. worker_obstacle: why the runs of this search
    cannot be trained in parallel, and what to do; None if they can.
    """

    most_together: int
    steps: int
    worker_obstacle: str | None = None


def asked_workers(options: ExecutorOptions) -> int | None:
    """Worker processes that the options ask for, 0 for none; None if they leave it open."""
    if options.executor == "in-process":
        return 0
    return options.workers or (usable_cores() if options.executor == "processes" else None)


@contextmanager
def executor_of(engine: Engine, objective: Objective) -> Iterator[Executor]:
    """The executor that trains an objective this way, until the context ends."""
    if engine.workers:
        with Processes(objective, engine.cohort, engine.workers) as processes:
            yield processes
    else:
        yield InProcess(objective, engine.cohort)


def agree(
    study: str, stored: Mapping[str, Any] | None, options: ExecutorOptions, objective: Objective, demand: Demand
) -> tuple[Engine, str]:
    """The engine of a study, chosen now if it is new, and the reason; raises InputError if it was made with another.

    study: its name. stored: what `as_stored` made of its engine; None for a new study.
    """
    if asked_workers(options):
        check_workers(objective, demand)
    if stored is None:
        with same_random_numbers_after(objective.device):
            return choose(options, objective, demand)
    if stored["cohort"] > 1 and not objective.resident:
        raise InputError(f"the runs of this study train together, so the data of {objective.name} must fit into memory")
    for option in ("engine", "cohort"):
        given, asked, is_now = (values[option] for values in (asdict(options), stored["asked"], stored))
        if given not in ("auto", None, asked, is_now):
            refuse(study, f"--{option} {is_now}")
    if asked_workers(options) and not stored["workers"]:
        refuse(study, "--executor in-process")
    if asked_workers(options) == 0 and stored["workers"]:
        refuse(study, "--executor processes")
    return Engine(stored["cohort"], asked_workers(options) or stored["workers"]), "fixed when the study was created"


def refuse(study: str, was: str) -> NoReturn:
    """Raise the InputError for options that are not those of the study."""
    raise InputError(f"study {study!r} was made with {was}: give the same again, or choose another with --study")


def as_stored(engine: Engine, options: ExecutorOptions) -> dict[str, Any]:
    """The engine as a study's record holds it, with the options that asked for it."""
    return {"engine": engine.name, **asdict(engine), "asked": asdict(options)}


def check_workers(objective: Objective, demand: Demand) -> None:
    """Raise InputError if several processes cannot train, or if results would depend on their speed."""
    reason = workers_obstacle(objective, demand)
    if reason:
        raise InputError(reason)


def workers_obstacle(objective: Objective, demand: Demand) -> str | None:
    """Why several processes cannot train, and what to do about it; None if they can."""
    return demand.worker_obstacle or objective.process_obstacle()


def choose(options: ExecutorOptions, objective: Objective, demand: Demand) -> tuple[Engine, str]:
    """The engine for a new study, and the reason."""
    workers = asked_workers(options) or 0
    if options.engine == "loop" or options.cohort == 1 or (options.engine == "auto" and workers and not options.cohort):
        return Engine(1, workers), set_by(options)
    if not objective.can_be_timed and options.engine == "auto" and not options.cohort:
        return Engine(1, workers), objective.lockstep_obstacle() or "run by run"
    wanted = options.cohort or demand.most_together
    if options.engine == "auto" and not options.cohort:
        return fastest(objective, demand, may_use_workers=asked_workers(options) is None)
    require(wanted > 1, "--engine lockstep needs --trials-per-batch of at least 2", wanted)
    reason = objective.lockstep_obstacle()
    if reason:
        raise InputError(f"runs of {objective.name} cannot be trained in lockstep ({reason}): use --engine loop")
    most = min(wanted, objective.largest_cohort())
    if most < 2:
        raise InputError("two runs together do not fit into memory: use --engine loop")
    return Engine(most, workers), set_by(
        options
    ) if most == wanted else f"{wanted} runs together do not fit into memory"


def set_by(options: ExecutorOptions) -> str:
    """Which flags decided, for people."""
    given = [field.name for field in fields(options) if getattr(options, field.name) != field.default]
    return f"set by {' and '.join(f'--{name}' for name in given)}"


def fastest(objective: Objective, demand: Demand, may_use_workers: bool) -> tuple[Engine, str]:
    """The engine of the shortest time per step and run, timed now, and the reason."""
    times = {Engine(): seconds_per_step(objective, 1)}
    reason = objective.lockstep_obstacle()
    most = 1 if reason else min(demand.most_together, objective.largest_cohort())
    for cohort in cohort_sizes(most):
        times[Engine(cohort)] = seconds_per_step(objective, cohort)
        if times[Engine(cohort)] > 1.2 * min(seconds for engine, seconds in times.items() if engine.cohort > 1):
            break  # larger ones have left the caches
    cores = usable_cores()
    if may_use_workers and cores > 1 and not workers_obstacle(objective, demand):
        steps = 50 / 2 * demand.steps
        with torch_threads(1):
            promised = seconds_per_step(objective, 1) / cores
        if steps * (min(times.values()) - promised) > WORTH_WORKERS:
            with (
                suppress(InputError),
                Processes(objective, 1, cores) as workers,
            ):  # a script without a main guard cannot have any
                times[Engine(1, cores)] = sum(workers.everywhere(seconds_per_step, 1, median)) / cores**2
    measured = ", ".join(f"{1000 * seconds:.2f} {engine}" for engine, seconds in times.items())
    why_not = f"; not in lockstep: {reason}" if reason else ""
    return min(times, key=lambda engine: times[engine]), f"milliseconds per step and run: {measured}{why_not}"

"""Chooses the executor of a study by timing; the study keeps it from then on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any, NoReturn

import torch

from search_spaces.errors import InputError, require
from study.executors.in_process import InProcess
from study.executors.options import ExecutorOptions
from study.executors.processes import Processes
from study.executors.ray_actors import RayActors
from study.executors.side_by_side import SideBySide, Workers
from study.executors.timing import seconds_by_cohort, seconds_per_step
from study.machine import cards, same_random_numbers_after, torch_threads, usable_cores
from study.objective import Engine, Executor, Objective
from study.speed import ChosenEngine, Speed

DISAGREE = 2.0
"""Times of the same engine that differ by this factor are not trusted without a note."""
WORTH_SHARING = 1.5
"""Torch gets all its threads only where they train at least this many times as fast as one. Otherwise one is safer:
threads that share a step wait for each other, so a program beside them can make it take many times as long.
"""
WORKERS_PER_CORE = 8
"""Maximum number of worker processes; more only take turns."""
LEAST_SAVING = 30.0
"""Minimum seconds that workers must save over a study of 50 trials, since starting them takes time, too."""


@dataclass(frozen=True)
class Demand:
    """What a search requires of its executor.

    most_together: maximum number of runs trained at the same time. steps: steps of a full run. worker_obstacle: why the
    runs cannot be trained in parallel processes, and what to do about it; None if they can.
    """

    most_together: int
    steps: int
    worker_obstacle: str | None = None


def asked_workers(options: ExecutorOptions, objective: Objective) -> int | None:
    """Number of workers that the options require, 0 for none; None if it is to be chosen."""
    if options.executor == "in-process":
        return 0
    there = cards() if objective.device.type == "cuda" else []
    return options.workers or ((len(there) or usable_cores()) if options.executor == "processes" else None)


def asked_pool(options: ExecutorOptions, objective: Objective) -> AbstractContextManager[Workers | None]:
    """The workers that the options require, as a context; None if they require none. Ray's have begun."""
    number = asked_workers(options, objective)
    return pool_of(number, objective, options) if number else nullcontext()


def pool_of(workers: int, objective: Objective, options: ExecutorOptions) -> AbstractContextManager[Workers]:
    """Workers that train an objective, as a context: Ray actors if the options say so, or else processes."""
    if options.executor == "ray":
        return RayActors(objective, workers, options)
    return Processes(objective, workers)


@contextmanager
def executor_of(
    engine: Engine,
    objective: Objective,
    pool: Workers | None = None,
    options: ExecutorOptions | None = None,
) -> Iterator[Executor]:
    """The executor that trains an objective with this engine; its workers end with the context.

    pool: workers that have begun already. options: if they must be made, of which kind and how; None for processes.
    """
    if not engine.workers:
        with torch_threads(engine.threads or torch.get_num_threads()):
            yield InProcess(objective, engine.cohort)
    elif pool:
        yield SideBySide(objective, engine.cohort, pool)
    else:
        with pool_of(engine.workers, objective, options or ExecutorOptions()) as made:
            yield SideBySide(objective, engine.cohort, made)


def agree(
    study: str,
    stored: Mapping[str, Any] | None,
    options: ExecutorOptions,
    objective: Objective,
    demand: Demand,
    pool: Workers | None = None,
) -> ChosenEngine:
    """The engine of a study; that of a new one is chosen and timed now.

    study: its name. stored: the engine as `as_stored` returned it; None for a new study. pool: the workers that the
    options require. Raises InputError if the options require another engine than the stored one.
    """
    asked = asked_workers(options, objective)
    if stored is None:
        if pool and objective.device.type == "cuda":  # this process leaves the GPUs to the workers
            return pool.call(choose, options, demand, asked)
        with same_random_numbers_after(objective.device):
            return choose(objective, options, demand, asked)
    if stored["cohort"] > 1 and not objective.resident:
        raise InputError(
            f"the runs of this study are trained together, so the data of {objective.name} must fit into memory: "
            "free some memory, or start a new study with --study"
        )
    for option in ("engine", "cohort"):
        given, first_given, chosen = (values[option] for values in (asdict(options), stored["asked"], stored))
        if given not in ("auto", None, first_given, chosen):
            refuse(study, f"--{option} {chosen}")
    if asked and not stored["workers"]:
        refuse(study, "--executor in-process")
    if asked == 0 and stored["workers"]:
        refuse(study, f"--executor {stored['asked'].get('executor') or 'processes'}")
    engine = Engine(stored["cohort"], asked or stored["workers"], stored.get("threads"))
    return ChosenEngine(engine, "fixed when the study was created", Speed.read(stored.get("speed")))


def refuse(study: str, option: str) -> NoReturn:
    """Raise the InputError for options that differ from the study's. option: the one to type."""
    raise InputError(f"study {study!r} was created with {option}: use the same, or another name with --study")


def as_stored(chosen: ChosenEngine, options: ExecutorOptions) -> dict[str, Any]:
    """The engine as stored with a study, with its speed and the options it was chosen by."""
    engine = chosen.engine
    return {"engine": engine.name, **asdict(engine), "asked": asdict(options), "speed": chosen.speed.plain()}


def check_workers(options: ExecutorOptions, objective: Objective, demand: Demand) -> None:
    """Raise InputError if the options require too many workers, or such as cannot train the runs, or whose speed would
    decide. Of a stored study this is not required: this machine may have fewer cores than the one that made it."""
    if options.executor != "ray":
        most = WORKERS_PER_CORE * (os.cpu_count() or 1)
        require((options.workers or 0) <= most, f"--workers must be at most {most} here", options.workers)
    if asked_workers(options, objective):
        reason = demand.worker_obstacle if options.executor == "ray" else workers_obstacle(objective, demand)
        if reason:
            raise InputError(reason)


def workers_obstacle(objective: Objective, demand: Demand) -> str | None:
    """Why worker processes cannot train the runs, and what to do about it; None if they can."""
    return demand.worker_obstacle or objective.process_obstacle()


def choose(objective: Objective, options: ExecutorOptions, demand: Demand, asked: int | None = None) -> ChosenEngine:
    """The engine for a new study, the reason, and its speed.

    asked: the number of workers that the options require here; a worker that this runs in sees one GPU only.
    """
    if options.engine == "auto" and not options.cohort and not asked and objective.can_be_timed:
        return fastest(objective, demand, may_use_workers=asked is None)
    engine, reason = determined(options, objective, demand, asked or 0)
    engine, speed = with_speed(engine, objective)
    return ChosenEngine(engine, reason, speed)


def determined(options: ExecutorOptions, objective: Objective, demand: Demand, workers: int) -> tuple[Engine, str]:
    """The engine that flags determine, or an objective that can only be trained in one way; and the reason."""
    if options.engine == "loop" or options.cohort == 1 or (options.engine == "auto" and workers and not options.cohort):
        return Engine(1, workers), set_by(options)
    if options.engine == "auto" and not options.cohort:
        return Engine(1, workers), objective.lockstep_obstacle() or "run by run"
    wanted = options.cohort or demand.most_together
    require(wanted > 1, "--engine lockstep needs --trials-per-batch to be at least 2", wanted)
    reason = objective.lockstep_obstacle()
    if reason:
        raise InputError(f"runs of {objective.name} cannot be trained in lockstep ({reason}): use --engine loop")
    most = min(wanted, objective.largest_cohort())
    if most < 2:
        raise InputError("two runs at a time do not fit into memory: use --engine loop")
    fits = most == wanted
    return Engine(most, workers), set_by(options) if fits else f"{wanted} runs at a time do not fit into memory"


def set_by(options: ExecutorOptions) -> str:
    """The reason for an engine that flags determine."""
    given = [name for name, value in asdict(options).items() if value not in ("auto", None)]
    return f"set by {', '.join(f'--{name}' for name in given)}".replace("_", "-")


def with_speed(engine: Engine, objective: Objective) -> tuple[Engine, Speed]:
    """The engine with its threads, and its speed: timed now, or as earlier runs have shown it, or not known."""
    speed, workers = Speed(), engine.workers
    if objective.can_be_timed:
        with one_thread(objective):
            speed = Speed({engine.cohort: seconds_per_step(objective, engine.cohort)})
        if not workers:
            return with_threads(engine, speed, objective)
    elif objective.seconds:
        of_a_step, start = objective.seconds
        speed = Speed({1: of_a_step}, start)
    return engine, speed.divided(workers) if workers else speed


def with_threads(engine: Engine, speed: Speed, objective: Objective) -> tuple[Engine, Speed]:
    """The engine with one thread unless all of torch's are worth it, and its speed. speed: on a CPU, with one thread.

    Medians are compared: on a busy machine the fastest step of several threads says nothing of the others.
    """
    if objective.device.type != "cpu" or torch.get_num_threads() == 1:
        return engine, speed
    with one_thread(objective):
        alone = seconds_per_step(objective, engine.cohort, median)
    shared = seconds_per_step(objective, engine.cohort, median)
    if alone >= WORTH_SHARING * shared:
        return engine, speed.scaled(shared / alone)
    return replace(engine, threads=1), speed


def one_thread(objective: Objective) -> AbstractContextManager[None]:
    """A context in which torch has one thread, on a CPU."""
    return torch_threads(1) if objective.device.type == "cpu" else nullcontext()


def fastest(objective: Objective, demand: Demand, may_use_workers: bool) -> ChosenEngine:
    """The engine with the shortest time per step and run, timed now."""
    reason = objective.lockstep_obstacle()
    most = 1 if reason else min(demand.most_together, objective.largest_cohort())
    with one_thread(objective):
        by_cohort, apart = seconds_by_cohort(objective, most)
    times = {Engine(cohort): seconds for cohort, seconds in by_cohort.items()}
    engine, speed = with_threads(min(times, key=lambda engine: times[engine]), Speed(by_cohort), objective)
    in_process, cores = speed.of_a_step(engine.cohort), usable_cores()
    on_cores = may_use_workers and objective.device.type == "cpu" and cores > 1
    if on_cores and not workers_obstacle(objective, demand):
        steps = 50 / 2 * demand.steps
        if steps * (in_process - by_cohort[1] / cores) > LEAST_SAVING:
            with (
                suppress(InputError),
                Processes(objective, cores) as workers,
            ):  # they fail in scripts without a main guard
                times[Engine(1, cores)] = sum(workers.everywhere(seconds_per_step, 1, median)) / cores**2
    measured = ", ".join(f"{1000 * seconds:.2f} {engine}" for engine, seconds in times.items())
    notes = f"; not in lockstep: {reason}" if reason else ""
    if apart > DISAGREE:
        notes += f"; two timings of one engine differ by a factor of {apart:.1f}, so the machine is busy"
    if (several := Engine(1, cores)) in times and times[several] < in_process:
        engine, speed = several, Speed({1: times[several]})
    elif engine.threads:
        notes += f"; {torch.get_num_threads()} threads are less than {WORTH_SHARING} times as fast as one"
    return ChosenEngine(engine, f"ms per step and run: {measured}{notes}", speed)

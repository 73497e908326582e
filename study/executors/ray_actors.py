"""RayActors: one actor for each device, here or elsewhere. A lost one is replaced, and its cohort trained again."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

from search_spaces.errors import InputError, words_of
from study.cli import interrupted_at_once
from study.executors.options import ExecutorOptions
from study.executors.ray_actor import Surroundings, TrainingActor, versions_here
from study.executors.ray_cluster import ray_running
from study.executors.side_by_side import Lost, Trained
from study.objective import Objective, Run

T = TypeVar("T")

ATTEMPTS = 3
"""How often a cohort is trained whose actor is lost, and an actor is started that is lost while it loads."""
START_SECONDS = 600.0
"""How long to wait for the first actor, and for another one when all are lost; a cluster may be busy."""
LEAVE_SECONDS = 10.0
"""How long actors may take at the end to leave what they train, before they are killed."""


@dataclass(frozen=True)
class Attempt:
    """A cohort that is trained, or waits for it. lost: how many actors have been lost with it."""

    number: int
    runs: Sequence[Run]
    lost: int = 0


@dataclass(eq=False)
class Slot:
    """The place of one actor. answer: what it works at. attempt: the cohort that it trains, None if it is given up.
    lost: actors in a row that were lost here while they loaded."""

    actor: Any
    answer: Any
    loaded: bool = False
    attempt: Attempt | None = None
    lost: int = 0


class RayActors:
    """`Workers` in Ray actors, with the same results as single-threaded processes. A context manager.

    Actors take part as soon as the cluster has room for them, so machines may come and go.
    """

    def __init__(self, objective: Objective, workers: int, options: ExecutorOptions) -> None:
        gpus = (1 if objective.device.type == "cuda" else 0) if options.gpus_per_run is None else options.gpus_per_run
        self.objective, self.workers, self.options = objective, workers, replace(options, gpus_per_run=gpus)
        self.waiting: deque[Attempt] = deque()
        self.attempts = 0
        self.slots: list[Slot] = []
        self.reason = ""  # why the last actor was lost
        self.used_until = time.monotonic()

    def __enter__(self) -> RayActors:
        with interrupted_at_once(), ExitStack() as stack:
            stack.enter_context(ray_running(self.options))
            stack.callback(self.end)
            self.prepare()
            self.slots = [self.start() for _ in range(self.workers)]
            while not self.check():
                self.look(1.0)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self.stack.close()

    def prepare(self) -> None:
        """Put the objective where all actors find it; raises InputError if it cannot be pickled."""
        import ray

        objective, device = self.objective.elsewhere(), self.objective.device.type
        try:
            self.reference = ray.put(objective)
        except Exception as error:  # whatever its parts raise
            raise InputError(f"{objective.name} cannot be sent to other processes: {unsendable(objective)}") from error
        made_of, path = objective.attributes().get("made_of"), [os.path.abspath(place) for place in sys.path]
        owner = Surroundings(versions_here(), os.getcwd(), path, made_of, objective.code())
        reserved = {"num_gpus": self.options.gpus_per_run, "num_cpus": self.options.cpus_per_run or 1}
        self.actor = ray.remote(TrainingActor).options(**reserved, max_restarts=0, max_task_retries=0)
        self.load = (owner, [self.reference], device)

    def start(self, lost: int = 0) -> Slot:
        """A new actor, which loads as soon as there is room for it."""
        actor = self.actor.remote()
        return Slot(actor, actor.load.remote(*self.load), lost=lost)

    def check(self) -> bool:
        """Whether an actor can train now; raises InputError if none could be started, or none for a long time."""
        if any(slot.loaded for slot in self.slots):
            self.used_until = time.monotonic()
            return True
        if not self.slots:
            raise InputError(f"no Ray actor could be started: {self.reason}")
        if time.monotonic() > self.used_until + START_SECONDS:
            why = self.reason or "the cluster has no room for it"
            raise InputError(f"no Ray actor could be started for {START_SECONDS / 60:.0f} minutes: {why}")
        return False

    def submit(self, runs: Sequence[Run]) -> int:
        self.attempts += 1
        self.waiting.append(Attempt(self.attempts, runs))
        self.assign()
        return self.attempts

    def assign(self) -> None:
        """Let each free actor train the next cohort."""
        for slot in self.slots:
            if slot.loaded and slot.answer is None and self.waiting:
                slot.attempt = self.waiting.popleft()
                slot.answer = slot.actor.train.remote(slot.attempt.runs)

    def ended(self, seconds: float) -> Mapping[int, Trained | Lost]:
        found = self.look(seconds)
        self.check()
        return found

    def look(self, seconds: float) -> dict[int, Trained | Lost]:
        """What actors have answered; waits for at most these seconds for the first answer. Lost actors are replaced."""
        import ray
        from ray.exceptions import RayError, RayTaskError, TaskCancelledError

        found: dict[int, Trained | Lost] = {}
        for slot in self.answered(seconds):
            attempt, answer = slot.attempt, slot.answer
            slot.attempt = slot.answer = None
            try:
                outcome = ray.get(answer)
            except TaskCancelledError:  # it begins the next cohort when it has left this one
                continue
            except RayTaskError as error:
                if attempt is None and slot.loaded:  # it was given up
                    continue
                if isinstance(error.cause, InputError):
                    raise InputError(str(error.cause)) from error
                raise
            except RayError as error:
                found |= self.replace(slot, attempt, error)
                continue
            if attempt:
                found[attempt.number] = outcome
            slot.loaded = True
        self.assign()
        return found

    def answered(self, seconds: float) -> list[Slot]:
        """The actors that have answered, after at most these seconds; at least one, unless none does."""
        import ray

        by_answer = {slot.answer: slot for slot in self.slots if slot.answer is not None}
        if not by_answer:
            time.sleep(seconds)
            return []
        ready, _ = ray.wait([*by_answer], timeout=seconds)
        if ready:
            ready, _ = ray.wait([*by_answer], num_returns=len(by_answer), timeout=0)
        return [by_answer[answer] for answer in ready]

    def replace(self, slot: Slot, attempt: Attempt | None, error: Exception) -> dict[int, Trained | Lost]:
        """Start another actor in the place of a lost one; returns the outcome of its cohort if it is given up."""
        import ray

        self.reason, place = why_lost(error), self.slots.index(slot)
        with suppress(Exception):  # it may have ended already
            ray.kill(slot.actor)
        lost = 0 if slot.loaded else slot.lost + 1
        self.slots[place : place + 1] = [self.start(lost)] if lost < ATTEMPTS else []
        if attempt is None:
            return {}
        again = Attempt(attempt.number, attempt.runs, attempt.lost + 1)
        if again.lost < ATTEMPTS:
            self.waiting.appendleft(again)
            return {}
        return {again.number: Lost(f"its Ray actor was lost {ATTEMPTS} times, the last time because {self.reason}")}

    def leave(self, attempts: Collection[int]) -> None:
        import ray

        given_up = set(attempts)
        self.waiting = deque(one for one in self.waiting if one.number not in given_up)
        for slot in self.slots:
            if slot.attempt and slot.attempt.number in given_up:
                ray.cancel(slot.answer)
                slot.attempt = None

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        import ray
        from ray.exceptions import RayError

        for _ in range(ATTEMPTS):
            with interrupted_at_once():
                while not self.check():
                    self.look(1.0)
            slot = next(slot for slot in self.slots if slot.loaded)
            try:
                with interrupted_at_once():
                    result: T = ray.get(slot.actor.call.remote(function, *arguments))
            except RayError as error:
                if isinstance(cause := getattr(error, "cause", None), Exception):
                    raise cause from error
                self.replace(slot, None, error)
            else:
                return result
        raise InputError(f"the Ray actors are lost again and again: {self.reason}")

    def processes(self) -> list[int]:
        """The process of each actor that can train."""
        import ray

        found: list[int] = ray.get([slot.actor.process.remote() for slot in self.slots if slot.loaded])
        return found

    def end(self) -> None:
        """End all actors: those that train leave their runs first, so that what these have started ends too."""
        import ray

        self.leave(range(1, self.attempts + 1))
        loaded = [slot.actor.process.remote() for slot in self.slots if slot.loaded]
        if loaded:
            ray.wait(loaded, num_returns=len(loaded), timeout=LEAVE_SECONDS)
        for slot in self.slots:
            with suppress(Exception):
                ray.kill(slot.actor)


def why_lost(error: Exception) -> str:
    """Why an actor was lost, in a few words, from what Ray says at length."""
    said = " ".join(str(error).split())  # Ray's words may be long: only what is quoted is shortened
    for mark, why in (
        ("running low on memory", "its machine ran out of memory"),
        ("No module named", "the project or one of its packages is not installed there"),
        ("node has died", "its machine was lost"),
        ("node died", "its machine was lost"),
        ("unexpectedly exits", "its process was killed, perhaps because memory ran out"),
    ):
        if mark in said:
            named = said.partition(mark)[2].split()[:1] if mark == "No module named" else []
            return f"{why} ({words_of(named[0])})" if named else why
    return words_of(said.partition(". ")[0] or error)


def unsendable(whole: Any) -> str:
    """The innermost part of an object that cannot be pickled, as a path of its attributes, and why."""
    for path, part in named_fields(whole):
        if reason := not_pickled(part):
            inner = unsendable(part) if is_dataclass(part) else reason
            return f"{path}.{inner}" if is_dataclass(part) and inner != reason else f"{path} ({reason})"
    return not_pickled(whole) or "it cannot be pickled"


def named_fields(whole: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a dataclass, by name."""
    if is_dataclass(whole) and not isinstance(whole, type):
        yield from ((field.name, getattr(whole, field.name)) for field in fields(whole))


def not_pickled(part: Any) -> str | None:
    """Why Ray cannot pickle this; None if it can."""
    import ray

    try:
        ray.put(part)
    except Exception as error:  # whatever it raises
        return words_of(error.__cause__ or error)
    return None

"""What runs on the machines of a Ray cluster: an actor that keeps an objective on one device and trains cohorts."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypeVar

import torch

from search_spaces.errors import InputError, words_of
from study.executors.side_by_side import Trained, train_whole
from study.objective import Objective, Run

T = TypeVar("T")

LOOK_EVERY_SECONDS = 0.1
"""How often an actor looks whether its cohort is given up."""


@dataclass(frozen=True)
class Surroundings:
    """What an actor must know of the process that owns the study.

    versions: see `versions_here`. folder: its working directory. path: where it imports from. made_of, code: see
    `Objective.changes` and `Objective.code`.
    """

    versions: Mapping[str, str]
    folder: str
    path: Sequence[str]
    made_of: Mapping[str, Any] | None
    code: Mapping[str, str]


def versions_here() -> dict[str, str]:
    """What must be the same in all processes of a study: other versions give other bits."""
    return {"Python": platform.python_version(), "torch": version("torch"), "numpy": version("numpy")}


class TrainingActor:
    """Trains cohorts, one after another, in the main thread of its process: only there can a user's code be ended."""

    objective: Objective

    def load(self, owner: Surroundings, objective: Sequence[Any], device: str) -> str:
        """Build the objective on its device, once; returns the name of this machine.

        objective: its only item refers to it, so that the versions are compared before it is read.
        Raises InputError if this machine is not set up as that of the owner.
        """
        here = platform.node()
        for name, there in owner.versions.items():
            if versions_here()[name] != there:
                raise InputError(
                    f"{here} has {name} {versions_here()[name]}, but this process has {there}: install the same there"
                )
        if device == "cpu":
            os.environ["CUDA_VISIBLE_DEVICES"] = ""  # Ray leaves all GPUs visible to an actor without one
        with suppress(OSError):  # what needs the folder says so
            os.chdir(owner.folder)
        sys.path += [place for place in owner.path if place not in sys.path]
        torch.set_num_threads(1)
        try:
            self.objective = self.read(objective[0]).at(torch.device(device))
        except InputError as error:
            raise InputError(f"on {here}: {error}") from error
        other = self.objective.code()
        changed = [name for name, digest in owner.code.items() if other.get(name) != digest]
        if changed := [*changed, *self.objective.changes(owner.made_of)]:
            what = ", ".join(changed)
            raise InputError(f"on {here}, {what} is missing, or not as here: copy it to {owner.folder} there")
        return here

    def read(self, reference: Any) -> Objective:
        """The objective that a reference stands for; raises InputError if a module of it cannot be imported here."""
        import ray
        from ray.exceptions import RaySystemError

        try:
            objective: Objective = ray.get(reference)
        except (RaySystemError, ImportError, AttributeError) as error:
            reason = words_of(str(error).strip().rpartition("\n")[2] or error)
            raise InputError(f"the objective cannot be read ({reason}): put your modules there too") from error
        return objective

    def train(self, runs: Sequence[Run]) -> Trained:
        """Train a cohort to its end, or until it is given up."""
        import ray

        context, looked_at, given_up = ray.get_runtime_context(), 0.0, False

        def stop(run: int) -> bool:
            nonlocal looked_at, given_up
            if not given_up and time.monotonic() - looked_at > LOOK_EVERY_SECONDS:
                looked_at, given_up = time.monotonic(), context.is_canceled()
            return given_up

        return train_whole(self.objective, runs, stop)

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call function(objective, *arguments)."""
        return function(self.objective, *arguments)

    def process(self) -> int:
        """The number of its process; returns when everything before has ended."""
        return os.getpid()

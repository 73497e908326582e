"""Objectives whose actors are lost in a chosen state. The first of them waits there for its end; others go on."""

import os
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path

from study.training.workload_objective import WorkloadObjective


def wait_the_first_time(file):
    """Write the number of this process into the file, and wait for its end; go on if the file exists."""
    try:
        with open(file, "x") as there:
            there.write(str(os.getpid()))
    except FileExistsError:
        return
    time.sleep(600)


@dataclass(frozen=True)
class Waits(WorkloadObjective):
    """While it loads, trains and returns. folder: where the process writes its number, into a file of that name."""

    folder: Path = Path()

    def at(self, device):
        wait_the_first_time(self.folder / "loading")
        return self

    def train(self, runs, stop):
        wait_the_first_time(self.folder / "training")
        for evaluation in super().train(runs, stop):
            yield replace(evaluation, too_large=SlowToSend(self.folder))


@dataclass(frozen=True)
class SlowToSend:
    """Becomes an empty tuple on its way."""

    folder: Path

    def __reduce__(self):
        wait_the_first_time(self.folder / "returning")
        return tuple, ()


class Deadly(WorkloadObjective):
    """Kills its process in each run with a peak above 1."""

    def at(self, device):
        return self

    def train(self, runs, stop):
        if any(run.schedule.peak_lr > 1 for run in runs):
            os.kill(os.getpid(), signal.SIGKILL)
        yield from super().train(runs, stop)


class OnlyHere(WorkloadObjective):
    """Its data can be read by its owner only."""

    def at(self, device):
        from search_spaces import InputError

        raise InputError("an example cannot be read (FileNotFoundError: no such file: /data/7.png)")

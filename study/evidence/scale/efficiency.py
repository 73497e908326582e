"""How much faster a study is with two workers than with one: Ray actors, worker processes, and Ray Tune beside them."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace

from study.assembly import opened, plan_search
from study.evidence.speed.ray_tune import local_ray, ray_trials
from study.executors.options import ExecutorOptions
from study.objective import Objective
from study.search.configuration import Configuration
from study.workloads.options import WorkloadOptions

TUNE = "Ray Tune, OptunaSearch and ASHA"


@dataclass(frozen=True)
class TimedStudy:
    """One study. seconds: of the search alone, after its workers have started. starting: until they had.

    epochs: trained, over all trials.
    """

    how: str
    workers: int
    trials: int
    epochs: float
    seconds: float
    starting: float

    @property
    def seconds_per_epoch(self) -> float:
        """Seconds of one worker for each epoch that was trained."""
        return self.workers * self.seconds / self.epochs


def our_timed_study(
    what: WorkloadOptions, objective: Objective, configuration: Configuration, trials: int, executor: str, workers: int
) -> TimedStudy:
    """A search of ours, run by run, in this many workers, or in this process with one thread."""
    options = ExecutorOptions(engine="loop", executor=executor, workers=workers if executor != "in-process" else None)
    with tempfile.TemporaryDirectory() as folder:
        plan = plan_search(what, objective, configuration, f"sqlite:///{folder}/studies.db")  # type: ignore[arg-type]
        began = time.perf_counter()
        with opened(plan, options) as study:
            started = time.perf_counter()
            for _ in study.search(trials):
                pass
            ended = time.perf_counter()
            epochs = sum(trial.epochs_spent for trial in study.record.trials)
    return TimedStudy(executor, workers, trials, epochs, ended - started, started - began)


def tune_timed_study(objective: Objective, configuration: Configuration, trials: int, cores: int) -> TimedStudy:
    """The peer's study, with one trial on each of these cores."""
    began = time.perf_counter()
    with local_ray(cores) as folder:
        started = time.perf_counter()
        tried = ray_trials(objective, replace(configuration), trials, folder)
        ended = time.perf_counter()
    epochs = sum(trial.epochs for trial in tried)
    return TimedStudy(TUNE, cores, len(tried), epochs, ended - started, started - began)

"""The search: generation after generation, until the study holds so many trials.

A generation is a few batches. Each batch is tried at the first rung, and its values teach the sampler what to ask next;
when the whole generation has been tried, the best of it go on to the next rung, all at once (competition.py). So the
sampler learns in small steps, and the long runs share their kernels. A trial is written to the storage once its last
run has ended, in one piece: what is there is finished, whatever happens to this process.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

import optuna
from optuna.trial import FrozenTrial

from study.executors.choice import Engine, lower_cohort
from study.search.bracket import Competition
from study.search.configuration import Configuration
from study.search.generation import Generation
from study.search.sampler_study import next_generation, place
from study.storage.records import finished_trials
from study.workloads.workload import Workload


def search(
    optuna_study: optuna.Study,
    workload: Workload,
    configuration: Configuration,
    engine: Engine,
    trials: int,
    interrupted: Callable[[], bool] = lambda: False,
    attach: Callable[[FrozenTrial], FrozenTrial] = lambda trial: trial,
) -> Generator[Generation, None, None]:
    """Search until the study holds so many finished trials; yields the present generation after every evaluation.

    The study must be this process's own (`storage.open_study`). interrupted: asked at every update, and never while
    something is written; where it says so, the search ends with a KeyboardInterrupt. What the present generation has
    stored by then stays, what it has saved is taken up again, and the rest is trained again, to the same end.
    attach: gives a trial that has ended what is to be stored with it, such as its artifacts.
    """
    with engine.trainer(workload) as trainer:
        while len(finished := sorted(finished_trials(optuna_study), key=place)) < trials:
            number, size, stored = next_generation(
                finished, configuration.generation_size(workload.steps_per_epoch), trials
            )
            earlier = [trial for trial in finished if place(trial) < (number, 0)]
            generation = Generation(number, size, frozenset(stored))
            competition = Competition(
                optuna_study, workload, configuration, trainer, generation, stored, interrupted, attach
            )
            for _ in competition.run(earlier):
                if trainer.cohort < engine.cohort:
                    engine = lower_cohort(optuna_study, trainer.cohort)
                yield generation
            generation.finished = True
            yield generation

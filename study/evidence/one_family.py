"""What a person does without a search: take one family, tune its peak, and train the best peaks on more seeds."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

import numpy as np
import optuna
from optuna.samplers import GPSampler

from search_spaces import FAMILIES
from search_spaces.schedule import Schedule
from study.objective import Executor, Objective, Run
from study.search.confirm import LOOKS
from study.search.reference import WARMUP
from study.storage.quiet import quiet_optuna

PEAKS = 12
"""Peaks that are tried, one run each."""
KEPT = 3
"""Peaks of which one is chosen over the remaining seeds."""
STARTUP = 4
"""Random peaks before the Gaussian process suggests."""


def tuned_by_grid(objective: Objective, executor: Executor, family: str, epochs: int, runs: int, seed: int) -> Schedule:
    """The family at the best of a grid of peaks, evenly in log over the usual range and shifted at random.

    runs: that may be trained in all. seed: of the shift and of training; repeats need seeds that lie `runs` apart.
    """
    low, high = np.log(objective.peak_lr)
    places = np.arange(PEAKS) + np.random.default_rng(seed).uniform()
    schedules = [with_peak(family, float(np.exp(low + (high - low) * place / PEAKS))) for place in places]
    values = last_values(executor, objective, [Run(one, epochs, seed, LOOKS) for one in schedules])
    return best_over_seeds(objective, executor, schedules, values, epochs, range(seed + 1, seed + 1 + runs - PEAKS))


def tuned_by_gaussian_process(
    objective: Objective, executor: Executor, family: str, epochs: int, runs: int, seed: int
) -> Schedule:
    """The family at a peak that Optuna's Gaussian process has found, one run after another. Arguments as above."""
    schedules, values = [], []
    with quiet_optuna():
        study = optuna.create_study(sampler=GPSampler(seed=seed, n_startup_trials=STARTUP))
        for _ in range(PEAKS):
            trial = study.ask()
            schedules.append(with_peak(family, trial.suggest_float("peak_lr", *objective.peak_lr, log=True)))
            values += last_values(executor, objective, [Run(schedules[-1], epochs, seed, LOOKS)])
            study.tell(trial, values[-1])
    return best_over_seeds(objective, executor, schedules, values, epochs, range(seed + 1, seed + 1 + runs - PEAKS))


def with_peak(family: str, peak: float) -> Schedule:
    """A schedule as people use it: a warm-up of 5 %, then to 0."""
    schedule: Schedule = FAMILIES[family](peak_lr=peak, warmup_fraction=WARMUP)
    return schedule


def best_over_seeds(
    objective: Objective,
    executor: Executor,
    schedules: Sequence[Schedule],
    values: Sequence[float],
    epochs: int,
    seeds: Sequence[int],
) -> Schedule:
    """The schedule with the best mean over further seeds, among those with the best values; lower is better.

    seeds: one for each run that may be trained; each schedule gets an equal number, the same for all.
    """
    best = [schedules[index] for index in sorted(range(len(values)), key=values.__getitem__)[:KEPT]]
    own = seeds[: len(seeds) // len(best)]
    if not own:
        return best[0]
    found = last_values(executor, objective, [Run(one, epochs, seed, LOOKS) for one in best for seed in own])
    means = [mean(found[place * len(own) : (place + 1) * len(own)]) for place in range(len(best))]
    return best[means.index(min(means))]


def last_values(executor: Executor, objective: Objective, runs: Sequence[Run]) -> list[float]:
    """The validation metric at the end of each run; lower is better."""
    ended = {evaluation.run: evaluation.metric for evaluation in executor.train(runs) if evaluation.last}
    return [objective.metric.sign * ended[index] for index in range(len(runs))]

"""The samplers by name, which suggest the next schedules: ours and Optuna's. Each batch has a seed of its own."""

from __future__ import annotations

import warnings

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, GPSampler, QMCSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from search_spaces.errors import unknown
from study.search.configuration import SAMPLERS
from study.storage.quiet import quiet_optuna


def make_sampler(name: str, startup_trials: int, sampler_seed: int, bracket: int, batch: int) -> BaseSampler:
    """The sampler of the batch of this number in the bracket of that number, by its name.

    tpe: Optuna's default, multivariate; tpe-univariate: each parameter by itself; tpe-group: families apart.
    gp: a Gaussian process over the parameters that all families share, the others at random; fitted once a batch, to a
    limited number of trials. gp-optuna: Optuna's, fitted for each trial, to all trials. qmc: a scrambled Sobol sequence
    over the parameters of the study's first trial, anew for every bracket, the others at random.
    startup_trials: drawn at random before tpe or a Gaussian process models anything.
    Raises InputError for an unknown name.
    """
    with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
        return make(
            name, startup_trials, combined_seed(sampler_seed, bracket, batch), combined_seed(sampler_seed, bracket)
        )


class QuasiRandom(QMCSampler):
    """Optuna's, which warns at every batch that no parameter may depend on another; ours depend on the family."""

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        with quiet_optuna(optuna.logging.ERROR):
            return super().infer_relative_search_space(study, trial)


def combined_seed(*numbers: int) -> int:
    """One seed made of several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def make(name: str, startup_trials: int, batch_seed: int, bracket_seed: int) -> BaseSampler:
    """The sampler of this name. batch_seed: for this batch only. bracket_seed: for the whole bracket."""
    match name:
        case "tpe":
            return TPESampler(n_startup_trials=startup_trials, seed=batch_seed)
        case "tpe-univariate":
            return TPESampler(n_startup_trials=startup_trials, seed=batch_seed, multivariate=False)
        case "tpe-group":
            return TPESampler(n_startup_trials=startup_trials, seed=batch_seed, multivariate=True, group=True)
        case "gp":
            from study.search.samplers.batch_gp import BatchGP  # loads scikit-learn

            return BatchGP(batch_seed, startup_trials)
        case "gp-optuna":
            return GPSampler(n_startup_trials=startup_trials, seed=batch_seed, warn_independent_sampling=False)
        case "qmc":
            # Its place in the sequence is kept by the sampler's study, which lives for a bracket.
            independent = RandomSampler(seed=batch_seed)
            return QuasiRandom(
                scramble=True, seed=bracket_seed, independent_sampler=independent, warn_independent_sampling=False
            )
        case "random":
            return RandomSampler(seed=batch_seed)
    raise unknown("sampler", name, SAMPLERS)

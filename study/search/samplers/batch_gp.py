"""BatchGP: a Gaussian process that is fitted once for each batch, to a limited number of trials.

Optuna's is fitted for each trial, to all trials: results/speed/asking.md has the cost of both, and
results/search/surrogates.md and surrogates-live.md what they find.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.search_space import intersection_search_space
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState
from threadpoolctl import ThreadpoolController

from search_spaces.distributions import as_range
from study.search.samplers.coordinates import Coordinates, Points
from study.search.samplers.gaussian_process import Believer, expected_improvement, fitted_process

LEARNT_FROM = 200
"""Trials that a fit learns from, at most, unless there are more start-up trials."""
DECIDING = 100
"""If there are more trials than a fit learns from, this many decide on the kernel, which takes most of the time."""
UNSETTLED = (TrialState.RUNNING, TrialState.WAITING)
"""What has not ended; for each of thousands of trials, faster than `is_finished`."""
CANDIDATES = 1024
"""Points that are compared; the most promising ones are suggested."""
PARENTS = 16
"""The best trials: half of the candidates have some of their parameters from one of these."""


class BatchGP(BaseSampler):
    """Suggests by expected improvement, under a Gaussian process over the parameters that all trials share.

    The process is fitted when a trial is asked for after others have finished. Until the next one finishes, each
    suggestion takes the earlier ones as tried, with the values that the process predicts (the "Kriging believer").
    The first `startup_trials`, and the parameters that not all trials share, are random.
    """

    def __init__(self, seed: int, startup_trials: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.independent = RandomSampler(seed=seed)
        self.startup_trials = startup_trials
        self.known, self.unsettled = 0, list[int]()
        self.shared: dict[str, BaseDistribution] = {}

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """The parameters that are suggested together; none during start-up."""
        trials = study.get_trials(deepcopy=False)
        if self.has_news(trials):
            complete = [one for one in trials if one.state == TrialState.COMPLETE]
            if len(complete) >= self.startup_trials:
                sign = 1 if study.direction == StudyDirection.MINIMIZE else -1
                values = sign * np.array([one.value for one in complete])
                kept = learnt_from(values, max(LEARNT_FROM, self.startup_trials))
                deciding = learnt_from(values[kept], DECIDING if len(kept) < len(complete) else len(kept))
                with one_blas_thread():
                    self.learn([complete[number] for number in kept], values[kept], deciding)
        return self.shared

    def has_news(self, trials: Sequence[FrozenTrial]) -> bool:
        """Whether a trial was completed since the last call; looks only at those that had not ended then."""
        open_then = [*self.unsettled, *range(self.known, len(trials))]
        self.known = len(trials)
        self.unsettled = [number for number in open_then if trials[number].state in UNSETTLED]
        return any(trials[number].state == TrialState.COMPLETE for number in open_then)

    def learn(self, trials: Sequence[FrozenTrial], values: NDArray[np.float64], deciding: NDArray[np.intp]) -> None:
        """Fit a process to the parameters that these trials share.

        values: of the trials; lower is better. deciding: positions of the trials that decide on the kernel.
        """
        shared = intersection_search_space(list(trials))
        self.shared = {name: distribution for name, distribution in shared.items() if not distribution.single()}
        if not self.shared:
            return
        self.coordinates = Coordinates({name: as_range(one) for name, one in self.shared.items()})
        points = self.coordinates.points([trial.params for trial in trials])
        columns, scaled = self.coordinates.columns(points), (values - values.mean()) / max(values.std(), 1e-10)
        process = fitted_process(columns, self.coordinates.parameter_of_column, scaled, deciding)
        best = points[np.argsort(values, kind="stable")[:PARENTS]]
        self.candidates = candidates(self.coordinates, best, self.rng)
        self.believer = Believer(process, self.coordinates.columns(self.candidates))
        self.best = scaled.min()
        self.suggested = np.zeros(len(self.candidates), dtype=bool)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The shared parameters with the greatest expected improvement, among the candidates."""
        if not search_space:
            return {}
        known = self.believer
        with one_blas_thread():
            improvement = expected_improvement(known.mean, np.sqrt(known.variance), self.best)
            chosen = int(np.where(self.suggested, -1, improvement).argmax())
            self.best = min(self.best, known.mean[chosen])
            known.take_as_tried(chosen)
        self.suggested[chosen] = True
        return self.coordinates.params(self.candidates[chosen])

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A random value, for a parameter that not all trials share."""
        return self.independent.sample_independent(study, trial, param_name, param_distribution)


def learnt_from(values: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """The positions of the trials that a fit learns from, ascending: all, or if they are more than `most`, the best
    ones for half of that number, and an even spread of the others. values: lower is better.

    >>> learnt_from(np.array([5.0, 1.0, 4.0, 0.0, 3.0, 2.0]), 4)
    array([0, 1, 3, 5])
    """
    if len(values) <= most:
        return np.arange(len(values))
    order = np.argsort(values, kind="stable")
    best, others = order[: most // 2], np.sort(order[most // 2 :])
    spread = others[np.linspace(0, len(others) - 1, most - len(best)).round().astype(int)]
    return np.sort(np.concatenate([best, spread]))


def candidates(coordinates: Coordinates, best: Points, rng: np.random.Generator) -> Points:
    """Random points, half of them with about half of the parameters of one of the best; each point once."""
    points = coordinates.drawn(CANDIDATES, rng)
    parents = best[rng.integers(len(best), size=CANDIDATES // 2)]
    inherited = rng.random(parents.shape) < 0.5
    points[: len(parents)] = np.where(inherited, parents, points[: len(parents)])
    return np.unique(points, axis=0)


@cache
def thread_pools() -> ThreadpoolController:
    """The thread pools of this process; finding them takes longer than limiting them."""
    return ThreadpoolController()


def one_blas_thread() -> Any:
    """A context in which BLAS uses one thread: with more, matrices as small as these take several times as long."""
    return thread_pools().limit(limits=1, user_api="blas")

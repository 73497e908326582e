"""The search: bracket after bracket, until the study holds as many trials as asked for.

A bracket has a few batches. Each batch is trained at the first rung, and the sampler learns from its values before it
suggests the next one. When the whole bracket has been tried, its best trials are promoted to the next rung together
(rungs.py). So the sampler learns in small steps, and the long runs share their kernels. A trial is written to the
storage in one piece, once its last run has ended: all trials there are finished, even if this process is killed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

import optuna
from optuna.trial import FrozenTrial

from study.objective import Executor, Objective
from study.search.bracket import Bracket, Strategy
from study.search.configuration import Configuration
from study.search.failures import Failures
from study.search.pruners import FullRuns
from study.search.rungs import Rungs
from study.search.sampler_study import next_bracket, place
from study.storage.damage import reading
from study.storage.stored_trials import finished_trials


def search(
    optuna_study: optuna.Study,
    objective: Objective,
    configuration: Configuration,
    executor: Executor,
    trials: int,
    interrupted: Callable[[], bool] = lambda: False,
    attach: Callable[[FrozenTrial], FrozenTrial] = lambda trial: trial,
) -> Generator[Bracket, None, None]:
    """Search until the study holds this many finished trials; yields the present bracket after every evaluation.

    The study must be owned by this process (`storage.studies.open_study`). interrupted: called at every step, but never
    during a write; if it returns True, the search raises KeyboardInterrupt. Trials that the present bracket has stored
    are kept, runs that it has saved are loaded at the next start, and the rest is trained again with the same results.
    attach: adds to a finished trial what is stored with it, such as its artifacts.
    """
    size, failures = configuration.bracket_size(objective.steps(1)), Failures()
    while len(finished := sorted(finished_trials(optuna_study), key=place)) < trials:
        with reading(optuna_study.study_name):
            number, size_now, stored = next_bracket(finished, size, trials)
            bracket = Bracket(
                number,
                size_now,
                optuna_study,
                objective,
                configuration,
                executor,
                strategy_of(configuration, objective),
                [trial for trial in finished if place(trial) < (number, 0)],
                stored,
                interrupted,
                attach,
                failures,
            )
        for _ in bracket.run():
            yield bracket
        yield bracket


def strategy_of(configuration: Configuration, objective: Objective) -> Strategy:
    """The strategy that decides which trials are pruned, and when."""
    if configuration.pruner == "horizon":
        return Rungs(configuration.budgets(objective.steps(1)), configuration.sampler)
    return FullRuns(configuration.pruner, configuration.budget)

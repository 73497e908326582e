"""The search: bracket after bracket, until the study holds as many trials as asked for.

A bracket is a few batches. Each batch is tried at the first rung, and its values teach the sampler what to ask next;
when the whole bracket has been tried, the best of it are promoted to the next rung, all at once (rungs.py). So the
sampler learns in small steps, and the long runs share their kernels. A trial is written to the storage once its last
run has ended, in one piece: what is there is finished, whatever happens to this process.
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

    The study must be this process's own (`storage.studies.open_study`). interrupted: asked at every step, and never
    while something is written; if it says so, the search ends with a KeyboardInterrupt. What the present bracket has
    stored by then stays, what it has saved is taken up again, and the rest is trained again, to the same end.
    attach: gives a trial that has ended what is to be stored with it, such as its artifacts.
    """
    size, failures = configuration.bracket_size(objective.steps(1)), Failures()
    while len(finished := sorted(finished_trials(optuna_study), key=place)) < trials:
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
    """Who is pruned, and when."""
    if configuration.pruner == "horizon":
        return Rungs(configuration.budgets(objective.steps(1)), configuration.sampler)
    return FullRuns(configuration.pruner, configuration.budget)

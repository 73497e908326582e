"""The search: bracket after bracket, until the study holds as many trials as asked for.

A bracket has a few batches. Each batch is trained at the first rung, and the sampler learns from its values before it
suggests the next one. When the whole bracket has been tried, its best trials are promoted to the next rung together
(rungs.py); meanwhile the next bracket may begin (ahead.py). So the sampler learns in small steps, and the long runs
share their kernels. A trial is written to the storage in one piece, once its last run has ended: all trials there are
finished, even if this process is killed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

import optuna
from optuna.trial import FrozenTrial

from study.objective import Executor, Objective
from study.search.ahead import Ahead, Begin
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

    def bracket_of(
        number: int,
        size: int,
        executor: Executor,
        earlier: Sequence[FrozenTrial],
        stored: set[int],
        failures: Failures,
        before: Bracket | None,
    ) -> Bracket:
        strategy = strategy_of(configuration, objective)
        own = (optuna_study, objective, configuration, executor, strategy, earlier, stored)
        learnt = before.sampler_study if before and strategy.completes_first_runs else None
        return Bracket(number, size, *own, interrupted, attach, failures, learnt)

    def begin_after(before: Bracket, left: int) -> Begin | None:
        if left <= 0:
            return None
        at, size_now = before.number + 1, min(size, left)
        return lambda executor, earlier: bracket_of(at, size_now, executor, earlier, set(), Failures(), before)

    bracket: Bracket | None = None
    ahead: Ahead | None = None
    while len(finished := sorted(finished_trials(optuna_study), key=place)) < trials:
        with reading(optuna_study.study_name):
            number, size_now, stored = next_bracket(finished, size, trials)
            earlier = finished[: len(finished) - len(stored)]
            if ahead and ahead.bracket:
                bracket, running = ahead.bracket, ahead.running
                bracket.follow(earlier, executor, failures)
                failures = bracket.failures
            else:
                before = None if ahead and ahead.given_up else bracket  # which then holds trials that are asked again
                bracket = bracket_of(number, size_now, executor, earlier, stored, failures, before)
                running = bracket.run()
        ahead = Ahead(bracket, begin_after(bracket, trials - len(earlier) - size_now))
        try:
            for _ in running:
                yield bracket
                ahead.step()
            yield bracket
            while ahead.exploring:
                ahead.step()
                yield ahead.bracket or bracket
        except KeyboardInterrupt:
            bracket.save()
            ahead.save()
            raise


def strategy_of(configuration: Configuration, objective: Objective) -> Strategy:
    """The strategy that decides which trials are pruned, and when."""
    if configuration.pruner == "horizon":
        return Rungs(configuration.budgets(objective.steps(1)), configuration.sampler)
    return FullRuns(configuration.pruner, configuration.budget)

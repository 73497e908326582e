"""Ahead: the short runs of the next bracket, which fill devices that the long runs of the present one leave idle.

The study is the same as without it. The next bracket is asked from the first runs of the trials before it, and these
have ended; it promotes nothing before the present one has ended. So it begins early only if the sampler learns from
first runs alone, and if the executor can train several things at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from optuna.trial import FrozenTrial

from study.objective import Executor, PatientExecutor
from study.search.bracket import Bracket

Begin = Callable[[Executor, Sequence[FrozenTrial]], Bracket]
"""(executor, trials of the brackets before it) -> the next bracket."""


class Ahead:
    """The bracket after a present one, as far as it has begun. begin: makes it; None if the study ends before it."""

    def __init__(self, present: Bracket, begin: Begin | None) -> None:
        self.present, self.begin = present, begin
        self.bracket: Bracket | None = None
        self.given_up = False
        self.running: Iterator[None] = iter(())
        executor, learns_early = present.executor, present.strategy.completes_first_runs
        self.executor = executor.beside() if learns_early and isinstance(executor, PatientExecutor) else None

    def step(self) -> None:
        """Continue it until it is explored; called after each step of the present bracket.

        It is given up, and begins anew after the present one, if memory runs out: which cohorts are halved must not
        depend on what is trained at the same time.
        """
        if self.begin is None or self.executor is None or not self.present.explored:
            return
        if self.bracket is None:
            self.bracket = self.begin(self.executor, [*self.present.earlier, *self.present.provisional_rows()])
            self.bracket.is_ahead, self.present.ahead = True, self.bracket
            self.running = self.bracket.run()
        if not self.bracket.explored:
            next(self.running)
        assert isinstance(self.present.executor, PatientExecutor)
        if self.executor.cohort != self.present.executor.cohort:
            self.bracket.forget()
            self.bracket, self.running, self.begin, self.given_up = None, iter(()), None, True
            self.present.ahead = None

    @property
    def exploring(self) -> bool:
        """Whether it has begun, and not all of its trials have had their first run."""
        return self.bracket is not None and not self.bracket.explored

    def save(self) -> None:
        """Save its finished runs."""
        if self.bracket:
            self.bracket.save()

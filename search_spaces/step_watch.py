"""Whether an optimizer follows its scheduler: the rate at each of its steps, and how often the scheduler steps."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from search_spaces.errors import InputError
from search_spaces.optimizer_facts import inner_optimizer, lr_and_momentum

if TYPE_CHECKING:
    from torch.optim import Optimizer

MOST_SKIPPED = 0.5
"""Most steps of a run that mixed precision may have skipped, as a share; it halves its scale at each."""
STEP_IT = "call scheduler.step() once after every optimizer step"


class Left(BaseException):
    """Raised out of an optimizer's step: the run is to be left. No mistake, so no `except Exception` catches it."""


class StepWatch:
    """Watches one run. made: steps of the optimizer. lr, momentum: what it held at the last of them.

    expected: the rate of each step; None compares with the scheduler's own. left: whether the run is to be left.

    Mixed precision skips a step if its gradients overflow. Whether the scheduler then steps is the training's choice:
    so some may be missing at the end, but in a first run, which has expected rates, only if there is a gradient scaler.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        scheduler: Any,
        total_steps: int,
        expected: Sequence[float] | None = None,
        left: Callable[[], bool] = lambda: False,
    ) -> None:
        self.scheduler, self.total_steps, self.expected, self.left = scheduler, total_steps, expected, left
        self.made, self.lr = 0, math.nan
        self.momentum: float | None = None
        self.before, self.may_skip = 0, expected is None
        self.gaps: list[int] = []
        self.hook = inner_optimizer(optimizer).register_step_pre_hook(self.before_step)

    @property
    def taken(self) -> int:
        """Steps of the scheduler."""
        return int(self.scheduler.last_epoch)

    def before_step(self, optimizer: Optimizer, arguments: Any, keywords: Any) -> None:
        """Called by torch before each of the optimizer's steps; raises InputError if it does not follow."""
        if self.left():
            raise Left
        taken, total = self.taken, self.total_steps
        self.lr, self.momentum = lr_and_momentum(optimizer)
        if self.made >= total:
            raise InputError(
                f"the schedule was built for {total} steps, but the optimizer makes more: "
                "give build the optimizer steps of the whole run"
            )
        if taken > total:
            raise InputError(self.counted())
        if taken < total:
            should = self.expected[taken] if self.expected else max(map(float, self.scheduler.get_last_lr()))
            if not math.isclose(self.lr, should, rel_tol=1e-5, abs_tol=1e-12):
                raise InputError(
                    f"the optimizer's rate at step {self.made} is {self.lr:.4g}, but the schedule's is {should:.4g}: "
                    "something else sets it, such as a second scheduler, or one that a Trainer makes itself"
                )
        if taken < self.made:
            raise InputError(f"{self.counted()}, not after every epoch")
        if self.made == 0:
            self.may_skip = self.may_skip or scales_gradients()
        elif len(self.gaps) < 50:
            self.gaps.append(taken - self.before)
        self.before = taken
        self.made += 1

    def counted(self) -> str:
        """What was counted, and what to do."""
        return (
            f"scheduler.step() was called {self.taken} times for {self.made} optimizer steps, in a run of "
            f"{self.total_steps}: {STEP_IT}"
        )

    def finish(self) -> None:
        """Raise InputError if the run has ended, and the schedule has not, or was stepped too often."""
        self.hook.remove()
        if not self.made:
            raise InputError("the optimizer given to schedule.build made no step: give the one that trains the model")
        if self.gaps and min(self.gaps) > 1:
            raise InputError(
                f"scheduler.step() is called {min(self.gaps)} times for each optimizer step: {STEP_IT} "
                "(accelerate's prepare() steps it once for each process, or for each accumulated batch)"
            )
        missing = self.total_steps - self.taken
        skipped = self.may_skip and self.taken <= self.made and missing <= MOST_SKIPPED * self.total_steps
        if missing > 0 and not skipped and self.taken == self.made:
            raise InputError(
                f"the schedule was built for {self.total_steps} steps, but the run ended after {self.made}: "
                "give build the optimizer steps of the whole run"
            )
        if missing < 0 or (missing and not skipped):
            raise InputError(self.counted())


def scales_gradients() -> bool:
    """Whether this process has a gradient scaler that may skip steps."""
    from torch.amp import GradScaler

    scalers = (one for one in gc.get_objects() if issubclass(type(one), GradScaler))
    return any(scaler.is_enabled() for scaler in scalers)

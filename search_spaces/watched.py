"""A schedule handed to training code that is not ours: built once in a run, and watched while it is used.

    scheduler = schedule.build(optimizer, total_steps)     # as any schedule's, or:
    rates = schedule.rates(total_steps)                    # a plain list, for code that sets the rates itself

The watch reads the rate at each of the optimizer's steps, so that a schedule that is not followed is noticed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from search_spaces import Linear
from search_spaces.errors import InputError
from search_spaces.optimizer_facts import code_of, has_momentum, inner_optimizer, lr_and_momentum, usual_peak_lr
from search_spaces.schedule import Schedule, whole_steps
from search_spaces.step_watch import StepWatch

if TYPE_CHECKING:
    from torch.optim import Optimizer

GIVE_PEAK = "give the range of the peak, --peak-lr LOW HIGH"
WARM_UP = 0.1
"""Share of the warm-up in the schedule of a first run: its rate changes at every step, and begins and ends low."""


@dataclass(frozen=True)
class Begun:
    """What was asked of the schedule of a run. All are plain values.

    total_steps: of the run. first_lr and last_lr: of the schedule's rates. peak_lr and optimizer_code are what the
    optimizer says of itself (`optimizer_facts`), None if only the rates were asked for: then nobody sees how they are
    used. momentum: whether the optimizer is seen and has one. time: of day, in seconds.
    """

    total_steps: int
    first_lr: float
    last_lr: float
    peak_lr: tuple[float, float] | None = None
    optimizer_code: str | None = None
    momentum: bool = False
    time: float = field(default_factory=lambda: time.time(), compare=False)

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


@dataclass(frozen=True)
class Noted:
    """An evaluation of a run: steps done, what was found by name, and what the optimizer held at the last step.

    Where the optimizer is not seen, lr is what it was to be given, and nan if that is not known either.
    """

    step: int
    values: Mapping[str, float]
    lr: float = math.nan
    momentum: float | None = None


def schedule_with(peak_lr: float) -> Schedule:
    """The schedule of a first run: warm-up and a straight line down."""
    return Linear(peak_lr=peak_lr, warmup_fraction=WARM_UP)


def middle_of(peak_lr: tuple[float, float]) -> float:
    """The middle of a range, on a log scale."""
    return math.sqrt(peak_lr[0] * peak_lr[1])


@dataclass
class WatchedSchedule:
    """The schedule of one run, as training code of a user's gets it; has the attributes of the schedule too.

    schedule: None in a first run whose peak is not known: a peak in the middle of the range of the optimizer is used.
    observed: makes of an evaluation's values what a schedule may observe, lower is better.
    exact: whether every rate is compared with the schedule computed apart, not only with what the scheduler set.
    left: asked at each step whether the run is to be left; if so, `Left` is raised out of the optimizer's step.
    """

    schedule: Schedule | None
    observed: Callable[[Mapping[str, float]], float] | None = None
    exact: bool = False
    left: Callable[[], bool] = lambda: False
    begun: Begun | None = field(default=None, init=False)
    watch: StepWatch | None = field(default=None, init=False)
    noted: int = field(default=0, init=False)
    handed: list[float] = field(default_factory=list, init=False)

    def build(self, optimizer: Optimizer, total_steps: int) -> Any:
        """As `Schedule.build`, once in a run; total_steps: optimizer steps of the whole run."""
        total_steps = self.begin(total_steps)
        inner = inner_optimizer(optimizer)
        code, peak_lr = code_of(inner), usual_peak_lr(inner)
        self.schedule = self.schedule or schedule_with(middle_of(peak_lr))
        scheduler = self.schedule.build(optimizer, total_steps)
        compared = self.exact and not self.schedule.evaluations
        expected = [float(rate) for rate in self.schedule.rates(total_steps)] if compared else None
        self.watch = StepWatch(optimizer, scheduler, total_steps, expected, self.left)
        first, last = (expected[0], expected[-1]) if expected else (lr_and_momentum(optimizer)[0], math.nan)
        self.begun = Begun(total_steps, first, last, peak_lr, code, has_momentum(inner))
        return scheduler

    def rates(self, total_steps: int) -> list[float]:
        """As `Schedule.rates`, once in a run. Nobody sees whether the optimizer gets them."""
        total_steps = self.begin(total_steps)
        if self.schedule is None:
            raise InputError(f"schedule.rates does not see the optimizer: {GIVE_PEAK}")
        self.handed = [float(rate) for rate in self.schedule.rates(total_steps)]
        self.begun = Begun(total_steps, self.handed[0], self.handed[-1])
        return self.handed

    def begin(self, total_steps: int) -> int:
        """The length of the run; raises InputError for an invalid one, and for a second scheduler."""
        if self.begun is not None:
            raise InputError("the schedule was built twice in one run: build it once, before the first step")
        return whole_steps(total_steps)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "schedule":
            raise AttributeError(name)
        if self.schedule is None:
            raise InputError(f"schedule.{name} is not known in a first run: {GIVE_PEAK}")
        return getattr(self.schedule, name)

    @property
    def step(self) -> int | None:
        """Steps done, as far as they are seen."""
        return self.watch.taken if self.watch else None

    def note(self, values: Mapping[str, float], step: int | None = None) -> Noted:
        """Take in an evaluation, and let the schedule observe it if it can. step: None is the one that is seen.

        Raises InputError if the schedule was not asked for before, or the step is not known, not new, or too late.
        """
        if self.begun is None:
            raise InputError("an evaluation was made before the schedule was built: it is built before the first step")
        at = self.step if step is None else step
        if at is None:
            raise InputError("schedule.rates does not see the steps: give them, as (step, value)")
        if at <= self.noted:
            raise InputError(
                f"two evaluations at step {at} of a run: evaluate once between optimizer steps, and not after the last"
            )
        if at > self.begun.total_steps:
            raise InputError(
                f"an evaluation at step {at}, but the schedule is built for {self.begun.total_steps} steps"
            )
        self.noted = at
        if self.watch and self.observed and self.schedule and self.schedule.evaluations:
            self.watch.scheduler.observe(self.observed(values))
        lr, momentum = (self.watch.lr, self.watch.momentum) if self.watch else (self.handed[at - 1], None)
        return Noted(at, values, lr, momentum)

    def finish(self) -> None:
        """Raise InputError if the run ended, and the schedule was not used, or not to its end."""
        if self.begun is None:
            raise InputError(
                "the schedule was never used: call schedule.build(optimizer, total_steps) before the first step, "
                "and step() of what it returns after every optimizer step"
            )
        if self.watch:
            self.watch.finish()

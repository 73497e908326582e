"""Schedule: the base class of all families, a frozen value.

A schedule does not depend on a run's length: its parameters are fractions of the run and ratios of `peak_lr`, and
`build` resolves them for a run of `total_steps` optimizer steps. In your training loop:

    scheduler = Cosine(peak_lr=0.1, warmup_fraction=0.05).build(optimizer, total_steps)
    ...
    scheduler.step()                     # after every optimizer step
    scheduler.observe(validation_loss)   # after every evaluation: plateau only

Both ends are the same for every family. In a run of T steps, counted from 0, a warm-up of W steps multiplies the
learning rate by (step + 1) / (W + 1). The body covers the remaining T - W steps and would reach its final value at
step T, which is not part of the run (`one_cycle` reaches it at step T - 1, as in torch). So no step is wasted at 0.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from search_spaces.errors import InputError, require
from search_spaces.groups import require_momentum
from search_spaces.imported import Imported
from search_spaces.ranges import Domain, Either, Float, draw_parameter

if TYPE_CHECKING:
    from torch.optim import Optimizer


@dataclass(frozen=True, kw_only=True)
class Schedule(ABC):
    """A family and its parameters, which do not depend on the length of a run."""

    peak_lr: float
    """The highest learning rate of the run, in the parameter group with the highest rate; above 0."""
    warmup_fraction: float = 0.0
    """Fraction of the run in which the learning rate rises linearly to peak_lr, at least 0 (no warm-up) and below 1."""

    family: ClassVar[str]
    """The family's name at the command line and in records."""
    torch_class: ClassVar[Imported]
    """The torch scheduler of the body."""
    assemble = Imported("search_spaces.schedulers:with_warmup")  # not annotated, or dataclass would make it a field
    """(torch_class, warmup_steps, arguments, optimizer) -> torch's scheduler after the warm-up."""
    fitted = Imported("search_spaces.schedulers:RunScheduler")
    """The class of the result of `build`, which moves torch's scheduler through a run."""
    space: ClassVar[Mapping[str, Domain]] = {}
    """The family's own parameters and their search ranges."""
    on_request: ClassVar[Mapping[str, Domain]] = {}
    """Further parameters, searched only if a space file names them, and their kind of range: studies made before they
    existed must find the same space."""
    has_own_warmup: ClassVar[bool] = False
    """Whether the family itself starts with a rise, so that it takes no separate warm-up."""
    ends_at_last_step: ClassVar[bool] = False
    """Whether the run's last step has the final rate; torch's scheduler would rise, or leave its range, after it."""
    least_steps: ClassVar[int] = 1
    """Minimum length of the body, in steps."""
    evaluations: ClassVar[int] = 0
    """Number of evaluations per run that the scheduler observes; 0 if it observes none."""
    replaces_optimizer: ClassVar[bool] = False
    """Whether the family trains with an optimizer of its own, which `optimizer` makes of the given one."""

    def __post_init__(self) -> None:
        require(0 < self.peak_lr < math.inf, "peak_lr must be above 0 and finite", self.peak_lr)
        require(0 <= self.warmup_fraction < 1, "warmup_fraction must be at least 0 and below 1", self.warmup_fraction)
        if self.warmup_fraction and self.has_own_warmup:
            raise InputError(f"{self.family} already includes a warm-up: remove warmup_fraction")

    @classmethod
    def shared_space(cls) -> Mapping[str, Domain]:
        """The parameters other than `peak_lr` that the family shares with others, and their ranges."""
        # The tuning playbook starts at 5 % of the run; Goyal 2017 warmed up for 5 of 90 epochs.
        warmup = Either(0.0, Float(0.005, 0.2, log=True))
        return {} if cls.has_own_warmup else {"warmup_fraction": warmup}

    @classmethod
    def suggest(cls, trial: Any, domains: Mapping[str, Domain]) -> dict[str, Any]:
        """Draw the family's own parameters from an Optuna trial. domains: by full name, `family.parameter`."""
        full = {name: f"{cls.family}.{name}" for name in (*cls.space, *cls.on_request)}
        return {name: draw_parameter(trial, own, domains[own]) for name, own in full.items() if own in domains}

    def effective(self) -> list[str]:
        """The family's own parameters that shape this schedule, by name; of those on request only what is set."""
        return [*self.space, *(name for name in self.on_request if getattr(self, name) != getattr(type(self), name))]

    @abstractmethod
    def arguments(self, steps: int) -> dict[str, Any]:
        """The arguments of `torch_class`, except the optimizer, for a body of `steps` steps."""

    @abstractmethod
    def body(self, steps: int) -> Any:
        """The learning rate at each step of a body of `steps` steps: a float64 array of shape (steps,)."""

    def warmup_steps(self, total_steps: int) -> int:
        """Number of warm-up steps in a run of `total_steps`; at least one step remains for the body."""
        return min(round(self.warmup_fraction * total_steps), total_steps - 1)

    def extendable(self, steps: int) -> int:
        """Number of first steps of a body of `steps` steps whose rates are the same in every longer body.

        0 if the curve depends on the length of the body from its start, as in most families.
        """
        return 0

    def extendable_until(self, total_steps: int) -> int:
        """The step until which a run that was begun with `total_steps` can be given more steps; 0 if never.

        Until then the run has only had rates that `prolonged` has too. total_steps: the scheduler needs no change.
        """
        warmup_steps, steps = self.split(total_steps)
        own = self.extendable(steps)
        return warmup_steps + own if own else 0

    def prolonged(self, total_steps: int, longer: int) -> Schedule:
        """The schedule of a run that was begun with `total_steps` and is now to have `longer` steps.

        The warm-up keeps its steps; a cool-down moves to the new end. Raises InputError if the curve depends on the
        length of the run from its start, and if the run is to be shorter.

        >>> from search_spaces import WSD
        >>> schedule = WSD(peak_lr=1.0, cooldown_fraction=0.5, shape="linear")
        >>> schedule.rates(4).tolist(), schedule.prolonged(4, 8).rates(8).tolist()
        ([1.0, 1.0, 1.0, 0.5], [1.0, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25])
        """
        if not self.extendable_until(total_steps):
            raise InputError(f"a run with {self.family} cannot be prolonged: its rates depend on its length")
        require(longer >= total_steps, f"a run of {total_steps} steps can only become longer", longer)
        return replace(self, warmup_fraction=self.warmup_steps(total_steps) / longer)

    def split(self, total_steps: int) -> tuple[int, int]:
        """(warm-up steps, body steps) of a run; raises InputError if it is too short for the family."""
        total_steps = whole_steps(total_steps)
        warmup_steps = self.warmup_steps(total_steps)
        if total_steps - warmup_steps < self.least_steps:
            raise InputError(
                f"{self.family} needs at least {self.least_steps} steps to show its shape, "
                f"but the run has {total_steps}: train longer, or with smaller batches"
            )
        return warmup_steps, total_steps - warmup_steps

    def resolve(self, total_steps: int) -> dict[str, Any]:
        """What torch receives for a run of this length: warm-up steps, scheduler class, and its arguments by name."""
        warmup_steps, steps = self.split(total_steps)
        return {"warmup_steps": warmup_steps, "scheduler": self.torch_class.__name__, **self.arguments(steps)}

    def optimizer(self, optimizer: Optimizer) -> Any:
        """The optimizer to train with, and to `build` for: the given one, unless the family replaces it.

        Raises InputError if the family has none in its place.
        """
        return optimizer

    def build(self, optimizer: Optimizer, total_steps: int) -> Any:
        """Set the optimizer's first learning rate, and return the scheduler that sets all later ones.

        The parameter group with the highest learning rate follows the schedule; the others keep their ratio to it, and
        a group that is added later keeps its ratio to the highest rate at that time. Call `step()` after every
        optimizer step, `total_steps` times in all, and, for schedules with `evaluations`, `observe(loss)` after every
        evaluation. Further steps keep the last learning rate and warn. The result is an LRScheduler that moves torch's
        own and has its attributes. Load a saved state of it before or after the optimizer's; that of a run of another
        length must be loaded after. total_steps: a whole number of at least 1, of any type.
        Raises InputError for other total_steps, if the run is too short for the family, the schedule cycles momentum
        that the optimizer does not have, or the family replaces the optimizer (see `optimizer`).
        """
        return self.scheduler(optimizer, total_steps)

    def scheduler(self, optimizer: Optimizer, total_steps: int) -> Any:
        """As `build`, for any optimizer, also one that the family would replace: the rates are the same."""
        warmup_steps, steps = self.split(total_steps)
        total_steps, arguments = whole_steps(total_steps), self.arguments(steps)
        if arguments.get("cycle_momentum"):
            require_momentum(optimizer, self.family)
        make = partial(self.assemble, self.torch_class, warmup_steps, arguments)
        moves = total_steps - self.ends_at_last_step
        observing = {"evaluations": self.evaluations} if self.evaluations else {}
        return self.fitted(optimizer, self.peak_lr, total_steps, make, moves, **observing)

    def rates(self, total_steps: int, losses: Sequence[float] | None = None) -> NDArray[np.float64]:
        """The learning rate at each step of a run, from formulas: a float64 array of shape (total_steps,).

        Element s is the rate of step s, counted from 0, in the unit of peak_lr; it is above 0 and at most peak_lr. The
        first is that of the warm-up's first step, or of the body's if there is no warm-up; the last is that of the last
        step taken. It equals what `simulate` reads back from torch, to 1e-12 of peak_lr, and is far faster.
        losses: what the evaluations of the run find, in order, at most one per step. A schedule that observes them
        (plateau) needs them, and keeps its peak_lr if there are none; omit them for all others.
        Raises InputError for losses that are missing or superfluous, and for a run that is too short for the family.

        >>> from search_spaces import Linear
        >>> Linear(peak_lr=1.0, warmup_fraction=0.5).rates(8).tolist()
        [0.2, 0.4, 0.6, 0.8, 1.0, 0.75, 0.5, 0.25]
        """
        if losses is not None:
            raise InputError(f"{self.family} does not observe losses: remove losses")
        warmup_steps, steps = self.split(total_steps)
        rise = self.peak_lr * np.arange(1, warmup_steps + 1) / (warmup_steps + 1)
        return np.concatenate([rise, self.body(steps)])

    def simulate(self, total_steps: int, losses: Sequence[float] = ()) -> list[tuple[float, float]]:
        """(lr, momentum) at each step of a run, without training: read from an SGD optimizer with momentum 0.9.

        losses: the validation losses that the schedule observes, in order; at most one per step.
        """
        import torch  # takes a second, which a schedule that is only described need not wait for

        weight = torch.nn.Parameter(torch.zeros(1))
        optimizer = torch.optim.SGD([weight], lr=1.0, momentum=0.9)
        total_steps = whole_steps(total_steps)
        scheduler = self.scheduler(optimizer, total_steps)
        scheduler.observed = 1  # nobody is to be warned of losses that are not simulated
        require(len(losses) <= total_steps, f"at most {total_steps} losses can be observed", len(losses))
        due = dict(zip(evaluation_steps(total_steps, len(losses)), losses, strict=True))
        curve = []
        optimizer.step()  # torch's schedulers warn without one; calling it at every step would dominate the time
        for step in range(1, total_steps + 1):
            curve.append((float(optimizer.param_groups[0]["lr"]), float(optimizer.param_groups[0]["momentum"])))
            scheduler.step()
            if self.evaluations and step in due:
                scheduler.observe(due[step])
        return curve


def whole_steps(total_steps: Any) -> int:
    """The steps of a run as an int; raises InputError if they are no whole number, of any type, of at least 1."""
    try:
        fits = int(total_steps) == total_steps >= 1 and total_steps is not True
    except (TypeError, ValueError, OverflowError):
        fits = False
    require(fits, "total_steps must be a whole number of at least 1, the optimizer steps of the run", total_steps)
    return int(total_steps)


def evaluation_steps(total_steps: int, evaluations: int) -> list[int]:
    """The steps after which a run is evaluated: evenly spaced, ending with the last step, without duplicates.

    >>> evaluation_steps(10, 4)
    [2, 5, 8, 10]
    """
    return sorted({max(1, round(total_steps * i / evaluations)) for i in range(1, evaluations + 1)})

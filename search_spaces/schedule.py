"""Schedule: the frozen value that every family is.

A schedule says nothing of a run's length: its parameters are fractions of the run and ratios of `peak_lr`, and
`build` resolves them for a run of `total_steps` optimizer steps. In a training loop of your own:

    scheduler = Cosine(peak_lr=0.1, warmup_fraction=0.05).build(optimizer, total_steps)
    ...
    scheduler.step()                     # after every optimizer step
    scheduler.observe(validation_loss)   # after every evaluation: plateau only

Ends, the same for every family, in a run of T steps, counted from 0: a warm-up of W steps multiplies the rate by
(step + 1) / (W + 1); the body runs over the remaining T - W steps and would arrive at its last value at step T, which
is not taken (`one_cycle` arrives at step T - 1, as torch's does). So no step is wasted at rate 0.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from search_spaces.errors import InputError, require
from search_spaces.groups import require_momentum, set_all_to, take_ratios
from search_spaces.imported import Imported
from search_spaces.ranges import Domain, Either, Float, draw_parameter

if TYPE_CHECKING:
    from torch.optim import Optimizer


@dataclass(frozen=True, kw_only=True)
class Schedule(ABC):
    """A family with its parameters, for a run of any length."""

    peak_lr: float
    """The highest learning rate of the run, in the parameter group with the highest rate; above 0."""
    warmup_fraction: float = 0.0
    """Share of the run in which the rate rises linearly to peak_lr, at least 0 (none) and below 1."""

    family: ClassVar[str]
    """The name at the command line and in the records."""
    torch_class: ClassVar[Imported]
    """The torch scheduler that does the work after the warm-up."""
    assemble = Imported("search_spaces.schedulers:with_warmup")  # not annotated: dataclass would read it
    """What makes the scheduler of (torch_class, optimizer, warmup_steps, arguments); exported code quotes its lines."""
    keep_ratios = Imported("search_spaces.schedulers:KeepRatios")
    """What wraps the scheduler if the parameter groups are unequal."""
    space: ClassVar[Mapping[str, Domain]] = {}
    """The family's own parameters and the range each is searched in."""
    has_own_warmup: ClassVar[bool] = False
    """Whether the family itself begins with a rise, so that no warm-up may come before it."""
    least_steps: ClassVar[int] = 1
    """The fewest steps that can express the family, not counting the warm-up."""
    evaluations: ClassVar[int] = 0
    """How many evaluations of a run the scheduler observes; 0 if it observes none."""

    def __post_init__(self) -> None:
        require(0 < self.peak_lr < math.inf, "peak_lr must be above 0 and finite", self.peak_lr)
        require(0 <= self.warmup_fraction < 1, "warmup_fraction must be at least 0 and below 1", self.warmup_fraction)
        if self.warmup_fraction and self.has_own_warmup:
            raise InputError(f"{self.family} already includes a warm-up: remove warmup_fraction")

    @classmethod
    def shared_space(cls) -> Mapping[str, Domain]:
        """The parameters that the family shares with others, besides `peak_lr`, and their ranges."""
        # The tuning playbook starts at 5 % of the run; Goyal 2017 warmed up for 5 of 90 epochs.
        warmup = Either(0.0, Float(0.005, 0.2, log=True))
        return {} if cls.has_own_warmup else {"warmup_fraction": warmup}

    @classmethod
    def suggest(cls, trial: Any, domains: Mapping[str, Domain]) -> dict[str, Any]:
        """Draw the family's own parameters from an Optuna trial, within these domains, named `family.parameter`."""
        full = {name: f"{cls.family}.{name}" for name in cls.space}
        return {name: draw_parameter(trial, full[name], domains[full[name]]) for name in cls.space}

    @abstractmethod
    def arguments(self, steps: int) -> dict[str, Any]:
        """The arguments of `torch_class`, besides the optimizer, for a body of `steps` steps."""

    def warmup_steps(self, total_steps: int) -> int:
        """Steps of the warm-up in a run of `total_steps`; at least one is left for the body."""
        return min(round(self.warmup_fraction * total_steps), total_steps - 1)

    def split(self, total_steps: int) -> tuple[int, int]:
        """(steps of the warm-up, steps of the body) of a run; raises InputError if it is too short for the family."""
        require(total_steps >= 1, "total_steps must be at least 1", total_steps)
        warmup_steps = self.warmup_steps(total_steps)
        if total_steps - warmup_steps < self.least_steps:
            raise InputError(
                f"{self.family} needs at least {self.least_steps} steps to show its shape, "
                f"but the run has {total_steps}: train longer, or with smaller batches"
            )
        return warmup_steps, total_steps - warmup_steps

    def resolve(self, total_steps: int) -> dict[str, Any]:
        """What torch is given for a run of this length: steps of the warm-up, scheduler, its arguments by name."""
        warmup_steps, steps = self.split(total_steps)
        return {"warmup_steps": warmup_steps, "scheduler": self.torch_class.__name__, **self.arguments(steps)}

    def build(self, optimizer: Optimizer, total_steps: int) -> Any:
        """Give the optimizer its first learning rate, and return the scheduler that sets those that follow.

        The parameter group with the highest rate follows the schedule, the others keep their ratio to it.
        Call `step()` after every optimizer step, `total_steps` times in all. The result is torch's own scheduler, or,
        for unequal groups and for plateau, an LRScheduler of ours with the same attributes and methods. `get_lr()` of
        ours is the rate of each group now; `observe(loss)` is for schedules with `evaluations`.
        Raises InputError if the run is too short for the family or the optimizer lacks what the schedule moves.
        """
        warmup_steps, steps = self.split(total_steps)
        arguments = self.arguments(steps)
        if arguments.get("cycle_momentum"):
            require_momentum(optimizer, self.family)
        ratios = take_ratios(optimizer)
        set_all_to(optimizer, self.peak_lr)
        scheduler = self.assemble(self.torch_class, optimizer, warmup_steps, arguments)
        return scheduler if all(ratio == 1 for ratio in ratios) else self.keep_ratios(scheduler, optimizer, ratios)

    def rates(self, total_steps: int) -> list[float]:
        """The learning rate of each step of a run, for code that sets them itself.

        Raises InputError for a schedule that observes evaluations: its rates depend on what they find.
        """
        if self.evaluations:
            raise InputError(f"{self.family} observes evaluations, so its rates are not known before: use build")
        return [lr for lr, _ in self.simulate(total_steps)]

    def simulate(self, total_steps: int, losses: Sequence[float] = ()) -> list[tuple[float, float]]:
        """(lr, momentum) at each step of a run, without training: read back from an SGD with momentum 0.9.

        losses: what the evaluations of the run find, in order, for a schedule that observes them; at most one per step.
        """
        import torch  # takes a second, which a schedule that is only described need not wait for

        require(len(losses) <= total_steps, f"at most {total_steps} losses can be observed", len(losses))
        weight = torch.nn.Parameter(torch.zeros(1))
        optimizer = torch.optim.SGD([weight], lr=1.0, momentum=0.9)
        scheduler = self.build(optimizer, total_steps)
        due = dict(zip(evaluation_steps(total_steps, len(losses)), losses, strict=True))
        curve = []
        optimizer.step()  # torch's schedulers want to see one; the others would take most of the time
        for step in range(1, total_steps + 1):
            curve.append((float(optimizer.param_groups[0]["lr"]), float(optimizer.param_groups[0]["momentum"])))
            scheduler.step()
            if self.evaluations and step in due:
                scheduler.observe(due[step])
        return curve


def evaluation_steps(total_steps: int, evaluations: int) -> list[int]:
    """After how many steps a run is evaluated: evenly spread, the last time at its end, never twice at one step.

    >>> evaluation_steps(10, 4)
    [2, 5, 8, 10]
    """
    return sorted({max(1, round(total_steps * i / evaluations)) for i in range(1, evaluations + 1)})

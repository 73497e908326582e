from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search_spaces.errors import require
from search_spaces.families.constant import Constant
from search_spaces.imported import Imported
from search_spaces.ranges import Choice

if TYPE_CHECKING:
    from torch.optim import Optimizer


@dataclass(frozen=True, kw_only=True)
class ScheduleFree(Constant):
    """Schedule-free: a constant learning rate, and an optimizer whose weights are averaged as it goes.

    lr(s) = peak_lr

    s is the step within the body (the run without its warm-up), from 0 to N - 1; N is the number of steps of the body.

    It replaces the optimizer: `schedule.optimizer(optimizer)` makes the twin of torch's SGD or AdamW in the package
    schedulefree. Call its eval() before every evaluation, and before the weights are saved, and its train() afterwards.

    The warm-up is this scheduler's, not the package's, which would hide the rate. It counts as much: the average weighs
    each step by the square of the highest rate so far.

    Range: Defazio 2024 ("The Road Less Scheduled"), whose package uses beta 0.9, and up to 0.98 in very long runs. Good
    peaks are said to be 10 to 50 times those of SGD with momentum, and 1 to 10 times those of AdamW.
    """

    family = "schedule_free"
    replaces_optimizer = True
    twin = Imported("search_spaces.schedule_free_optimizer:schedule_free")
    require_twin = Imported("search_spaces.schedule_free_optimizer:require_schedule_free")
    space = {"beta": Choice((0.9, 0.95, 0.98))}

    beta: float = 0.9
    """Weight of the average in the point at which gradients are taken, in place of momentum, above 0 and below 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 < self.beta < 1, "beta must be above 0 and below 1", self.beta)

    def optimizer(self, optimizer: "Optimizer") -> Any:
        return self.twin(optimizer, self.beta)

    def build(self, optimizer: "Optimizer", total_steps: int) -> Any:
        self.require_twin(optimizer)
        return super().build(optimizer, total_steps)

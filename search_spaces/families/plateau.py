from dataclasses import dataclass
from typing import Any

from search_spaces.errors import require
from search_spaces.imported import Imported
from search_spaces.ranges import Float
from search_spaces.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Plateau(Schedule):
    """Reduce on plateau: multiply by factor when the validation loss has not improved for a while.

    lr <- max(lr * factor, floor_ratio * peak_lr)

    after each patience + 1 evaluations in a row that do not improve the loss by `threshold` (relative).
    patience = patience_fraction * evaluations, rounded, at least 1.

    The scheduler has two calls: `step()` after every optimizer step, which only warms up, and
    `observe(validation_loss)` after every evaluation. Losses observed during the warm-up do not count.
    (Torch cannot warm up into ReduceLROnPlateau, pytorch#68978.)

    Ranges: torch's defaults are factor 0.1 and patience 10.
    """

    family = "plateau"
    torch_class = Imported("torch.optim.lr_scheduler:ReduceLROnPlateau")
    assemble = Imported("search_spaces.schedulers:plateau_with_warmup")
    space = {
        "factor": Float(0.05, 0.7, log=True),
        "patience_fraction": Float(0.05, 0.3),
    }

    factor: float = 0.1
    """Factor at each reduction, above 0 and below 1."""
    patience_fraction: float = 0.1
    """Evaluations without improvement that are tolerated, as a share of the run's, above 0 and at most 1."""
    threshold: float = 1e-4
    """Relative improvement of the loss that counts, at least 0 and below 1."""
    floor_ratio: float = 0.0
    """The lowest rate as a share of the peak, at least 0 and below 1."""
    evaluations: int = 20  # type: ignore[misc]  # a class variable of the others, which observe nothing
    """How many evaluations of the run the schedule observes, at least 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 < self.factor < 1, "factor must be above 0 and below 1", self.factor)
        require(0 < self.patience_fraction <= 1, "patience_fraction must be above 0, at most 1", self.patience_fraction)
        require(0 <= self.threshold < 1, "threshold must be at least 0 and below 1", self.threshold)
        require(0 <= self.floor_ratio < 1, "floor_ratio must be at least 0 and below 1", self.floor_ratio)
        require(self.evaluations >= 1, "evaluations must be at least 1", self.evaluations)

    def arguments(self, steps: int) -> dict[str, Any]:
        return {
            "factor": self.factor,
            "patience": max(1, round(self.patience_fraction * self.evaluations)),
            "threshold": self.threshold,
            "min_lr": self.floor_ratio * self.peak_lr,
            "eps": 0.0,  # torch's 1e-8 would block reductions of small rates
        }

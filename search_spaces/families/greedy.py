from dataclasses import dataclass
from typing import Any, ClassVar

from search_spaces.families.plateau import Plateau
from search_spaces.imported import Imported
from search_spaces.ranges import Float


@dataclass(frozen=True, kw_only=True)
class Greedy(Plateau):
    """Greedy: reduce the rate while the validation loss does not improve, and raise it again while it does.

    lr <- max(lr * factor, floor_ratio * peak_lr)

    after patience + 1 consecutive evaluations that do not improve the loss by `threshold` (relative). After as many
    that do, the rate is divided by factor, up to peak_lr, where it starts: the peak is the highest rate of a run.
    patience = patience_fraction * evaluations, rounded, at least 1.

    Call `step()` and `observe(validation_loss)` as for plateau. Losses observed during the warm-up are ignored.

    Ranges: transformers' GreedyLR (arXiv 2512.14527) has factor 0.95 and patience 10, for hundreds of evaluations; the
    fewer there are, the larger a step must be. It has max_lr apart from the rate that it starts at.
    """

    family = "greedy"
    torch_class = Imported("search_spaces.greedy_scheduler:GreedyLR")
    raises: ClassVar[bool] = True
    space = {
        "factor": Float(0.5, 0.95),
        "patience_fraction": Float(0.02, 0.2),
    }

    factor: float = 0.8
    """Factor at each reduction, and divisor at each rise, above 0 and below 1."""
    patience_fraction: float = 0.05
    """Evaluations in a row that change nothing yet, as a fraction of `evaluations`, above 0 and at most 1."""
    threshold: float = 1e-6
    """Minimum relative improvement of the loss, at least 0 and below 1."""

    def arguments(self, steps: int) -> dict[str, Any]:
        return {
            "factor": self.factor,
            "patience": max(1, round(self.patience_fraction * self.evaluations)),
            "threshold": self.threshold,
            "min_lr": self.floor_ratio * self.peak_lr,
            "max_lr": self.peak_lr,
        }

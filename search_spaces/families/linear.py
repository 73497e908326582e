from dataclasses import dataclass
from typing import Any

from search_spaces.errors import require
from search_spaces.imported import Imported
from search_spaces.ranges import Either, Float
from search_spaces.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Linear(Schedule):
    """Linear decay, to zero or to a share of the peak.

    lr(s) = peak_lr * (1 - (1 - end_ratio) * s / N)

    s is the step within the body, from 0 to N - 1; N is the number of steps of the body: the run without its warm-up.

    Range: to zero is what Defazio 2023 and Bergsma 2025 (D2Z) recommend; language models often end at a tenth.
    """

    family = "linear"
    torch_class = Imported("torch.optim.lr_scheduler:LinearLR")
    space = {"end_ratio": Either(0.0, Float(1e-4, 0.3, log=True))}

    end_ratio: float = 0.0
    """The rate at the end as a share of the peak, at least 0 and at most 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 <= self.end_ratio <= 1, "end_ratio must be at least 0, at most 1", self.end_ratio)

    def arguments(self, steps: int) -> dict[str, Any]:
        return {"start_factor": 1.0, "end_factor": self.end_ratio, "total_iters": steps}

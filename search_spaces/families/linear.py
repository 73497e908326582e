from dataclasses import dataclass
from typing import Any

import numpy as np

from search_spaces.errors import require
from search_spaces.imported import Imported
from search_spaces.ranges import Either, Float
from search_spaces.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Linear(Schedule):
    """Linear decay, to zero or to a fraction of the peak.

    lr(s) = peak_lr * (1 - (1 - end_ratio) * s / N)

    s is the step within the body (the run without its warm-up), from 0 to N - 1; N is the number of steps of the body.

    Range: Defazio 2023 and Bergsma 2025 (D2Z) recommend decay to zero; language models often end at 0.1 of the peak.
    """

    family = "linear"
    torch_class = Imported("torch.optim.lr_scheduler:LinearLR")
    space = {"end_ratio": Either(0.0, Float(1e-4, 0.3, log=True))}

    end_ratio: float = 0.0
    """The final learning rate as a fraction of the peak, at least 0 and at most 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 <= self.end_ratio <= 1, "end_ratio must be at least 0, at most 1", self.end_ratio)

    def arguments(self, steps: int) -> dict[str, Any]:
        return {"start_factor": 1.0, "end_factor": self.end_ratio, "total_iters": steps}

    def body(self, steps: int) -> Any:
        return self.peak_lr * (1 - (1 - self.end_ratio) * np.arange(steps) / steps)

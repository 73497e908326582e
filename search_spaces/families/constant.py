from dataclasses import dataclass
from typing import Any

import numpy as np

from search_spaces.imported import Imported
from search_spaces.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """Constant learning rate at the peak: the control.

    lr(s) = peak_lr

    s is the step within the body (the run without its warm-up), from 0 to N - 1; N is the number of steps of the body.

    ConstantLR with factor 1 changes nothing; it provides the same interface as the other schedulers.
    """

    family = "constant"
    torch_class = Imported("torch.optim.lr_scheduler:ConstantLR")

    def arguments(self, steps: int) -> dict[str, Any]:
        return {"factor": 1.0, "total_iters": steps}

    def extendable(self, steps: int) -> int:
        return steps

    def body(self, steps: int) -> Any:
        return np.full(steps, self.peak_lr)

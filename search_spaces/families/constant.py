from dataclasses import dataclass
from typing import Any

from search_spaces.imported import Imported
from search_spaces.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """The control arm: the learning rate stays at its peak.

    lr(s) = peak_lr

    s is the step within the body, from 0 to N - 1; N is the number of steps of the body: the run without its warm-up.

    Torch's ConstantLR with factor 1 does nothing, under the interface of the others.
    """

    family = "constant"
    torch_class = Imported("torch.optim.lr_scheduler:ConstantLR")

    def arguments(self, steps: int) -> dict[str, Any]:
        return {"factor": 1.0, "total_iters": steps}

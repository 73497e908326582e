"""The scheduler of the family greedy, which torch does not have. Exported code quotes this."""

from __future__ import annotations

import math
from typing import Any

from torch.optim import Optimizer

from search_spaces.groups import set_rate


class GreedyLR:
    """Raises the rate after more than `patience` improving losses in a row, and reduces it after as many others.

    As transformers' GreedyLR with a relative threshold, without its smoothing, its waiting periods and its reset.
    """

    def __init__(
        self, optimizer: Optimizer, factor: float, patience: int, threshold: float, min_lr: float, max_lr: float
    ) -> None:
        self.optimizer = optimizer
        self.factor, self.patience, self.threshold = factor, patience, threshold
        self.min_lr, self.max_lr = min_lr, max_lr
        self.best, self.num_good_epochs, self.num_bad_epochs, self.last_epoch = math.inf, 0, 0, 0
        self._last_lr = [float(group["lr"]) for group in optimizer.param_groups]

    def step(self, loss: float) -> None:
        """Observe a loss."""
        loss = float(loss)
        self.last_epoch += 1
        if loss < self.best * (1 - self.threshold):
            self.best, self.num_good_epochs, self.num_bad_epochs = loss, self.num_good_epochs + 1, 0
        else:
            self.num_good_epochs, self.num_bad_epochs = 0, self.num_bad_epochs + 1
        raises, reduces = self.num_good_epochs > self.patience, self.num_bad_epochs > self.patience
        for group in self.optimizer.param_groups:
            if raises:
                set_rate(group, min(float(group["lr"]) / self.factor, self.max_lr))
            if reduces:
                set_rate(group, max(float(group["lr"]) * self.factor, self.min_lr))
        if raises or reduces:
            self.num_good_epochs = self.num_bad_epochs = 0
        self._last_lr = [float(group["lr"]) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything that `load_state_dict` needs to resume."""
        return {name: value for name, value in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resume from a saved state."""
        vars(self).update(state_dict)

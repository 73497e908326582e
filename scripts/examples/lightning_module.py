"""A schedule in Lightning's `configure_optimizers`: pip install -e '.[examples]'

python scripts/examples/lightning_module.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from search_spaces import Cosine, Schedule
from study.workloads.builtin_datasets import load_dataset
from study.workloads.builtin_models import mlp

EPOCHS, EVALUATE_EVERY = 2, 25


class Classifier(lightning.LightningModule):  # type: ignore[misc]
    """An ordinary LightningModule; the last two methods handle the schedule."""

    def __init__(self, model: torch.nn.Module, schedule: Schedule) -> None:
        super().__init__()
        self.model, self.schedule = model, schedule
        self.rates: list[float] = []
        self.losses: list[float] = []

    def training_step(self, batch: list[Tensor], index: int) -> Tensor:
        self.rates.append(self.optimizers().param_groups[0]["lr"])
        x, y = batch
        return cross_entropy(self.model(x), y)

    def validation_step(self, batch: list[Tensor], index: int) -> None:
        x, y = batch
        self.log("val_loss", cross_entropy(self.model(x), y))

    def configure_optimizers(self) -> dict[str, Any]:
        optimizer = torch.optim.SGD(self.parameters(), lr=1.0, momentum=0.9)  # build sets the learning rate
        scheduler = self.schedule.build(optimizer, self.trainer.estimated_stepping_batches)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def on_validation_end(self) -> None:
        self.losses.append(float(self.trainer.callback_metrics["val_loss"]))
        if self.schedule.evaluations:  # plateau observes
            self.lr_schedulers().observe(self.losses[-1])


def train(schedule: Schedule) -> tuple[list[float], list[float]]:
    """Train once; returns the learning rate of every step, and the validation loss of every evaluation."""
    lightning.seed_everything(0, verbose=False)
    data: Any = load_dataset("mnist1d", Path("data"), split_seed=0)
    loader = DataLoader(TensorDataset(*data.train), batch_size=64, shuffle=True, drop_last=True)
    validation_loader = DataLoader(TensorDataset(*data.validation), batch_size=len(data.validation.x))
    module = Classifier(mlp(data.input_shape, data.classes), schedule)
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    trainer = lightning.Trainer(
        max_epochs=EPOCHS, val_check_interval=EVALUATE_EVERY, num_sanity_val_steps=0, accelerator="cpu", **quiet
    )
    trainer.fit(module, loader, validation_loader)
    return module.rates, module.losses


if __name__ == "__main__":
    rates, losses = train(Cosine(peak_lr=0.1, warmup_fraction=0.1))
    print(f"{len(rates)} steps, highest learning rate {max(rates):.3f}, validation loss {losses[-1]:.3f}")

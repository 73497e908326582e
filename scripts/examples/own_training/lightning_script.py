"""A script with Lightning.

python scripts/search.py --command "python scripts/examples/own_training/lightning_script.py {epochs} {seed}" --epochs 4
"""

import logging
import sys
import tempfile
import warnings

import lightning
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from study.script import report, scheduler  # +
from study.workloads.builtin_datasets import load_dataset

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", ".*does not have many workers.*")


class Classifier(lightning.LightningModule):
    """Any LightningModule."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))

    def training_step(self, batch, index):
        x, y = batch
        return cross_entropy(self.layers(x), y)

    def validation_step(self, batch, index):
        x, y = batch
        self.log("val_loss", cross_entropy(self.layers(x), y))

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)
        steps = self.trainer.estimated_stepping_batches
        sched = scheduler(optimizer, steps) or torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)  # +
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": sched, "interval": "step"}}


class Report(lightning.Callback):  # +
    def on_validation_end(self, trainer, module):  # +
        report(float(trainer.callback_metrics["val_loss"]))  # +


epochs, seed = int(sys.argv[1]), int(sys.argv[2])
lightning.seed_everything(seed, verbose=False)
data = load_dataset("digits", tempfile.gettempdir(), split_seed=0)
loader = DataLoader(TensorDataset(*data.train), batch_size=64, shuffle=True, drop_last=True)
trainer = lightning.Trainer(
    max_epochs=epochs, accelerator="cpu", num_sanity_val_steps=0, logger=False, enable_checkpointing=False,
    enable_progress_bar=False, enable_model_summary=False,
    callbacks=[Report()],  # +
)  # fmt: skip
trainer.fit(Classifier(), loader, DataLoader(TensorDataset(*data.validation), batch_size=512))

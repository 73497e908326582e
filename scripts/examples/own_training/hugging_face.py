"""A script with Hugging Face's Trainer.

python scripts/search.py --command "python scripts/examples/own_training/hugging_face.py {epochs} {seed}" --epochs 4
"""

import sys
import tempfile

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed

from study.script import report, scheduler  # +
from study.workloads.builtin_datasets import load_dataset

epochs, seed = int(sys.argv[1]), int(sys.argv[2])
set_seed(seed)
data = load_dataset("digits", tempfile.gettempdir(), split_seed=0)
train, validation = (
    [{"x": x, "labels": y} for x, y in zip(*part, strict=True)] for part in (data.train, data.validation)
)


class Classifier(nn.Module):
    """As the Trainer likes them: it returns its own loss."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, x, labels):
        logits = self.layers(x)
        return {"loss": cross_entropy(logits, labels), "logits": logits}


class Report(TrainerCallback):  # +
    def on_evaluate(self, args, state, control, metrics, **kwargs):  # +
        report(metrics["eval_loss"])  # +


model = Classifier()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
sched = scheduler(optimizer, epochs * (len(train) // 64))  # +

with tempfile.TemporaryDirectory() as folder:
    arguments = TrainingArguments(
        folder, num_train_epochs=epochs, per_device_train_batch_size=64, per_device_eval_batch_size=len(validation), seed=seed,
        eval_strategy="epoch", save_strategy="no", report_to="none", disable_tqdm=True, use_cpu=True,
        dataloader_drop_last=True, dataloader_pin_memory=False,
    )  # fmt: skip
    trainer = Trainer(
        model, arguments, train_dataset=train, eval_dataset=validation,
        optimizers=(optimizer, sched), callbacks=[Report()],  # +
    )  # fmt: skip
    trainer.train()

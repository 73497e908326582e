"""A schedule in Hugging Face's Trainer, passed as `optimizers=`: pip install -e '.[examples]'

python scripts/examples/transformers_trainer.py
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import Trainer, TrainerCallback, TrainingArguments

from search_spaces import Linear, Schedule
from study.workloads.builtin_datasets import load_dataset
from study.workloads.builtin_models import Transformer
from study.workloads.data import Split

STEPS, EVALUATE_EVERY = 100, 25


class Classifier(nn.Module):
    """A model in the form that the Trainer expects: it returns its own loss."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, labels: Tensor) -> dict[str, Tensor]:
        scores = self.model(x)
        return {"loss": cross_entropy(scores, labels), "logits": scores}


class Watch(TrainerCallback):  # type: ignore[misc]
    """Records the learning rates, and passes validation losses to a schedule that observes them."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.rates: list[float] = []
        self.losses: list[float] = []

    def on_step_begin(self, args: Any, state: Any, control: Any, optimizer: Any = None, **kwargs: Any) -> None:
        self.rates.append(optimizer.param_groups[0]["lr"])

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any, lr_scheduler: Any, **kwargs: Any) -> None:
        self.losses.append(metrics["eval_loss"])
        if self.schedule.evaluations:
            lr_scheduler.observe(metrics["eval_loss"])


def rows(split: Split) -> list[dict[str, Tensor]]:
    """A dataset in the form that the Trainer expects."""
    return [{"x": x, "labels": y} for x, y in zip(*split, strict=True)]


def train(schedule: Schedule) -> tuple[list[float], list[float]]:
    """Train once; returns the learning rate of every step, and the validation loss of every evaluation."""
    data: Any = load_dataset("mnist1d", Path("data"), split_seed=0)
    model = Classifier(Transformer(data.input_shape, data.classes))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.0)  # build sets the learning rate
    scheduler = schedule.build(optimizer, STEPS)
    watch = Watch(schedule)
    with TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, max_steps=STEPS, per_device_train_batch_size=64, per_device_eval_batch_size=800, use_cpu=True,
            eval_strategy="steps", eval_steps=EVALUATE_EVERY, save_strategy="no", report_to="none", disable_tqdm=True,
        )  # fmt: skip
        Trainer(
            model, arguments, train_dataset=rows(data.train), eval_dataset=rows(data.validation),
            optimizers=(optimizer, scheduler), callbacks=[watch],
        ).train()  # fmt: skip
    return watch.rates, watch.losses


if __name__ == "__main__":
    rates, losses = train(Linear(peak_lr=3e-3, warmup_fraction=0.1))
    print(f"{len(rates)} steps, highest learning rate {max(rates):.4f}, validation loss {losses[-1]:.3f}")

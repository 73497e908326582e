"""A schedule in a bare loop with mixed precision and gradients accumulated over several batches.

python scripts/examples/amp_and_accumulation.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch.amp import GradScaler, autocast
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from search_spaces import OneCycle, Schedule
from search_spaces.schedule import evaluation_steps
from study.workloads.builtin_datasets import load_dataset
from study.workloads.builtin_models import cnn

EPOCHS, ACCUMULATED, EVALUATIONS = 4, 2, 20


def train(
    schedule: Schedule, dtype: torch.dtype = torch.bfloat16, init_scale: float = 2.0**16
) -> tuple[list[float], list[float]]:
    """Train once; returns the learning rate of every step, and the validation loss of every evaluation.

    The schedule counts optimizer steps, not batches; it pauses if the scaler skips a step (float16 overflow).
    """
    torch.manual_seed(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data: Any = load_dataset("mnist1d", Path("data"), split_seed=0).to(device)
    loader = DataLoader(TensorDataset(*data.train), batch_size=32, shuffle=True, drop_last=True)
    model = cnn(data.input_shape, data.classes).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)  # build sets the learning rate
    total_steps = EPOCHS * len(loader) // ACCUMULATED
    scheduler = schedule.build(optimizer, total_steps)
    scaler = GradScaler(device.type, init_scale=init_scale)
    rates: list[float] = []
    losses: list[float] = []
    batches = 0
    for _ in range(EPOCHS):
        for x, y in loader:
            with autocast(device.type, dtype):
                loss = cross_entropy(model(x), y) / ACCUMULATED
            scaler.scale(loss).backward()
            batches += 1
            if batches % ACCUMULATED:
                continue
            rate, scale = optimizer.param_groups[0]["lr"], scaler.get_scale()
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
            if scaler.get_scale() < scale:  # the gradients were not finite: no step was made
                continue
            rates.append(rate)
            scheduler.step()
            if len(rates) in evaluation_steps(total_steps, EVALUATIONS):
                with torch.no_grad(), autocast(device.type, dtype):
                    losses.append(float(cross_entropy(model(data.validation.x), data.validation.y)))
                if schedule.evaluations:  # plateau observes
                    scheduler.observe(losses[-1])
    return rates, losses


if __name__ == "__main__":
    rates, losses = train(OneCycle(peak_lr=0.1))
    print(f"{len(rates)} steps, highest learning rate {max(rates):.3f}, validation loss {losses[-1]:.3f}")

"""Schedules in your own Optuna objective: `search_spaces.suggest` draws one, `build` makes the torch scheduler.

python scripts/examples/own_objective.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from search_spaces import Schedule, from_params, suggest
from search_spaces.schedule import evaluation_steps
from study.workloads.builtin_datasets import load_dataset
from study.workloads.builtin_models import mlp

EPOCHS, EVALUATIONS = 2, 20
FAMILIES = ["cosine", "one_cycle", "step", "plateau"]

data: Any = load_dataset("mnist1d", Path("data"), split_seed=0)
loader = DataLoader(TensorDataset(*data.train), batch_size=64, shuffle=True, drop_last=True)


def train(schedule: Schedule) -> tuple[list[float], list[float]]:
    """Train once; returns the learning rate of every step, and the validation loss of every evaluation."""
    torch.manual_seed(0)
    model = mlp(data.input_shape, data.classes)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)  # build sets the learning rate
    total_steps = EPOCHS * len(loader)
    scheduler = schedule.build(optimizer, total_steps)
    due = evaluation_steps(total_steps, EVALUATIONS)
    rates: list[float] = []
    losses: list[float] = []
    for _ in range(EPOCHS):
        for x, y in loader:
            cross_entropy(model(x), y).backward()
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            optimizer.zero_grad()
            scheduler.step()
            if len(rates) in due:
                with torch.no_grad():
                    losses.append(float(cross_entropy(model(data.validation.x), data.validation.y)))
                if schedule.evaluations:  # plateau observes
                    scheduler.observe(losses[-1])
    return rates, losses


def objective(trial: optuna.Trial) -> float:
    """The final validation loss."""
    schedule = suggest(trial, FAMILIES, peak_lr=(1e-3, 1.0))
    return train(schedule)[1][-1]


if __name__ == "__main__":
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=8)
    print(f"{study.best_value:.3f} with {from_params(study.best_params)}")

"""A custom workload: a regression with Huber loss, evaluated by the mean absolute error.

python scripts/search.py --workload examples.regression:workload --optimizer adamw --epochs 10
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import huber_loss

from study.workloads import Data, Metric, Split, Workload

ROWS, FEATURES = 1000, 8


def loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """For each row, the Huber loss: quadratic for small errors, linear for large ones."""
    return huber_loss(outputs[:, 0], targets, reduction="none")


def absolute_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """For each row, the absolute error."""
    return (outputs[:, 0] - targets).abs()


def make_model() -> nn.Module:
    """Two hidden layers with batch norm."""
    return nn.Sequential(
        nn.Linear(FEATURES, 64),
        nn.BatchNorm1d(64),
        nn.ReLU(inplace=True),
        nn.Linear(64, 64),
        nn.ReLU(),
        nn.Linear(64, 1),
    )


def workload() -> Workload:
    """Synthetic rows: a smooth function of the features, noise, and one outlier in fifty."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(ROWS, FEATURES, generator=generator)
    y = (2 * x[:, 0]).sin() + x[:, 1] * x[:, 2] + 0.1 * torch.randn(ROWS, generator=generator)
    y[::50] += 10
    train, validation, test = (Split(x[rows], y[rows]) for rows in (slice(700), slice(700, 850), slice(850, None)))
    data = Data("made-rows", 1, train, validation, test, task="regression")
    metric = Metric("absolute_error", "minimize", "units of the target", worst=10.0, measure=absolute_error)
    return Workload("huber-regression", data, make_model, loss, metric)

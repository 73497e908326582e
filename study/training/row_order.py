"""The order in which the training rows are used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from study.objective import Run
from study.workloads.workload import Workload


def batches(workload: Workload, runs: Sequence[Run]) -> Iterator[Tensor]:
    """The row indices of each step, without end: a new order every epoch, the same for runs of equal `train_seed`.

    Yields (rows,) if all runs have the same seed, else (runs, rows).
    """
    rows, size = workload.data.train.rows, workload.batch_size
    seeds = {run.train_seed: torch.Generator().manual_seed(run.train_seed) for run in runs}
    while True:
        orders = {seed: torch.randperm(rows, generator=generator) for seed, generator in seeds.items()}
        order = torch.stack([orders[run.train_seed] for run in runs]) if len(seeds) > 1 else next(iter(orders.values()))
        yield from order.to(workload.device)[..., : workload.steps_per_epoch * size].split(size, dim=-1)

"""The only training loop: trains a cohort of runs and yields their evaluations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Protocol

import torch
from torch import Tensor
from torch.optim import Optimizer

from search_spaces.optimizer_facts import lr_and_momentum
from search_spaces.schedule import evaluation_steps
from study.objective import Evaluation, Run, Stop
from study.training.divergence import Divergence
from study.workloads.data import Split
from study.workloads.streamed import StreamedSplit
from study.workloads.workload import Workload

CHECK_EVERY = 10
"""Steps between looks at the loss; each look waits for the device."""
EVALUATION_ROWS = 256
"""Rows per forward pass of an evaluation."""


class Learner(Protocol):
    """One or several runs in training: the models and what updates them.

    optimizers: one per run, in order; a run's scheduler sets `lr` and `momentum` there, and each step follows them.
    """

    optimizers: list[Optimizer]

    def update(self, x: Tensor, y: Tensor) -> Tensor:
        """Make one step of every run; returns their losses before it, (runs,).

        x (rows, ...) and y (rows, ...) are for all runs, or with a first axis of its own for each run.
        """

    def evaluate(self, x: Tensor, y: Tensor, positions: Sequence[int]) -> Tensor:
        """(loss, metric), summed over the rows, of the runs at these positions: (positions, 2), in float64."""

    def keep(self, positions: Sequence[int]) -> None:
        """Go on with the runs at these positions only."""


def train_cohort(
    workload: Workload, runs: Sequence[Run], learner: Learner, stop: Stop, total_steps: int
) -> Iterator[Evaluation]:
    """Train runs of this length together; yields each evaluation as it is made, the last of each run at its end.

    stop: asked before every step, and every few rows evaluated. A diverged run yields one last evaluation, and stops.
    """
    schedulers = [
        run.schedule.build(optimizer, total_steps) for run, optimizer in zip(runs, learner.optimizers, strict=True)
    ]
    due = [set(evaluation_steps(total_steps, run.schedule.evaluations or run.evaluations)) for run in runs]
    looks = set().union(*due, range(CHECK_EVERY, total_steps + 1, CHECK_EVERY))
    live = list(range(len(runs)))  # the indices of the runs that are trained, by their position in the learner

    def keep(staying: list[int]) -> None:
        nonlocal live
        if len(staying) < len(live):
            positions = [live.index(index) for index in staying]
            live = staying
            if live:
                learner.keep(positions)

    def order() -> Iterator[Tensor]:
        for rows in islice(batches(workload, runs), total_steps):
            yield rows[live] if rows.ndim == 2 else rows

    examples = workload.data.train.fetch(order())
    for step in range(1, total_steps + 1):
        keep([index for index in live if not stop(index)])
        if not live:
            return
        losses = learner.update(*next(examples))
        held = [lr_and_momentum(optimizer) for optimizer in learner.optimizers] if step in looks else []
        for index in live:
            schedulers[index].step()

        if step == 1:
            divergence = Divergence(dict(zip(live, losses.tolist(), strict=True)))
        if step not in looks:
            continue
        # No run is looked at only because another one is evaluated: its end must not depend on its company.
        looked_at = [step % CHECK_EVERY == 0 or step in due[index] for index in live]
        diverged = {
            index
            for index, loss, look in zip(live, losses.tolist(), looked_at, strict=True)
            if look and divergence.has(index, loss)
        }
        due_now = [position for position, index in enumerate(live) if step in due[index] and index not in diverged]
        tested_now = [position for position in due_now if runs[live[position]].test and step == total_steps]
        found = evaluate(workload, learner, workload.data.validation, due_now, lambda: all(map(stop, live)))
        tested = evaluate(workload, learner, workload.data.test, tested_now, lambda: all(map(stop, live)))
        for position, index in enumerate(live):
            loss, metric = found.get(position, (0.0, 0.0))
            if index in diverged or not (math.isfinite(loss) and math.isfinite(metric)):
                diverged.add(index)
                worst = workload.metric.worst
                yield Evaluation(index, step, total_steps, math.inf, worst, *held[position], diverged=True)
            elif position in found:
                if runs[index].schedule.evaluations:
                    schedulers[index].observe(loss)
                metric = workload.metric.bounded(metric)
                test_metric = workload.metric.bounded(tested[position][1]) if position in tested else None
                yield Evaluation(index, step, total_steps, loss, metric, *held[position], test_metric=test_metric)
        keep([index for index in live if index not in diverged])


def batches(workload: Workload, runs: Sequence[Run]) -> Iterator[Tensor]:
    """The row numbers of each step, without end: every epoch a new order, the same for every run of a `train_seed`.

    (rows,) if all runs have the same seed, else (runs, rows).
    """
    rows, size = workload.data.train.rows, workload.batch_size
    seeds = {run.train_seed: torch.Generator().manual_seed(run.train_seed) for run in runs}
    while True:
        orders = {seed: torch.randperm(rows, generator=generator) for seed, generator in seeds.items()}
        order = torch.stack([orders[run.train_seed] for run in runs]) if len(seeds) > 1 else next(iter(orders.values()))
        yield from order.to(workload.device)[..., : workload.steps_per_epoch * size].split(size, dim=-1)


@torch.no_grad()
def evaluate(
    workload: Workload,
    learner: Learner,
    split: Split | StreamedSplit,
    positions: Sequence[int],
    stop: Callable[[], bool],
) -> dict[int, tuple[float, float]]:
    """(loss, metric) as means over the rows of a split, by position; nothing if it was stopped in between."""
    if not positions:
        return {}
    sums = torch.zeros(len(positions), 2, device=workload.device, dtype=torch.float64)
    for x, y in split.parts(EVALUATION_ROWS):
        if stop():
            return {}
        sums += learner.evaluate(x, y, positions)
    return dict(zip(positions, map(tuple, (sums / split.rows).tolist()), strict=True))

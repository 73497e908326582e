"""The only training loop: trains a cohort of runs and yields their evaluations; it knows nothing of Optuna."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.optim import Optimizer

from search_spaces.schedule import Schedule, evaluation_steps
from study.workloads.data import Split
from study.workloads.streamed import LazySplit
from study.workloads.workload import Workload

EXPLODED = 1000.0
"""A run whose loss is this many times the loss of its first update has diverged."""
CHECK_EVERY = 10
"""Updates between looks at the loss; each look waits for the device."""
EVALUATION_ROWS = 256
"""Rows per forward pass of an evaluation."""

Stop = Callable[[int], bool]
"""Says whether to leave the run of an index."""


@dataclass(frozen=True)
class Run:
    """One training from initialisation to the end of its horizon: plain values, all that it depends on.

    epochs: the horizon; the whole schedule is fitted into it. train_seed: initialisation, order of rows, dropout.
    evaluations: how often to evaluate, for a schedule that does not itself say how often it listens.
    test: whether the last evaluation is made on the test rows too.
    """

    schedule: Schedule
    epochs: int
    train_seed: int
    evaluations: int
    test: bool = False


@dataclass(frozen=True)
class Evaluation:
    """What one evaluation of a run found, on the validation rows.

    run: its index among the runs given. step: updates done, of total_steps. loss and metric: means over the rows; the
    worst value of the metric, and a loss of inf, for a run that diverged. lr and momentum: what the optimizer held at
    the last update, momentum being beta1 in Adam and None without either. cohort: runs that were trained together, 1
    in the plain loop. too_large: cohorts that the run was tried in before, for which there was not enough memory.
    test_metric: only where the run asked for it.
    """

    run: int
    step: int
    total_steps: int
    loss: float
    metric: float
    lr: float
    momentum: float | None
    diverged: bool = False
    cohort: int = 1
    too_large: tuple[int, ...] = ()
    test_metric: float | None = None

    @property
    def last(self) -> bool:
        """Whether the run ends here."""
        return self.diverged or self.step == self.total_steps


class Learner(Protocol):
    """One or several runs in training: the models and what updates them.

    optimizers: one per run, in order; a run's scheduler sets `lr` and `momentum` there, and each update follows them.
    """

    optimizers: list[Optimizer]

    def update(self, x: Tensor, y: Tensor) -> Tensor:
        """Make one update of every run; returns their losses before it, (runs,).

        x (rows, ...) and y (rows, ...) are for all runs, or with a first axis of its own for each run.
        """

    def judge(self, x: Tensor, y: Tensor, positions: Sequence[int]) -> Tensor:
        """(loss, metric), summed over the rows, of the runs at these positions: (positions, 2), in float64."""

    def keep(self, positions: Sequence[int]) -> None:
        """Go on with the runs at these positions only."""


def train_cohort(workload: Workload, runs: Sequence[Run], learner: Learner, stop: Stop) -> Iterator[Evaluation]:
    """Train runs of the same length together; yields each evaluation as it is made, the last of each at its horizon.

    stop: asked before every update, and every few rows evaluated. A diverged run yields one last evaluation, and stops.
    """
    total_steps = runs[0].epochs * workload.steps_per_epoch
    schedulers = [
        run.schedule.build(optimizer, total_steps) for run, optimizer in zip(runs, learner.optimizers, strict=True)
    ]
    due = [set(evaluation_steps(total_steps, run.schedule.evaluations or run.evaluations)) for run in runs]
    looks = set().union(*due, range(CHECK_EVERY, total_steps + 1, CHECK_EVERY))
    live = list(range(len(runs)))  # by position in the learner
    highest_losses: list[float] = []

    def keep(staying: list[int]) -> None:
        nonlocal live, schedulers, highest_losses
        if len(staying) == len(live):
            return
        positions = [live.index(index) for index in staying]
        schedulers = [schedulers[position] for position in positions]
        highest_losses = [highest_losses[position] for position in positions] if highest_losses else []
        live = staying
        if live:
            learner.keep(positions)

    def order() -> Iterator[Tensor]:
        for rows in batches(workload, runs):
            yield rows[live] if rows.ndim == 2 else rows

    examples = workload.data.train.fetch(order())
    for step in range(1, total_steps + 1):
        keep([index for index in live if not stop(index)])
        if not live:
            return
        losses = learner.update(*next(examples))
        holdings = [held(optimizer) for optimizer in learner.optimizers] if step in looks else []
        for scheduler in schedulers:
            scheduler.step()

        if step == 1:
            highest_losses = [loss + EXPLODED * abs(loss) for loss in losses.tolist()]  # a loss may be negative
        if step not in looks:
            continue
        checked = step % CHECK_EVERY == 0
        within = [  # "not <=" is true of NaN too; no run is looked at because another one is evaluated
            not ((checked or step in due[index]) and not loss <= highest)
            for index, loss, highest in zip(live, losses.tolist(), highest_losses, strict=True)
        ]
        heard = [position for position, index in enumerate(live) if within[position] and step in due[index]]
        found = evaluate(workload, learner, workload.data.validation, heard, lambda: all(map(stop, live)))
        judged = [position for position in heard if runs[live[position]].test and step == total_steps]
        tested = evaluate(workload, learner, workload.data.test, judged, lambda: all(map(stop, live)))
        staying = []
        for position, index in enumerate(live):
            loss, metric = found.get(position, (0.0, 0.0))
            if not within[position] or not (math.isfinite(loss) and math.isfinite(metric)):
                worst = workload.metric.worst
                yield Evaluation(index, step, total_steps, math.inf, worst, *holdings[position], diverged=True)
                continue
            staying.append(index)
            if position in found:
                if runs[index].schedule.evaluations:
                    schedulers[position].observe(loss)
                metric = workload.metric.bounded(metric)
                test_metric = workload.metric.bounded(tested[position][1]) if position in tested else None
                yield Evaluation(index, step, total_steps, loss, metric, *holdings[position], test_metric=test_metric)
        keep(staying)


def batches(workload: Workload, runs: Sequence[Run]) -> Iterator[Tensor]:
    """The row numbers of each update: every epoch a new order, the same for every run of a `train_seed`.

    (rows,) where all runs have the same seed, else (runs, rows).
    """
    rows, size = workload.data.train.rows, workload.batch_size
    seeds = {run.train_seed: torch.Generator().manual_seed(run.train_seed) for run in runs}
    for _ in range(runs[0].epochs):
        orders = {seed: torch.randperm(rows, generator=generator) for seed, generator in seeds.items()}
        order = torch.stack([orders[run.train_seed] for run in runs]) if len(seeds) > 1 else next(iter(orders.values()))
        yield from order.to(workload.device)[..., : workload.steps_per_epoch * size].split(size, dim=-1)


@torch.no_grad()
def evaluate(
    workload: Workload, learner: Learner, split: Split | LazySplit, positions: Sequence[int], stop: Callable[[], bool]
) -> dict[int, tuple[float, float]]:
    """(loss, metric) as means over the rows of a split, by position; nothing where it was stopped in between."""
    if not positions:
        return {}
    sums = torch.zeros(len(positions), 2, device=workload.device, dtype=torch.float64)
    for x, y in split.parts(EVALUATION_ROWS):
        if stop():
            return {}
        sums += learner.judge(x, y, positions)
    return dict(zip(positions, map(tuple, (sums / split.rows).tolist()), strict=True))


def held(optimizer: Optimizer) -> tuple[float, float | None]:
    """The (lr, momentum) that the optimizer holds now, in the group with the highest rate."""
    group: dict[str, Any] = max(optimizer.param_groups, key=lambda group: float(group["lr"]))
    momentum = group["betas"][0] if "betas" in group else group.get("momentum")
    return float(group["lr"]), momentum

"""The only training loop: trains a cohort of runs and yields their evaluations; it knows nothing of Optuna."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from search_spaces.schedule import Schedule, evaluation_steps
from study.data import Split
from study.workload import Workload

EXPLODED = 1000.0
"""A run whose loss is this many times the loss of its first update has diverged."""
CHECK_EVERY = 10
"""Updates between looks at the loss; each look waits for the device."""
EVALUATION_ROWS = 256
"""Rows per forward pass of an evaluation."""


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

    run: index in the cohort. step: updates done, of total_steps. loss and metric: means over the rows; the worst
    value of the metric, and a loss of inf, for a run that diverged. lr and momentum: what the optimizer held at the
    last update, momentum being beta1 in Adam and None without either. test_metric: only where the run asked for it.
    """

    run: int
    step: int
    total_steps: int
    loss: float
    metric: float
    lr: float
    momentum: float | None
    diverged: bool = False
    test_metric: float | None = None

    @property
    def last(self) -> bool:
        """Whether the run ends here."""
        return self.diverged or self.step == self.total_steps


def train(
    workload: Workload, cohort: Sequence[Run], stop: Callable[[int], bool] = lambda run: False
) -> Iterator[Evaluation]:
    """Train the runs and yield each evaluation as it is made; the last one of each run comes at its horizon.

    stop: asked before every update and every few rows evaluated whether to leave the run of that index.
    A diverged run yields one last evaluation, and stops.
    """
    for index, run in enumerate(cohort):
        # Initialisation and dropout draw from torch's global generators: seeded for the run, given back after it.
        with torch.random.fork_rng(devices=[workload.device] if workload.device.type == "cuda" else []):
            torch.manual_seed(run.train_seed)
            yield from train_alone(workload, run, index, stop)


def train_alone(workload: Workload, run: Run, index: int, stop: Callable[[int], bool]) -> Iterator[Evaluation]:
    """The plain loop for one run."""
    model = workload.make_model().to(workload.device).train()
    optimizer = workload.make_optimizer(model)
    total_steps = run.epochs * workload.steps_per_epoch
    scheduler = run.schedule.build(optimizer, total_steps)
    evaluate_after = set(evaluation_steps(total_steps, run.schedule.evaluations or run.evaluations))
    highest_loss = math.inf

    for step, rows in enumerate(batches(workload, run), start=1):
        if stop(index):
            return
        loss = workload.loss(model(workload.data.train.x[rows]), workload.data.train.y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        lr, momentum = held(optimizer)
        scheduler.step()

        if step == 1:
            highest_loss = EXPLODED * loss.item()
        looked_at = step % CHECK_EVERY == 0 or step in evaluate_after
        if looked_at and not loss.item() <= highest_loss:  # "not <=" is true of NaN too
            yield diverged(workload, index, step, total_steps, lr, momentum)
            return
        if step in evaluate_after:
            found = evaluate(workload, model, workload.data.validation, lambda: stop(index))
            if found is None:
                return
            val_loss, val_metric = found
            if not (math.isfinite(val_loss) and math.isfinite(val_metric)):
                yield diverged(workload, index, step, total_steps, lr, momentum)
                return
            if run.schedule.evaluations:
                scheduler.observe(val_loss)
            judged = run.test and step == total_steps
            tested = evaluate(workload, model, workload.data.test, lambda: stop(index)) if judged else None
            test_metric = tested[1] if tested else None
            yield Evaluation(index, step, total_steps, val_loss, val_metric, lr, momentum, test_metric=test_metric)


def batches(workload: Workload, run: Run) -> Iterator[Tensor]:
    """The row numbers of each update: every epoch a new order, the same for every run of a `train_seed`."""
    rows, size = len(workload.data.train.x), workload.batch_size
    generator = torch.Generator().manual_seed(run.train_seed)
    for _ in range(run.epochs):
        order = torch.randperm(rows, generator=generator).to(workload.device)
        yield from order[: workload.steps_per_epoch * size].split(size)


@torch.inference_mode()
def evaluate(
    workload: Workload, model: nn.Module, split: Split, stop: Callable[[], bool]
) -> tuple[float, float] | None:
    """(loss, metric) of the model, as means over the rows of a split; None where it was stopped in between."""
    model.eval()
    sums = torch.zeros(2, device=workload.device, dtype=torch.float64)
    for x, y in zip(split.x.split(EVALUATION_ROWS), split.y.split(EVALUATION_ROWS), strict=True):
        if stop():
            return None
        outputs = model(x)
        sums += len(x) * torch.stack([workload.loss(outputs, y), workload.metric.measure(outputs, y)])
    model.train()
    loss, metric = (sums / len(split.x)).tolist()
    return loss, metric


def diverged(
    workload: Workload, index: int, step: int, total_steps: int, lr: float, momentum: float | None
) -> Evaluation:
    """The last evaluation of a run that went wrong: the metric's worst value."""
    return Evaluation(index, step, total_steps, math.inf, workload.metric.worst, lr, momentum, diverged=True)


def held(optimizer: Optimizer) -> tuple[float, float | None]:
    """The (lr, momentum) that the optimizer holds now, in the group with the highest rate."""
    group: dict[str, Any] = max(optimizer.param_groups, key=lambda group: float(group["lr"]))
    momentum = group["betas"][0] if "betas" in group else group.get("momentum")
    return float(group["lr"]), momentum

"""The training loop: trains a cohort of runs and yields their evaluations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import Protocol

import torch
from torch import Tensor
from torch.optim import Optimizer

from search_spaces.optimizer_facts import lr_and_momentum
from search_spaces.schedule import evaluation_steps
from study.objective import Evaluation, Run, Stop
from study.training.divergence import Divergence
from study.training.plain import Plain
from study.training.row_order import batches
from study.training.whole_set import evaluate_whole
from study.workloads.data import Split
from study.workloads.inputs import Inputs
from study.workloads.names import LANGUAGE
from study.workloads.streamed import StreamedSplit
from study.workloads.workload import Workload

CHECK_EVERY = 10
"""Steps between checks of the loss; each check waits for the device."""
EVALUATION_ROWS = 256
"""Rows per forward pass of an evaluation."""
EVALUATION_TEXTS = 32
"""The same of texts: a row of them is long, and more do not fit into a CPU's caches. It is the same on all devices, so
that their sums differ by rounding alone."""


class Learner(Protocol):
    """One or several runs in training: the models and their optimizers.

    optimizers: one per run, in order; each run's scheduler sets `lr` and `momentum` there.
    """

    optimizers: list[Optimizer]

    def update(self, x: Inputs, y: Tensor) -> Tensor:
        """Make one optimizer step in every run; returns the losses before it, (runs,).

        x (rows, ...) and y (rows, ...) are shared by all runs, or have an additional first axis for the runs.
        """

    def average(self, total_steps: int, averaging_fraction: float) -> None:
        """Take the weights after a step into their average, see `averaged_model`."""

    def evaluate(self, x: Inputs, y: Tensor, positions: Sequence[int], raw: bool = False) -> Tensor:
        """(loss, metric) of the runs at these positions, summed over the rows: (positions, 2), float64.

        raw: not with averaged weights, if there are any.
        """

    def evaluating(self) -> AbstractContextManager[None]:
        """What the evaluations of a step are made within: the weights in it are those to evaluate."""

    def keep(self, positions: Sequence[int]) -> None:
        """Continue with only the runs at these positions."""


def train_cohort(
    workload: Workload, runs: Sequence[Run], learner: Learner, stop: Stop, total_steps: int
) -> Iterator[Evaluation]:
    """Train runs of equal length together; yields each evaluation as it is made, the last one at the end of the run.

    stop: called before every step and between batches of an evaluation. A diverged run yields a last evaluation and
    ends.
    """
    schedulers = [
        run.schedule.build(optimizer, total_steps) for run, optimizer in zip(runs, learner.optimizers, strict=True)
    ]
    due = [set(evaluation_steps(total_steps, run.schedule.evaluations or run.evaluations)) for run in runs]
    checks = set().union(*due, range(CHECK_EVERY, total_steps + 1, CHECK_EVERY))
    live = list(range(len(runs)))  # indices of the runs still in training, by their position in the learner

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
        if workload.averaging_fraction is not None:
            learner.average(total_steps, workload.averaging_fraction)
        held = [lr_and_momentum(optimizer) for optimizer in learner.optimizers] if step in checks else []
        for index in live:
            schedulers[index].step()

        if step == 1:
            divergence = Divergence(dict(zip(live, losses.tolist(), strict=True)))
        if step not in checks:
            continue
        # A run is not checked just because another one is evaluated: its end must not depend on the cohort.
        checked = [step % CHECK_EVERY == 0 or step in due[index] for index in live]
        diverged = {
            index
            for index, loss, check in zip(live, losses.tolist(), checked, strict=True)
            if check and divergence.has(index, loss)
        }
        due_now = [position for position, index in enumerate(live) if step in due[index] and index not in diverged]
        tested_now = [position for position in due_now if runs[live[position]].test and step == total_steps]
        with learner.evaluating() if due_now else nullcontext():
            found = evaluate(workload, learner, workload.data.validation, due_now, lambda: all(map(stop, live)))
            tested = evaluate(workload, learner, workload.data.test, tested_now, lambda: all(map(stop, live)))
        ends = workload.averaging_fraction is not None and step == total_steps
        raw_now = due_now if ends else []
        raw = evaluate(workload, learner, workload.data.validation, raw_now, lambda: all(map(stop, live)), raw=True)
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
                test_metric, raw_metric = (bounded_metric(workload, found.get(position)) for found in (tested, raw))
                yield Evaluation(
                    index,
                    step,
                    total_steps,
                    loss,
                    metric,
                    *held[position],
                    test_metric=test_metric,
                    raw_metric=raw_metric,
                )
        keep([index for index in live if index not in diverged])


def bounded_metric(workload: Workload, found: tuple[float, float] | None) -> float | None:
    """The metric of what `evaluate` found, or the worst one if that is worse; None if nothing was evaluated."""
    return None if found is None else workload.metric.bounded(found[1])


@torch.no_grad()
def evaluate(
    workload: Workload,
    learner: Learner,
    split: Split | StreamedSplit,
    positions: Sequence[int],
    stop: Callable[[], bool],
    raw: bool = False,
) -> dict[int, tuple[float, float]]:
    """(loss, metric) by position, averaged over the rows of a split; empty if stopped in between.

    raw: as in `Learner`.
    """
    if not positions:
        return {}
    rows = EVALUATION_TEXTS if workload.data.task == LANGUAGE else EVALUATION_ROWS
    if workload.metric.whole is not None:
        assert isinstance(learner, Plain)  # such a workload is not trained in lockstep
        found = evaluate_whole(workload, learner, split, rows, stop, raw)
        return dict.fromkeys(positions, found) if found else {}
    sums = torch.zeros(len(positions), 2, device=workload.device, dtype=torch.float64)
    for x, y in split.parts(rows):
        if stop():
            return {}
        sums += learner.evaluate(x, y, positions, raw)
    return dict(zip(positions, map(tuple, (sums / split.rows).tolist()), strict=True))

"""The loop of PyTorch's tutorials, and an Optuna study built from it: the baselines for our speed."""

from __future__ import annotations

import math
import time

import optuna
import torch
from optuna.pruners import NopPruner
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState
from torch.utils.data import DataLoader, TensorDataset

from study.evidence.speed.studies import StudyOutcome, TriedSchedule
from study.objective import Run
from study.search.study_plan import StudyPlan
from study.workloads.workload import Workload


def tutorial_run(workload: Workload, run: Run) -> float:
    """Train one run with DataLoaders over TensorDatasets, evaluating after every epoch; returns the last val metric.

    The data stays in CPU memory and is moved to the workload's device batch by batch.
    """
    torch.manual_seed(run.train_seed)
    rows = workload.data.to(torch.device("cpu"))
    loader = DataLoader(
        TensorDataset(*rows.train.first(rows.train.rows)), workload.batch_size, shuffle=True, drop_last=True
    )
    validation_loader = DataLoader(TensorDataset(*rows.validation.first(rows.validation.rows)), workload.batch_size)
    model = workload.make_model().to(workload.device)
    optimizer = workload.make_optimizer(model)
    scheduler = run.schedule.build(optimizer, run.budget * len(loader))
    metric = workload.metric.worst
    for _ in range(run.budget):
        model.train()
        for x, y in loader:
            loss = workload.loss(model(x.to(workload.device)), y.to(workload.device)).mean()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            scheduler.step()
        model.eval()
        loss_sum = metric_sum = 0.0
        with torch.no_grad():
            for x, y in validation_loader:
                outputs, targets = model(x.to(workload.device)), y.to(workload.device)
                loss_sum += workload.loss(outputs, targets).sum().item()
                metric_sum += workload.measure(outputs, targets).sum().item()
        metric = metric_sum / rows.validation.rows
        if run.schedule.evaluations:
            scheduler.observe(loss_sum / rows.validation.rows)
    return metric


def tutorial_study(workload: Workload, plan: StudyPlan, trials: int) -> StudyOutcome:
    """With the workload bound, a `StudyMaker`: an unpruned Optuna study with this loop, over the plan's space."""
    configuration, metric = plan.configuration, workload.metric

    def train(trial: optuna.Trial) -> float:
        schedule = configuration.suggest(trial, workload.peak_lr)
        run = Run(schedule, configuration.epochs, configuration.train_seed, evaluations=1)
        return tutorial_run(workload, run)

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    began = time.perf_counter()
    optuna_study = optuna.create_study(
        direction=metric.direction,
        sampler=TPESampler(seed=configuration.sampler_seed),
        pruner=NopPruner(),
        storage=plan.storage,
    )
    optuna_study.optimize(train, n_trials=trials)
    seconds = time.perf_counter() - began
    return StudyOutcome.of([tried(trial, configuration.epochs) for trial in optuna_study.trials], metric, seconds)


def tried(trial: FrozenTrial, epochs: int) -> TriedSchedule:
    """A trial of this study; if its value was NaN, it does not count as trained in full."""
    complete = trial.state == TrialState.COMPLETE
    return TriedSchedule(trial.params, epochs, complete, trial.values[0] if complete else math.nan)

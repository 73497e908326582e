"""The loop of PyTorch's tutorials, and the study that people build of it: what our speed is compared with."""

from __future__ import annotations

from pathlib import Path

import optuna
import torch
from optuna.pruners import NopPruner
from optuna.samplers import TPESampler
from torch.utils.data import DataLoader, TensorDataset

from study.search.configuration import Configuration
from study.training.loop import Run
from study.workloads.workload import Workload


def tutorial_run(workload: Workload, run: Run) -> float:
    """Train one run with DataLoaders over TensorDatasets, evaluating after every epoch; returns the last val metric.

    The data lies in the CPU's memory and goes to the workload's device batch by batch.
    """
    torch.manual_seed(run.train_seed)
    rows = workload.data.to(torch.device("cpu"))
    loader = DataLoader(
        TensorDataset(*rows.train.first(rows.train.rows)), workload.batch_size, shuffle=True, drop_last=True
    )
    validation_loader = DataLoader(TensorDataset(*rows.validation.first(rows.validation.rows)), workload.batch_size)
    model = workload.make_model().to(workload.device)
    optimizer = workload.make_optimizer(model)
    scheduler = run.schedule.build(optimizer, run.epochs * len(loader))
    metric = workload.metric.worst
    for _ in range(run.epochs):
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


def tutorial_study(workload: Workload, configuration: Configuration, trials: int, database: Path) -> optuna.Study:
    """An unpruned Optuna study of so many trials whose objective is that loop, over the space of the configuration.

    database: an SQLite file, made where there is none.
    """

    def objective(trial: optuna.Trial) -> float:
        schedule = configuration.suggest(trial, workload)
        return tutorial_run(workload, Run(schedule, configuration.epochs, configuration.train_seed, evaluations=1))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    optuna_study = optuna.create_study(
        direction=workload.metric.direction,
        sampler=TPESampler(seed=configuration.sampler_seed),
        pruner=NopPruner(),
        storage=f"sqlite:///{database}",
    )
    optuna_study.optimize(objective, n_trials=trials)
    return optuna_study

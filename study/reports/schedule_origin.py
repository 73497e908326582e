"""Origin: where a schedule comes from and how good it was, as plain values and as the comment above exported code."""

from __future__ import annotations

from statistics import mean
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from study.storage.records import best_trial, finished_trials, session_of

PACKAGES = ("torch", "optuna")
"""Whose versions are told."""


def origin(optuna_study: optuna.Study, trial: FrozenTrial) -> dict[str, Any]:
    """What the records say of a finished trial, as JSON can hold it."""
    attrs, record = optuna_study.user_attrs, trial.user_attrs["record"]
    trials, session = finished_trials(optuna_study), session_of(optuna_study, trial)
    winner = best_trial(optuna_study, trials)
    name, confirmed, test = attrs["metric"]["name"], attrs.get("confirmed", {}), None
    if confirmed.get("trial") == trial.number:
        test = {"metric": f"test_{name}", "mean": mean(confirmed["test"]), "seeds": len(confirmed["test"])}
    return {
        "study": optuna_study.study_name,
        "trial": trial.number,
        "trials": len(trials),
        "winner": winner is not None and winner.number == trial.number,
        "workload": attrs["workload"],
        "epochs": attrs["configuration"]["epochs"],
        "total_steps": attrs["configuration"]["epochs"] * attrs["steps_per_epoch"],
        "pruned_after_epochs": list(record["epochs_used"].values())[-1] if trial.state == TrialState.PRUNED else None,
        "diverged": record["diverged"],
        "validation": {"metric": f"val_{name}", "value": trial.value, "unit": attrs["metric"]["unit"]},
        "test": test,
        "time": session["time"],
        "commit": session["commit"],
        "versions": {package: session["versions"][package] for package in PACKAGES},
    }


def as_comment(origin: dict[str, Any]) -> str:
    """The same as lines of a Python comment."""
    validation, test = origin["validation"], origin["test"]
    pruned, rank = origin["pruned_after_epochs"], ""
    if origin["winner"]:
        rank = f", the best of {origin['trials']} trials: chosen by it, so expect a little worse"
    elif pruned is not None:
        rank = f", {'diverged' if origin['diverged'] else 'pruned'} after a run of {pruned:.3g} epochs"
    lines = [
        f"Learning-rate schedule: trial {origin['trial']} of {origin['trials']} in study {origin['study']!r}",
        f"workload    {origin['workload']}, {origin['epochs']} epochs, {origin['total_steps']} updates",
        f"validation  {validation['metric']} {validation['value']:.4f} ({validation['unit']}){rank}",
        f"test        {test['metric']} {test['mean']:.4f}, mean of {test['seeds']} fresh training seeds"
        if test
        else "test        not looked at",
        f"made        {origin['time']}, commit {origin['commit']}, "
        + ", ".join(f"{package} {version}" for package, version in origin["versions"].items()),
    ]
    return "".join(f"# {' '.join(line.splitlines())}\n" for line in lines)

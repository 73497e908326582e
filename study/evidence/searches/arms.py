"""Arms: the search methods that benchmark_search.py compares, each as changes to the default search."""

from __future__ import annotations

from typing import Any

from study.search.configuration import SAMPLERS

OPTUNA: dict[str, Any] = {"sampler": "tpe", "startup_trials": 10}
"""Optuna's defaults, for searches without this project."""
ONE_BY_ONE: dict[str, Any] = {"trials_per_batch": 1, **OPTUNA}
"""For Optuna's pruners: trials run one after another, as in `study.optimize`; the other arms use batches."""
NONE: dict[str, Any] = {"pruner": "none"}
STOCK: dict[str, dict[str, Any]] = {name: {"pruner": name, **ONE_BY_ONE} for name in ("median", "hyperband", "halving")}
COMPARED = [name for name in SAMPLERS if name != "gp-optuna"]
"""Samplers, with one Gaussian process: `surrogates` compares the two."""


def rungs(*fractions: float, reduction: int) -> dict[str, Any]:
    """The changes that set these rungs."""
    return {"rung_fractions": fractions, "reduction": reduction}


ARMS: dict[str, dict[str, dict[str, Any]]] = {
    "pruners": {"none": NONE | OPTUNA, "horizon": {}, **STOCK},
    "rungs": {
        "none": NONE,
        "1/10, 1/2 by 5": rungs(0.1, 0.5, reduction=5),
        "1/10, 1/2 by 4": rungs(0.1, 0.5, reduction=4),
        "1/10, 1/2 by 3": rungs(0.1, 0.5, reduction=3),
        "1/10, 1/4 by 4": rungs(0.1, 0.25, reduction=4),
        "1/10 by 4": rungs(0.1, reduction=4),
        "1/10 by 8": rungs(0.1, reduction=8),
        "1/4 by 4": rungs(0.25, reduction=4),
        "1/10, 1/4, 1/2 by 3": rungs(0.1, 0.25, 0.5, reduction=3),
    },
    "cost": {
        "1/10, 1/2 by 5": rungs(0.1, 0.5, reduction=5),
        "1/10, 1/2 by 8": rungs(0.1, 0.5, reduction=8),
        "1/10, 1/4 by 5": rungs(0.1, 0.25, reduction=5),
        "1/20, 1/2 by 5": rungs(0.05, 0.5, reduction=5),
        "1/20, 1/2 by 8": rungs(0.05, 0.5, reduction=8),
        "1/20, 1/4 by 5": rungs(0.05, 0.25, reduction=5),
        "1/20, 1/4 by 8": rungs(0.05, 0.25, reduction=8),
        "1/20, 1/5 by 5": rungs(0.05, 0.2, reduction=5),
        "1/20, 1/8 by 5": rungs(0.05, 0.125, reduction=5),
    },
    "samplers": {name: {"sampler": name} for name in COMPARED},
    "samplers-unpruned": {name: {"sampler": name, **NONE} for name in COMPARED},
    "samplers-pruned": {
        f"{sampler}, {pruner}": {**changes, "sampler": sampler}
        for sampler in ("gp", "tpe", "random")
        for pruner, changes in {"horizon": {}, **STOCK}.items()
    },
    "surrogates": {"gp": {"sampler": "gp"}, "gp-optuna": {"sampler": "gp-optuna"}},
    "floors": {f"at least {steps} steps": {"least_steps": steps} for steps in (100, 1)},
    "startup": {f"{trials} start-up trials": {"startup_trials": trials} for trials in (20, 10, 30, 40)},
    "startup-unpruned": {
        f"{trials} start-up trials": {"startup_trials": trials, **NONE} for trials in (20, 10, 30, 40)
    },
    "batches": {f"batches of {size}": {"trials_per_batch": size} for size in (10, 1, 5, 25, 50)},
    "brackets": {f"brackets of {size}": {"trials_per_bracket": size} for size in (50, 10, 25)},
}
"""The arms by name, for each comparison; results/search uses these names. Differences are to the first two arms."""

"""The row that is stored of a trial that has ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from search_spaces.schedule import Schedule
from study.objective import Evaluation, Metric


def trial_row(
    *,
    params: Mapping[str, Any],
    distributions: Mapping[str, BaseDistribution],
    schedule: Schedule,
    total_steps: int,
    steps_per_epoch: int,
    metric: Metric,
    evaluations: Sequence[Evaluation],
    reported: Mapping[int, float],
    pruned: bool,
    began: datetime,
    place: Mapping[str, int],
    seeds: Mapping[str, int],
    epochs_used: Mapping[str, float],
    cohort: Mapping[str, int],
    audited_from: int | None,
    seconds: float,
    notes: Mapping[str, Any],
) -> FrozenTrial:
    """The finished trial, complete or pruned, with its record and the curve of its last run (see records.py).

    total_steps: of a full run. evaluations: of the last run. reported: values by epoch. notes: what Optuna's pruner
    must find again.
    """
    last = evaluations[-1]
    best = min(evaluations, key=lambda evaluation: metric.sign * evaluation.metric)
    record: dict[str, Any] = {
        "place": dict(place),
        "seeds": dict(seeds),
        "torch": plain_arguments(schedule.resolve(total_steps)),
        "epochs_used": dict(epochs_used),
        "cohort": dict(cohort),
        "engine": "loop" if last.cohort == 1 else "lockstep",
        "too_large": list(last.too_large),
        "best_epoch": best.step / steps_per_epoch,
        "diverged": last.diverged,
        "audited_from": audited_from,
        "seconds": round(seconds, 3),
    }
    attributes = {"record": record, "curve": curve_columns(evaluations, metric.name)}
    trial = create_trial(
        state=TrialState.PRUNED if pruned else TrialState.COMPLETE,
        # A diverged run has the worst value: a trial that failed would teach the sampler nothing.
        value=last.metric,
        params=dict(params),
        distributions=dict(distributions),
        intermediate_values=dict(reported),
        user_attrs=attributes | ({"pruner_notes": dict(notes)} if notes else {}),
    )
    trial.datetime_start = began
    return trial


def curve_columns(evaluations: Sequence[Evaluation], metric: str) -> dict[str, list[Any]]:
    """A run's evaluations as columns: steps done, validation loss and metric, and the optimizer's lr and momentum."""
    return {
        "step": [evaluation.step for evaluation in evaluations],
        "val_loss": [evaluation.loss if not evaluation.diverged else None for evaluation in evaluations],
        f"val_{metric}": [evaluation.metric for evaluation in evaluations],
        "lr": [evaluation.lr for evaluation in evaluations],
        "momentum": [evaluation.momentum for evaluation in evaluations],
    }


def plain_arguments(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """Resolved torch arguments as JSON can hold them: a function with bound arguments as the source that makes it."""
    return {name: written(value) if isinstance(value, partial) else value for name, value in resolved.items()}


def written(value: Any) -> str:
    """A value as Python source; a partial as the call that makes it.

    >>> written(partial(max, default=0))
    'partial(max, default=0)'
    """
    if not isinstance(value, partial):
        return repr(value)
    bound = "".join(f", {name}={written(bound)}" for name, bound in value.keywords.items())
    return f"partial({value.func.__name__}{bound})"

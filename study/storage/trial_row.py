"""The row that is stored for a trial that has ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from study.objective import Evaluation
from study.storage.trial_digest import with_digest
from study.storage.trial_record import Curve, TrialRecord


def trial_row(
    record: TrialRecord, distributions: Mapping[str, BaseDistribution], began: datetime, notes: Mapping[str, Any]
) -> FrozenTrial:
    """The trial as Optuna stores it, which numbers it then. notes: what Optuna's pruner must find again.

    Optuna does not take parameters outside the search space, so those of such a trial are in its record alone. It is
    pruned, as Optuna has it: the best trial of a study, and those that Optuna's plots compare, must have parameters.
    """
    trial = create_trial(
        state=TrialState.COMPLETE if record.complete and not record.outside else TrialState.PRUNED,
        # A diverged run has the worst value: samplers ignore trials that failed.
        value=record.value,
        params={} if record.outside else dict(record.params),
        distributions={} if record.outside else dict(distributions),
        intermediate_values=dict(record.reported),
        user_attrs=record.stored | ({"pruner_notes": dict(notes)} if notes else {}),
    )
    trial.datetime_start = began
    return with_digest(trial)


def recorded_curve(evaluations: Sequence[Evaluation], metric: str) -> Curve:
    """The evaluations of a run. metric: its name."""
    return Curve(
        metric=metric,
        steps=tuple(evaluation.step for evaluation in evaluations),
        losses=tuple(None if evaluation.diverged else evaluation.loss for evaluation in evaluations),
        values=tuple(evaluation.metric for evaluation in evaluations),
        lr=tuple(evaluation.lr for evaluation in evaluations),
        momentum=tuple(evaluation.momentum for evaluation in evaluations),
    )


def plain_arguments(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """Resolved torch arguments as JSON values; a function with bound arguments becomes the source that makes it."""
    return {name: as_source(value) if isinstance(value, partial) else value for name, value in resolved.items()}


def as_source(value: Any) -> str:
    """A value as Python source; a partial as the call that makes it.

    >>> as_source(partial(max, default=0))
    'partial(max, default=0)'
    """
    if not isinstance(value, partial):
        return repr(value)
    bound = "".join(f", {name}={as_source(bound)}" for name, bound in value.keywords.items())
    return f"partial({value.func.__name__}{bound})"

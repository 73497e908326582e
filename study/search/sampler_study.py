"""The view: what the sampler and the pruner see, so that the same seed gives the same study.

An in-memory study, made anew for every generation of the stored trials of earlier ones, in the order of asking. Within
the generation it hears what each whole batch found at the first rung, and each batch has a sampler seeded for it. So
what was cut off is asked again, identically.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from study.search.configuration import Configuration
from study.search.pruners import make_pruner


def place(trial: FrozenTrial) -> tuple[int, int]:
    """Where a stored trial was asked: the number of its generation, and its position there."""
    record = trial.user_attrs["record"]["place"]
    return record["generation"], record["position"]


def next_generation(finished: list[FrozenTrial], size: int, trials: int) -> tuple[int, int, set[int]]:
    """(number, size, positions already stored) of the generation to ask: the last one again, where it was cut off.

    finished: the stored trials, in the order in which they were asked. size: of a whole generation.
    """
    if not finished:
        return 0, min(size, trials), set()
    last = finished[-1].user_attrs["record"]["place"]
    kept = {position for number, position in map(place, finished) if number == last["generation"]}
    if len(kept) < last["size"]:
        return last["generation"], last["size"], kept
    return last["generation"] + 1, min(size, trials - len(finished)), set()


def make_view(
    earlier: list[FrozenTrial],
    direction: Literal["minimize", "maximize"],
    configuration: Configuration,
    enqueued: Sequence[dict[str, Any]] = (),
) -> optuna.Study:
    """The study that a generation is asked from.

    earlier: the trials of the generations before it. enqueued: the parameters of those that it begins with.
    """
    view = optuna.create_study(
        study_name="view",  # Hyperband derives its brackets from the name
        direction=direction,
        pruner=make_pruner(configuration.pruner, configuration.epochs),
    )
    view.add_trials(as_seen_by_view(trial, hears_short_runs_only(configuration)) for trial in earlier)
    for params in enqueued[len(earlier) :]:
        view.enqueue_trial(params)
    return view


def hears_short_runs_only(configuration: Configuration) -> bool:
    """Whether the sampler is one that learns from complete trials only: it is told all trials' first runs as such."""
    return configuration.sampler == "gp" and configuration.pruner == "horizon"


def tell(view: optuna.Study, trial: Trial, configuration: Configuration) -> None:
    """Let the sampler learn from what the trial has reported."""
    if hears_short_runs_only(configuration):
        view.tell(trial, next(iter(view.get_trials(deepcopy=False)[trial.number].intermediate_values.values())))
    else:
        view.tell(trial, state=TrialState.PRUNED)


def as_seen_by_view(trial: FrozenTrial, first_run_only: bool = False) -> FrozenTrial:
    """A stored trial without what only people read, and with what the pruner noted on it.

    One that an audit let run on is seen as pruned where it would have been: the study is to find what it finds without
    the audit. first_run_only: as complete, with the value of its first run.
    """
    pruned_at = trial.user_attrs["record"]["audited_from"]
    heard = {epoch: value for epoch, value in trial.intermediate_values.items() if epoch <= (pruned_at or epoch)}
    state, value = (TrialState.PRUNED, heard[pruned_at]) if pruned_at else (trial.state, trial.value)
    if first_run_only:
        state, value = TrialState.COMPLETE, next(iter(heard.values()))
    return create_trial(
        state=state,
        value=value,
        params=trial.params,
        distributions=trial.distributions,
        intermediate_values=heard,
        system_attrs=trial.user_attrs.get("pruner_notes", {}),
    )

"""The study that sampler and pruner see, so that the same seed gives the same study.

It is a study in memory, made for every bracket from the stored trials of earlier brackets, in the order of asking.
Within the bracket it learns the values of each whole batch at the first rung, and each batch has a sampler with a seed
of its own. So a search that was stopped asks for the same trials again.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import optuna
from optuna.pruners import BasePruner
from optuna.trial import FixedTrial, FrozenTrial, Trial, TrialState, create_trial

from study.search.reference import PlannedTrial


def place(trial: FrozenTrial) -> tuple[int, int]:
    """Where a stored trial was asked: the number of its bracket, and its position there."""
    record = trial.user_attrs["record"]["place"]
    return record["generation"], record["position"]


def next_bracket(finished: Sequence[FrozenTrial], size: int, trials: int) -> tuple[int, int, set[int]]:
    """(number, size, positions already stored) of the bracket to ask: the last one again, if it is unfinished.

    finished: the stored trials, in the order in which they were asked. size: of a whole bracket. Raises ValueError if
    two of them have the same place.
    """
    places = [place(trial) for trial in finished]
    if any(one == following for one, following in pairwise(places)):
        raise ValueError("two trials have the same place, as after two searches at once")
    if not finished:
        return 0, min(size, trials), set()
    last = finished[-1].user_attrs["record"]["place"]
    kept = {position for number, position in places if number == last["generation"]}
    if len(kept) < last["size"]:
        return last["generation"], last["size"], kept
    return last["generation"] + 1, min(size, trials - len(finished)), set()


def make_sampler_study(
    earlier: Sequence[FrozenTrial],
    direction: Literal["minimize", "maximize"],
    pruner: BasePruner,
    first_runs_only: bool = False,
) -> optuna.Study:
    """The study that draws the trials of a bracket.

    earlier: the trials of the brackets before it; those outside the search space are left out. first_runs_only: whether
    each trial is seen as complete, with the value of its first run.
    """
    study = optuna.create_study(
        study_name="view",  # Hyperband derives its brackets from the name
        direction=direction,
        pruner=pruner,
    )
    study.add_trials(as_seen(trial, first_runs_only) for trial in earlier if not is_outside(trial))
    return study


def is_outside(trial: FrozenTrial) -> bool:
    """Whether the schedule of a stored trial lies outside the search space."""
    return "outside" in trial.user_attrs["record"]


def is_reference(trial: FrozenTrial) -> bool:
    """Whether a stored trial tries a peak of the reference."""
    return bool(trial.user_attrs["record"].get("reference"))


def ask(study: optuna.Study, planned: PlannedTrial | None) -> Trial | FixedTrial:
    """The next trial: the planned one, or one that the sampler suggests."""
    if planned is None:
        return study.ask()
    if not planned.outside:
        study.enqueue_trial(dict(planned.params))
        return study.ask()
    fixed = FixedTrial(dict(planned.params))
    for name, value in planned.params.items():
        fixed.suggest_categorical(name, [value])
    return fixed


def tell(study: optuna.Study, trial: Trial | FixedTrial, first_runs_only: bool) -> None:
    """Let the sampler learn from the values that the trial has reported, unless it lies outside the search space."""
    if isinstance(trial, FixedTrial):
        return
    if first_runs_only:
        study.tell(trial, next(iter(study.get_trials(deepcopy=False)[trial.number].intermediate_values.values())))
    else:
        study.tell(trial, state=TrialState.PRUNED)


def pruner_notes(study: optuna.Study, trial: Trial | FixedTrial) -> dict[str, Any]:
    """The notes of Optuna's pruner on a trial."""
    if isinstance(trial, FixedTrial):
        return {}
    return study.get_trials(deepcopy=False)[trial.number].system_attrs


def values_seen(trial: FrozenTrial) -> dict[int, float]:
    """The values that a stored trial reported, by epoch; of an audited one those until it would have been pruned."""
    pruned_at = trial.user_attrs["record"]["audited_from"]
    return {epoch: value for epoch, value in trial.intermediate_values.items() if epoch <= (pruned_at or epoch)}


def as_seen(trial: FrozenTrial, first_run_only: bool = False) -> FrozenTrial:
    """A stored trial without the records for people, and with the notes of the pruner.

    An audited trial is seen as pruned when it would have been, so the study has the same results as without the audit.
    first_run_only: see it as complete, with the value of its first run.
    """
    pruned_at, seen = trial.user_attrs["record"]["audited_from"], values_seen(trial)
    state, value = (TrialState.PRUNED, seen[pruned_at]) if pruned_at else (trial.state, trial.value)
    if first_run_only:
        state, value = TrialState.COMPLETE, next(iter(seen.values()))
    return create_trial(
        state=state,
        value=value,
        params=trial.params,
        distributions=trial.distributions,
        intermediate_values=seen,
        system_attrs=trial.user_attrs.get("pruner_notes", {}),
    )

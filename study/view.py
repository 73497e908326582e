"""The view: what the sampler and the pruner see, so that the same seed gives the same study.

They see only what earlier whole batches left, in number order: an in-memory study made anew for every batch from the
stored rows, with a seed of the batch's own. So a batch that was cut off is asked again, identically.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial, create_trial

from study.configuration import Configuration
from study.pruning import make_pruner


def next_batch(finished: list[FrozenTrial], trials_per_batch: int, trials: int) -> tuple[int, int, set[int]]:
    """(number, size, positions already finished) of the batch to ask: the last one again, where it was cut off."""
    if not finished:
        return 0, min(trials_per_batch, trials), set()
    last = finished[-1].user_attrs["batch"]
    batches = [trial.user_attrs["batch"] for trial in finished]
    kept = {batch["position"] for batch in batches if batch["number"] == last["number"]}
    if len(kept) < last["size"]:
        return last["number"], last["size"], kept
    return last["number"] + 1, min(trials_per_batch, trials - len(finished)), set()


def make_view(
    earlier: list[FrozenTrial], direction: Literal["minimize", "maximize"], configuration: Configuration, number: int
) -> optuna.Study:
    """The study that the batch of this number is asked from; earlier: the trials of the batches before it."""
    seed = int(np.random.SeedSequence([configuration.sampler_seed, number]).generate_state(1)[0])
    view = optuna.create_study(
        study_name="view",  # Hyperband derives its brackets from the name
        direction=direction,
        sampler=TPESampler(seed=seed),
        pruner=make_pruner(configuration.pruner, configuration.epochs, configuration.reduction),
    )
    view.add_trials(as_seen_by_view(trial) for trial in earlier)
    return view


def as_seen_by_view(trial: FrozenTrial) -> FrozenTrial:
    """A stored trial without what only people read, and with what the pruner noted on it."""
    return create_trial(
        state=trial.state,
        values=trial.values,
        params=trial.params,
        distributions=trial.distributions,
        intermediate_values=trial.intermediate_values,
        system_attrs=trial.user_attrs.get("pruner_notes", {}),
    )


class Replay(BaseSampler):
    """Draws what the view drew, so that `suggest` writes the same parameters to the storage."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self.params[param_name]

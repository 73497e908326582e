"""The view: what the sampler and the pruner see, so that the same seed gives the same study.

They see only what earlier whole batches left, in the order of asking: an in-memory study, made of the stored rows when
the search starts and told every batch that ends, with a sampler seeded for each batch. So a batch that was cut off is
asked again, identically.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import optuna
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial, create_trial

from study.configuration import Configuration
from study.pruning import make_pruner


def place(trial: FrozenTrial) -> tuple[int, int]:
    """Where a stored trial was asked: the number of its batch, and its position there."""
    batch = trial.user_attrs["record"]["batch"]
    return batch["number"], batch["position"]


def next_batch(finished: list[FrozenTrial], trials_per_batch: int, trials: int) -> tuple[int, int, set[int]]:
    """(number, size, positions already finished) of the batch to ask: the last one again, where it was cut off.

    finished: the stored trials, in the order in which they were asked.
    """
    if not finished:
        return 0, min(trials_per_batch, trials), set()
    last = finished[-1].user_attrs["record"]["batch"]
    kept = {position for number, position in map(place, finished) if number == last["number"]}
    if len(kept) < last["size"]:
        return last["number"], last["size"], kept
    return last["number"] + 1, min(trials_per_batch, trials - len(finished)), set()


def make_view(
    earlier: list[FrozenTrial], direction: Literal["minimize", "maximize"], configuration: Configuration
) -> optuna.Study:
    """The study that batches are asked from; earlier: the trials of the batches before the next one."""
    view = optuna.create_study(
        study_name="view",  # Hyperband derives its brackets from the name
        direction=direction,
        pruner=make_pruner(configuration.pruner, configuration.epochs, configuration.reduction),
    )
    view.add_trials(as_seen_by_view(trial) for trial in earlier)
    return view


def make_sampler(sampler_seed: int, number: int) -> BaseSampler:
    """The sampler of the batch of this number."""
    return TPESampler(seed=int(np.random.SeedSequence([sampler_seed, number]).generate_state(1)[0]))


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

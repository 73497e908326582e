"""What a benchmark of families has kept: its studies by budget, the schedules chosen, their worth on test."""

from __future__ import annotations

from collections.abc import Sequence

import optuna
from optuna.trial import FrozenTrial

from study.analysis.ranking import Standing, standings
from study.storage.records import best_trial, finished_trials


def by_budget(studies: Sequence[optuna.Study]) -> dict[int, list[optuna.Study]]:
    """Epochs of a full run -> the studies of that budget, ascending; of repeated searches the first."""
    first = [study for study in studies if seed_of(study) == seed_of(studies[0])]
    return {epochs: [s for s in first if epochs_of(s) == epochs] for epochs in sorted(set(map(epochs_of, first)))}


def epochs_of(study: optuna.Study) -> int:
    """The budget of a study."""
    return int(study.user_attrs["configuration"]["epochs"])


def seed_of(study: optuna.Study) -> int:
    """The sampler seed of a study."""
    return int(study.user_attrs["configuration"]["sampler_seed"])


def family_of(study: optuna.Study) -> str:
    """The family that a study tunes."""
    return str(study.user_attrs["configuration"]["families"][0])


def confirmed(studies: Sequence[optuna.Study]) -> dict[str, list[float]]:
    """By family the test metric of its best schedule, one for each fresh seed."""
    return {family_of(s): s.user_attrs["confirmed"]["test"] for s in studies if "confirmed" in s.user_attrs}


def chosen(study: optuna.Study) -> FrozenTrial | None:
    """The trial whose schedule was confirmed; the best so far where none is."""
    trials = finished_trials(study)
    kept = study.user_attrs.get("confirmed")
    return trials[kept["trial"]] if kept else best_trial(study, trials)


def ranking(studies: Sequence[optuna.Study]) -> list[Standing]:
    """The families of one budget, best first; those that are confirmed with the same number of seeds as the first."""
    values = confirmed(studies)
    n = len(next(iter(values.values()), ()))
    values = {family: own for family, own in values.items() if len(own) == n}
    return standings(values, studies[0].user_attrs["metric"]["direction"]) if values else []

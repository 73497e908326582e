"""Which trials go on: at the rungs of growing horizons, or, for comparison, at every epoch by Optuna's pruners."""

from __future__ import annotations

from collections.abc import Sequence

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from search_spaces.errors import unknown

PRUNERS = ("horizon", "median", "hyperband", "none")


class HorizonPruner(BasePruner):
    """Lets a trial go on if it is among the best 1/reduction of all values reported at its rung so far.

    A rung is a horizon: the value there is that of a complete run with the whole schedule compressed into it. All
    trials asked together report before the first of them is judged, so the order of the calls does not matter.
    """

    def __init__(self, reduction: int) -> None:
        self.reduction = reduction

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Whether the trial's last reported value is too far down at its rung."""
        rung = trial.last_step
        if rung is None:
            return False
        sign = 1 if study.direction == StudyDirection.MINIMIZE else -1
        trials = study.get_trials(deepcopy=False)
        values = sorted(sign * other.intermediate_values[rung] for other in trials if rung in other.intermediate_values)
        go_on = max(1, len(values) // self.reduction)
        return sign * trial.intermediate_values[rung] > values[go_on - 1]


def horizons(rung_fractions: Sequence[float], epochs: int) -> list[int]:
    """The epochs of each run of a trial, ascending, the last one the full run; a short run has fewer rungs.

    >>> horizons([0.1], 20), horizons([0.1], 1), horizons([], 20)
    ([2, 20], [1], [20])
    """
    return sorted({epochs, *(max(1, round(fraction * epochs)) for fraction in rung_fractions)})


def make_pruner(name: str, epochs: int, reduction: int) -> BasePruner:
    """The pruner of this name, for full runs of so many epochs; reduction is horizon's alone.

    Raises InputError for an unknown name.
    """
    match name:
        case "horizon":
            return HorizonPruner(reduction)
        case "median":
            return MedianPruner()
        case "hyperband":
            return HyperbandPruner(min_resource=1, max_resource=epochs)
        case "none":
            return NopPruner()
    raise unknown("pruner", name, PRUNERS)

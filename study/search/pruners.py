"""Which trials go on: at the rungs of growing horizons, or, for comparison, at every epoch by Optuna's pruners."""

from __future__ import annotations

from collections.abc import Sequence

from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, SuccessiveHalvingPruner

from search_spaces.errors import unknown

PRUNERS = ("horizon", "median", "hyperband", "halving", "none")
AT_EVERY_EPOCH = ("median", "hyperband", "halving")
"""Those that judge a run on its way."""


def worst_to_go_on(values: Sequence[float], reduction: int) -> float:
    """The rule between rungs: who is at least as good as this goes on, the best 1/reduction and at least one.

    values: all those found at the rung so far, lower is better; each is that of a complete run with the whole schedule
    compressed into it.

    >>> worst_to_go_on([0.3, 0.1, 0.4, 0.2], 2)
    0.2
    """
    return sorted(values)[max(1, len(values) // reduction) - 1]


def horizons(rung_fractions: Sequence[float], epochs: int, least_epochs: int) -> list[int]:
    """The epochs of each run of a trial, ascending, the last one the full run.

    A rung is least_epochs long at least, and is left out where it would be longer than half the full run: so a short
    run has fewer rungs, or none.

    >>> horizons([0.1, 0.25], 20, 2), horizons([0.1, 0.25], 5, 2), horizons([0.1, 0.25], 3, 2), horizons([], 20, 2)
    ([2, 5, 20], [2, 5], [3], [20])
    """
    rungs = {max(least_epochs, int(fraction * epochs)) for fraction in rung_fractions}
    return sorted({epochs, *(rung for rung in rungs if 2 * rung <= epochs)})


def make_pruner(name: str, epochs: int) -> BasePruner:
    """The pruner that judges at every epoch of runs of so many, by its name; horizon and none never do.

    Raises InputError for an unknown name.
    """
    match name:
        case "median":
            return MedianPruner()
        case "hyperband":
            return HyperbandPruner(min_resource=1, max_resource=epochs)
        case "halving":
            return SuccessiveHalvingPruner()
        case "horizon" | "none":
            return NopPruner()
    raise unknown("pruner", name, PRUNERS)

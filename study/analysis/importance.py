"""What a study says beyond its winner: which parameters mattered, how finely to tune the peak, where a range is tight.

Pure functions of the stored records. Trials are compared by their value at the first horizon, the one that all have in
common: with the pruner horizon that of the short run, with the others that of the full one. Diverged trials are left
out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeGuard

import optuna
from optuna.distributions import FloatDistribution
from optuna.importance import MeanDecreaseImpurityImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, create_trial
from rich.console import RenderableType

from search_spaces.distributions import as_range
from search_spaces.ranges import Float, Integer, Range, share_of_range
from study.reports.terminal import rich_table
from study.storage.records import better_first

FEWEST_FOR_IMPORTANCE = 20
"""Trials below which importance is not told."""
WARMUP = FloatDistribution(0.0, 1.0)
"""Of all trials, those without a warm-up too."""
FEWEST_OF_A_FAMILY = 4
"""Trials of a family below which the span of its peak_lr is not told."""
FEWEST_BEST, BEST_PART = 5, 0.1
"""The trials whose parameters may lie at an edge: the best tenth, and five at least."""
EDGE = 0.05
"""What counts as the edge: this outer share of the range, on its own scale."""
FEWEST_AT_EDGE, FEWEST_INTEGERS = 4, 5
"""So many of the best trials must have a parameter, and an integer so many values, for edges to be looked at."""
SPAN_HEADS = ("family", "trials", "best peak_lr", "lowest", "highest", "factor", "of all")
"""What `span_rows` tells: the peak of the best, the ends of the better half and their ratio, that of all trials."""


class PeakSpan(NamedTuple):
    """The peak_lr of a family's n trials: that of the best, the ends of the better half, the ends of all."""

    n: int
    best: float
    low: float
    high: float
    all_low: float
    all_high: float


def insight(optuna_study: optuna.Study, trials: Sequence[FrozenTrial]) -> list[RenderableType]:
    """All of it for the terminal; trials: the finished ones."""
    edges = edge_warnings(optuna_study, trials)
    return [
        importance_shown(optuna_study, trials),
        spans_shown(optuna_study, trials),
        *(["At an end of what was searched:", *edges] if edges else []),
    ]


def importance(optuna_study: optuna.Study, trials: Sequence[FrozenTrial]) -> tuple[dict[str, float], int]:
    """(parameter -> share, the most important first; n): how much the values of n trials depend on what all share.

    That is `family`, `peak_lr` and `warmup_fraction`, 0 without a warm-up. The shares sum to 1, also where chance alone
    decided. There are none of fewer than FEWEST_FOR_IMPORTANCE trials, nor where all have one value.

    By Optuna's mean decrease of impurity in a forest of trees. Its default, PED-ANOVA, compares where the best trials
    lie with where all lie, and so makes little of one choice of many, such as `family`, and of what the sampler has
    settled. Parameters of single families are left out: few trials have each.
    """
    compared = comparable(optuna_study, trials)
    if len(compared) < FEWEST_FOR_IMPORTANCE or len({value for _, value in compared}) == 1:
        return {}, len(compared)
    found = optuna.create_study(direction=optuna_study.direction)
    for trial, value in compared:
        shared = {name: trial.distributions[name] for name in ("family", "peak_lr")} | {"warmup_fraction": WARMUP}
        params = {"warmup_fraction": 0.0} | {name: trial.params[name] for name in shared if name in trial.params}
        found.add_trial(create_trial(value=value, params=params, distributions=shared))
    return get_param_importances(found, evaluator=MeanDecreaseImpurityImportanceEvaluator(seed=0)), len(compared)


def peak_spans(optuna_study: optuna.Study, trials: Sequence[FrozenTrial]) -> dict[str, PeakSpan]:
    """Where the better half of each family's trials has its peak_lr, of families tried often enough, most tried first.

    A wide span is forgiving, a narrow one must be tuned, unless the sampler tried little else: compare with the ends
    of all. The half is rounded up; of equal values the earlier trial is the better one.
    """
    sign = better_first(optuna_study)
    peaks: dict[str, list[float]] = {}
    for trial, _ in sorted(comparable(optuna_study, trials), key=lambda pair: (sign * pair[1], pair[0].number)):
        peaks.setdefault(trial.params["family"], []).append(trial.params["peak_lr"])
    spans = {}
    for family, own in sorted(peaks.items(), key=lambda item: -len(item[1])):
        if len(own) >= FEWEST_OF_A_FAMILY:
            better = own[: math.ceil(len(own) / 2)]
            spans[family] = PeakSpan(len(own), own[0], min(better), max(better), min(own), max(own))
    return spans


def edge_warnings(optuna_study: optuna.Study, trials: Sequence[FrozenTrial]) -> list[str]:
    """A line for each numeric parameter whose best values crowd at an end of its range.

    Looked at is the best tenth of the finished trials that were not audited, five at least: those that got furthest
    first, and the better ones first among those. A parameter is named if FEWEST_AT_EDGE of these have it, and more than
    half of those that have it lie in the same outer 5 % of its range, on a log scale where it is searched on one.
    Categories have no edges, nor has an integer of fewer than FEWEST_INTEGERS values.
    """
    sign = better_first(optuna_study)
    converged = [t for t in trials if t.intermediate_values and not t.user_attrs["record"]["diverged"]]
    converged = [t for t in converged if not t.user_attrs["record"].get("audited_from")]
    last = {trial.number: max(trial.intermediate_values.items()) for trial in converged}  # (epochs, value)
    converged.sort(key=lambda trial: (-last[trial.number][0], sign * last[trial.number][1], trial.number))
    best = converged[: max(FEWEST_BEST, math.ceil(BEST_PART * len(trials)))]
    names = dict.fromkeys(name for trial in best for name in trial.params)
    return [line for name in names if (line := edge_warning(name, best))]


def edge_warning(name: str, best: Sequence[FrozenTrial]) -> str | None:
    """The line for this parameter, if its values in the best trials crowd at an end; at least one has it."""
    having = [trial for trial in best if name in trial.params]
    searched = as_range(having[0].distributions[name])
    if len(having) < FEWEST_AT_EDGE or not has_edges(searched):
        return None
    places = [share_of_range(trial.params[name], searched) for trial in having]
    at_end = {
        f"lower end, {searched.low:g}": sum(place <= EDGE for place in places),
        f"upper end, {searched.high:g}": sum(place >= 1 - EDGE for place in places),
    }
    end, near = max(at_end.items(), key=lambda item: item[1])
    if near <= len(having) / 2:
        return None
    which = "" if len(having) == len(best) else " that have it"
    scale = ", log scale" if isinstance(searched, Float) and searched.log else ""
    return (
        f"{name}: {near} of the best {len(having)} trials{which} lie within {EDGE:.0%} of its {end} "
        f"(range {searched.low:g} to {searched.high:g}{scale}): the best may lie beyond; try a wider range if it can be"
    )


def has_edges(searched: Range) -> TypeGuard[Float | Integer]:
    """Whether values of this range can crowd at an end of it."""
    if isinstance(searched, Integer):
        return searched.high - searched.low + 1 >= FEWEST_INTEGERS
    return isinstance(searched, Float) and searched.low < searched.high


def comparable(optuna_study: optuna.Study, trials: Sequence[FrozenTrial]) -> list[tuple[FrozenTrial, float]]:
    """The trials that have not diverged and have a finite value at the first horizon, and that value."""
    first = first_horizon(optuna_study)
    values = [(trial, trial.intermediate_values.get(first, math.nan)) for trial in trials]
    return [(t, value) for t, value in values if math.isfinite(value) and not t.user_attrs["record"]["diverged"]]


def first_horizon(optuna_study: optuna.Study) -> int:
    """Epochs of the shortest complete run."""
    return int(optuna_study.user_attrs["configuration"]["horizons"][0])


def importance_shown(optuna_study: optuna.Study, trials: Sequence[FrozenTrial]) -> RenderableType:
    """The importances as a table, or why there are none."""
    shares, n = importance(optuna_study, trials)
    if n < FEWEST_FOR_IMPORTANCE:
        return f"Which parameters mattered: told of {FEWEST_FOR_IMPORTANCE} runs or more of equal length, here are {n}."
    if not shares:
        return f"Which parameters mattered: cannot be told, all {n} trials have the same value."
    title = f"What decided, in {n} trials after {first_horizon(optuna_study)} epochs"
    return rich_table(("parameter", "importance"), [[name, f"{share:.0%}"] for name, share in shares.items()], title)


def spans_shown(optuna_study: optuna.Study, trials: Sequence[FrozenTrial]) -> RenderableType:
    """The spans of peak_lr as a table, or why there are none."""
    spans = peak_spans(optuna_study, trials)
    if not spans:
        return f"How finely to tune peak_lr: told of families with {FEWEST_OF_A_FAMILY} runs or more of equal length."
    title = f"peak_lr of each family: the better half of its trials, after {first_horizon(optuna_study)} epochs"
    return rich_table(SPAN_HEADS, span_rows(spans), title)


def span_rows(spans: Mapping[str, PeakSpan]) -> list[list[str]]:
    """A line for each family under SPAN_HEADS."""
    rows = []
    for family, span in spans.items():
        factors = (span.high / span.low, span.all_high / span.all_low)
        peaks = (f"{peak:.2g}" for peak in (span.best, span.low, span.high))
        rows.append([family, str(span.n), *peaks, *(f"{factor:.{1 if factor < 10 else 0}f}" for factor in factors)])
    return rows

"""The figures of a study for optuna-dashboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any

from search_spaces import EVERY_FAMILY
from study.analysis.comparable import comparable
from study.analysis.families import family_outcomes
from study.analysis.runs import TrainedRun, runs_as_trained
from study.objective import length_in_words
from study.reports.dashboard.lr_curve import lr_line
from study.reports.dashboard.plotly_figure import ABOVE, PlotlyFigure, cloud, rounded, titled, trace
from study.reports.plot_style import FAR_APART, OTHER, family_color
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

MOST_BEST = 12
"""Full runs whose curves are drawn."""
MOST_POINTS = 2000
"""Of the cloud of all trials: of more, every second, third, ... is drawn."""
SYMBOLS = ("circle", "diamond", "square")
"""Beside the colour, neighbours in the list of families differ by their marks."""
SHORT_DASHES = ("dot", "dash", "dashdot", "longdash")
"""The lines of short runs, the shortest first."""
FIGURES = ("lr-curves", "learning-curves", "best-by-family", "all-trials", "peak-lr")
"""What the figures are kept under, in the order in which they are shown."""
Line = tuple[Sequence[float], Sequence[float]]


def figures(study: StudyRecord) -> dict[str, PlotlyFigure]:
    """All of them, by the name that each is kept under; for a study in any state."""
    best = study.ranked(study.searched)[:MOST_BEST]
    drawn = (
        lr_curves(best),
        learning_curves(study.value_name, best),
        best_by_family_over_time(study),
        all_trials(study, best),
        peak_against_value(study),
    )
    return dict(zip(FIGURES, drawn, strict=True))


def lr_curves(best: Sequence[TrialRecord]) -> PlotlyFigure:
    """The lr of each of these trials over the steps of its run."""
    lines = {trial.number: lr_line(trial) for trial in best}
    peaks = [max(line.y) for line in lines.values()]
    far_apart = bool(peaks) and max(peaks) > FAR_APART * min(peaks)
    scale = {"type": "log"} if far_apart else {"rangemode": "tozero"}
    traces = highlighted(best, lambda trial: lines[trial.number], others="full runs")
    return titled("lr of the best full runs", traces, "step", "lr", yaxis=scale, legend=ABOVE)


def learning_curves(value: str, best: Sequence[TrialRecord]) -> PlotlyFigure:
    """What the evaluations of each of these trials found."""

    def line_of(trial: TrialRecord) -> Line:
        return (trial.curve.steps, trial.curve.values) if trial.curve else ((), ())

    traces = highlighted(best, line_of, "full runs")
    return titled("Learning curves of the best full runs", traces, "step", value, legend=ABOVE)


def all_trials(study: StudyRecord, best: Sequence[TrialRecord]) -> PlotlyFigure:
    """What each trial reported, against the epochs of the run: with rungs, each point is a whole run of that length."""

    def line_of(trial: TrialRecord) -> Line:
        return tuple(trial.reported), tuple(trial.reported.values())

    every = [trial for trial in study.trials if not trial.diverged]
    apart = 1 + sum(len(trial.reported) for trial in every) // MOST_POINTS
    ahead = list(best[:2])
    shown = ahead + [trial for trial in every[::apart] if trial not in ahead]
    title = "All trials at each length" if apart == 1 else f"Trials at each length, one in {apart}"
    budgets = study.settings.budgets
    scale: dict[str, Any] = {"tickvals": list(budgets)} if len(budgets) > 1 else {}
    scale |= {"type": "log"} if budgets[-1] >= FAR_APART * budgets[0] else {}
    traces = highlighted(shown, line_of, "trials", dots=True)
    return titled(title, traces, f"{study.settings.unit} of the run", study.value_name, xaxis=scale, legend=ABOVE)


def highlighted(
    trials: Sequence[TrialRecord], line_of: Callable[[TrialRecord], Line], others: str, dots: bool = False
) -> list[dict[str, Any]]:
    """Winner and runner-up, which are the first two, in the colours of their families; the others as a grey cloud."""
    ahead = [trial for trial in trials[:2] if trial.complete]
    rest = trials[len(ahead) :]
    traces: list[dict[str, Any]] = []
    looks: tuple[dict[str, Any], ...] = ({"width": 3.5}, {"width": 2, "dash": "dash"})
    for place, look, trial in zip(("winner", "runner-up"), looks, ahead, strict=False):
        label = f"{place}: {trial.family}, trial {trial.number}"
        line = {"color": family_color(trial.family), **look}
        mode = "lines+markers" if dots else "lines"
        traces.append(trace(label, *line_of(trial), mode=mode, line=line, legendrank=len(traces)))
    name = f"{len(rest)} {'other ' if ahead else ''}{others if len(rest) != 1 else others.removesuffix('s')}"
    return [*cloud(name, [line_of(trial) for trial in rest], dots), *reversed(traces)]  # the winner on top


def best_by_family_over_time(study: StudyRecord) -> PlotlyFigure:
    """The best of each family so far at every length, against the epochs trained in the whole study."""
    budgets, found = study.settings.budgets, improvements(study)
    short = dict(zip(budgets[:-1], cycle(SHORT_DASHES), strict=False))
    traces = []
    for family, *_ in family_outcomes(study):
        drawn = [budget for budget in reversed(budgets) if (family, budget) in found]
        for budget in drawn:
            runs = found[family, budget]
            traces.append(
                trace(
                    family,
                    [run.spent for run in runs],
                    [run.value for run in runs],
                    **length_look(family_color(family), short.get(budget)),
                    legendgroup=family,
                    showlegend=budget == drawn[0],
                    hovertemplate=f"{family}, {length_in_words(budget, study.settings.unit)}: %{{y}}<extra></extra>",
                )
            )
    keys = [
        trace(length_in_words(budget, study.settings.unit), [None], [None], **length_look(OTHER, short.get(budget)))
        for budget in budgets
        if traces
    ]
    title = "Best of each family so far, by length"
    return titled(
        title,
        [*keys, *traces],
        f"{study.settings.unit} trained",
        study.value_name,
        annotations=length_labels(study, found),
    )


def length_labels(study: StudyRecord, found: dict[tuple[str, int], list[TrainedRun]]) -> list[dict[str, Any]]:
    """The length of the runs, written beside the best run of each length."""
    labels = []
    for budget in study.settings.budgets:
        runs = [own[-1] for (_, length), own in found.items() if length == budget]
        if runs:
            best = min(runs, key=lambda run: study.metric.sign * run.value)
            x, y = rounded([best.spent, best.value])
            beside = {"showarrow": False, "yshift": -14 * study.metric.sign}
            labels.append({"x": x, "y": y, "text": length_in_words(budget, study.settings.unit), **beside})
    return labels


def length_look(color: str, dash: str | None) -> dict[str, Any]:
    """How runs of one length are drawn: those of full length, which have no dash, with a thick line and full dots."""
    line = {"shape": "hv", "color": color, "dash": dash or "solid", "width": 1 if dash else 3}
    marker = {"color": color, "symbol": "circle-open" if dash else "circle", "size": 5 if dash else 8}
    return {"mode": "lines+markers", "line": line, "marker": marker}


def improvements(study: StudyRecord) -> dict[tuple[str, int], list[TrainedRun]]:
    """The runs that were better than all before them of the same family and budget, by these, in order."""
    found: dict[tuple[str, int], list[TrainedRun]] = {}
    sign = study.metric.sign
    for run in runs_as_trained(study):
        own = found.setdefault((run.trial.family, run.budget), [])
        if not own or sign * run.value < sign * own[-1].value:
            own.append(run)
    return found


def peak_against_value(study: StudyRecord) -> PlotlyFigure:
    """A dot for each trial that can be compared: its peak_lr, and its value at the first budget; the winner ringed."""
    points: dict[str, list[tuple[float, float]]] = {}
    compared = comparable(study)
    for trial, value in compared:
        points.setdefault(trial.family, []).append((trial.peak_lr, value))
    looks = marks()
    traces = [
        trace(family, *zip(*points[family], strict=True), mode="markers", marker=looks.get(family, {"color": OTHER}))
        for family, *_ in family_outcomes(study)
        if family in points
    ]
    best = study.best
    ring = {"symbol": "circle-open", "size": 16, "color": OTHER, "line": {"width": 2}}
    ringed = [(trial.peak_lr, value) for trial, value in compared if best and trial.number == best.number]
    traces += [trace("winner", [x], [y], mode="markers", marker=ring) for x, y in ringed]
    after = f"{study.value_name} after {length_in_words(study.first_budget, study.settings.unit)}"
    return titled("peak_lr by family", traces, "peak_lr", after, xaxis={"type": "log"})


def marks() -> dict[str, dict[str, Any]]:
    """How each family is marked, the same in every study."""
    return {
        family: {"color": family_color(family), "symbol": symbol}
        for family, symbol in zip(EVERY_FAMILY, cycle(SYMBOLS), strict=False)
    }

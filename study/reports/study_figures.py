"""The figures of a report that are drawn from studies: SVG, as bytes; what is missing is said in the picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import optuna
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from search_spaces import from_params
from study.analysis.importance import comparable, first_horizon
from study.analysis.summary import value_name
from study.reports.figures import Curve, Measure
from study.reports.plot_style import BLUE, VERMILION
from study.reports.svg import (
    LETTERS_ABREAST,
    MOST_HIGHLIGHTED,
    End,
    as_svg,
    blank,
    color_of,
    end_dot,
    label_ends,
    log_scale,
    notice,
    plain,
    shortened,
)
from study.storage.records import best_trial, finished_trials, spent_epochs

PANELS_ABREAST = 3
DOTS: dict[str, Any] = {"marker": "o", "markersize": 3.2, "linestyle": "none", "alpha": 0.6, "markeredgewidth": 0}
RING: dict[str, Any] = {"marker": "o", "markersize": 6, "markeredgewidth": 1.3, "color": VERMILION, "fillstyle": "none"}


def measure_of(optuna_study: optuna.Study) -> Measure:
    """What the study's trials are judged by."""
    unit = optuna_study.user_attrs["metric"]["unit"]
    return Measure(value_name(optuna_study), unit, optuna_study.direction == StudyDirection.MAXIMIZE)


def curve_of(optuna_study: optuna.Study, trial: FrozenTrial, label: str | None = None) -> Curve:
    """The run of a trial that ran to its end; label: None: the family."""
    attrs, kept = optuna_study.user_attrs, trial.user_attrs["curve"]
    total_steps = attrs["configuration"]["epochs"] * attrs["steps_per_epoch"]
    schedule = from_params(trial.params)
    lr = [rate for rate, _ in schedule.simulate(total_steps)]
    if schedule.evaluations:
        # It listened: after the warm-up its lr is that of the records, which holds since the evaluation before.
        warmup_steps, _ = schedule.split(total_steps)
        for before, step, rate in zip([0, *kept["step"]], kept["step"], kept["lr"], strict=False):
            lr[max(before, warmup_steps) : step] = [rate] * (step - max(before, warmup_steps))
    return Curve(label or trial.params["family"], lr, kept["step"], kept[value_name(optuna_study)])


@as_svg
def peak_sensitivity(studies: Sequence[optuna.Study]) -> Figure:
    """How the value depends on peak_lr, family by family: a dot for each trial, the best one ringed.

    The studies share what they are judged by; usually it is one, or one for each family. Trials are compared at the
    first horizon. The family with the best trial comes first; those without any have an empty panel.
    """
    if not studies:
        return notice("No peak_lr to compare: no studies.")
    measure = measure_of(studies[0])
    points = peaks_of(studies)
    if not any(points.values()):
        return notice("No peak_lr to compare: no trial has a value.")
    best = {family: min(own, key=lambda point: measure.badness(point[1])) for family, own in points.items() if own}
    order = sorted(points, key=lambda family: measure.badness(best[family][1]) if family in best else math.inf)

    abreast = min(PANELS_ABREAST, len(order))
    down = math.ceil(len(order) / abreast)
    figure = blank(0.75 + down * (1.3 if down > 1 else 2.2))
    panels = figure.subplots(down, abreast, sharex=True, sharey=True, squeeze=False).ravel()
    peaks = [peak for own in points.values() for peak, _ in own]
    log_scale(panels[0], panels[0].xaxis, min(peaks), max(peaks), 3)
    panels[0].yaxis.set_major_locator(MaxNLocator(3))
    for number, (panel, family) in enumerate(zip(panels, order, strict=False)):
        draw_peaks(panel, points[family], best.get(family), f"trials-{number}")
        panel.set_title(shortened(family, LETTERS_ABREAST // abreast), fontsize=8, pad=14)
        panel.tick_params(labelbottom=number + abreast >= len(order))
    for panel in panels[len(order) :]:
        panel.set_axis_off()
    figure.supylabel(measure.axis)
    figure.supxlabel("peak_lr (log scale)")
    horizons = sorted({first_horizon(optuna_study) for optuna_study in studies})
    after = " or ".join(map(str, horizons)) + (" epoch" if horizons == [1] else " epochs")
    key = {f"a trial, after {after}": Line2D([], [], color=BLUE, **DOTS)}
    key |= {"the best, and its peak_lr": Line2D([], [], linestyle="none", **RING)}
    figure.legend(key.values(), key.keys(), loc="outside upper left", ncols=2)
    return figure


def peaks_of(studies: Sequence[optuna.Study]) -> dict[str, list[tuple[float, float]]]:
    """Family -> (peak_lr, value) of each of its trials that can be compared; none for one that was only to be tried."""
    points: dict[str, list[tuple[float, float]]] = {}
    for optuna_study in studies:
        for family in optuna_study.user_attrs["configuration"]["families"]:
            points.setdefault(family, [])
        for trial, value in comparable(optuna_study, finished_trials(optuna_study)):
            points.setdefault(trial.params["family"], []).append((trial.params["peak_lr"], value))
    return points


def draw_peaks(axes: Axes, points: Sequence[tuple[float, float]], best: tuple[float, float] | None, gid: str) -> None:
    """One family: (peak_lr, value) of each trial."""
    if best is None:
        axes.text(0.5, 0.5, "no trials", transform=axes.transAxes, ha="center", va="center", color="#555555")
        return
    axes.plot(*zip(*points, strict=True), color=BLUE, gid=gid, clip_on=False, **DOTS)
    axes.plot(*best, clip_on=False, **RING)
    axes.text(0, 1.04, plain(best[0]), transform=axes.transAxes, fontsize=8, color=VERMILION)


@as_svg
def search_progress(studies: Mapping[str, optuna.Study]) -> Figure:
    """The best value of a full run so far against the epochs trained; studies: by the name that each is to have.

    The six studies that end best are named. A single study also shows the value of each of its full runs.
    """
    lines = {name: line for name, optuna_study in studies.items() if (line := progress_of(optuna_study))}
    if not lines:
        return notice("No progress to draw: no trial ran to its end.")
    measure = measure_of(next(iter(studies.values())))
    order = sorted(lines, key=lambda name: measure.badness(lines[name][-1][1]))
    figure = blank(3.3)
    axes = figure.subplots()
    for rank, name in enumerate(order):
        zorder = 2 if rank < MOST_HIGHLIGHTED else 1
        epochs, best = zip(*lines[name], strict=True)
        axes.plot(
            epochs,
            best,
            color=color_of(rank),
            drawstyle="steps-post",
            zorder=zorder,
            gid=f"progress-{rank}",
            **end_dot(len(epochs) - 1),
        )
    axes.set(xlabel="epochs trained", ylabel=f"best {measure.axis}")
    axes.set_xlim(left=0)
    key: dict[str, Line2D] = {}
    if len(studies) == 1:
        runs = full_runs(next(iter(studies.values())))
        axes.plot(*zip(*runs, strict=True), color="#777777", zorder=1, gid="full-runs", **DOTS)
        key = {"best so far": Line2D([], [], color=BLUE), "a full run": Line2D([], [], color="#777777", **DOTS)}
    else:
        ends = [End(*lines[name][-1], color_of(rank), name) for rank, name in enumerate(order[:MOST_HIGHLIGHTED])]
        label_ends(axes, ends)
    without = len(studies) - len(lines)
    key |= {"other studies": Line2D([], [], color=color_of(MOST_HIGHLIGHTED))} if len(order) > MOST_HIGHLIGHTED else {}
    key |= {f"{without} of {len(studies)} studies: no full run": Line2D([], [], linestyle="none")} if without else {}
    if key:
        figure.legend(key.values(), key.keys(), loc="outside upper left", ncols=2)
    return figure


def progress_of(optuna_study: optuna.Study) -> list[tuple[float, float]]:
    """(epochs trained, best value of a full run) after each trial, in number order, from the first full run on."""
    trials = finished_trials(optuna_study)
    line: list[tuple[float, float]] = []
    best = None
    for spent, trial in zip(accumulate(map(spent_epochs, trials)), trials, strict=True):
        best = best_trial(optuna_study, [trial] if best is None else [best, trial])
        if best is not None and best.value is not None:
            line.append((spent, best.value))
    return line


def full_runs(optuna_study: optuna.Study) -> list[tuple[float, float]]:
    """(epochs trained until then, value) of each trial that ran to its end."""
    trials = finished_trials(optuna_study)
    spent = accumulate(map(spent_epochs, trials))
    pairs = zip(spent, trials, strict=True)
    return [(epochs, trial.value or 0.0) for epochs, trial in pairs if trial.state == TrialState.COMPLETE]

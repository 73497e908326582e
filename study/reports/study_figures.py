"""The figures of a report that are drawn from studies: SVG, as bytes; what is missing is said in the picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from study.analysis.comparable import comparable
from study.reports.figures import Measure, RunCurve
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
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

PANELS_ABREAST = 3
DOTS: dict[str, Any] = {"marker": "o", "markersize": 3.2, "linestyle": "none", "alpha": 0.6, "markeredgewidth": 0}
RING: dict[str, Any] = {"marker": "o", "markersize": 6, "markeredgewidth": 1.3, "color": VERMILION, "fillstyle": "none"}


def measure_of(study: StudyRecord) -> Measure:
    """What the study's trials are evaluated by."""
    return Measure(study.value_name, study.metric.unit, study.metric.direction == "maximize")


def curve_of(study: StudyRecord, trial: TrialRecord, label: str | None = None) -> RunCurve:
    """The run of a trial that ran to its end; label: None: the family."""
    assert trial.curve is not None
    schedule, steps = trial.schedule, trial.curve.steps
    lr = [rate for rate, _ in schedule.simulate(study.total_steps)]
    if schedule.evaluations:
        # It observed losses: after the warm-up its lr is the recorded one, which holds since the evaluation before.
        warmup_steps, _ = schedule.split(study.total_steps)
        for before, step, rate in zip([0, *steps], steps, trial.curve.lr, strict=False):
            lr[max(before, warmup_steps) : step] = [rate] * (step - max(before, warmup_steps))
    return RunCurve(label or trial.family, lr, steps, trial.curve.values)


@as_svg
def peak_sensitivity(studies: Sequence[StudyRecord]) -> Figure:
    """How the value depends on peak_lr, family by family: a dot for each trial, the best one ringed.

    The studies share what they are evaluated by; usually it is one, or one for each family. Trials are compared at the
    first budget. The family with the best trial comes first; those without any have an empty panel.
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
    budgets = sorted({study.first_budget for study in studies})
    after = " or ".join(map(str, budgets)) + (" epoch" if budgets == [1] else " epochs")
    key = {f"a trial, after {after}": Line2D([], [], color=BLUE, **DOTS)}
    key |= {"the best, and its peak_lr": Line2D([], [], linestyle="none", **RING)}
    figure.legend(key.values(), key.keys(), loc="outside upper left", ncols=2)
    return figure


def peaks_of(studies: Sequence[StudyRecord]) -> dict[str, list[tuple[float, float]]]:
    """Family -> (peak_lr, value) of each of its trials that can be compared; none for one that was only to be tried."""
    points: dict[str, list[tuple[float, float]]] = {}
    for study in studies:
        for family in study.settings.families:
            points.setdefault(family, [])
        for trial, value in comparable(study):
            points.setdefault(trial.family, []).append((trial.peak_lr, value))
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
def search_progress(studies: Mapping[str, StudyRecord]) -> Figure:
    """The best value of a full run so far against the epochs trained; studies: by the name that each is to have.

    The six studies that end best are named. A single study also shows the value of each of its full runs.
    """
    lines = {name: line for name, study in studies.items() if (line := progress_of(study))}
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


def progress_of(study: StudyRecord) -> list[tuple[float, float]]:
    """(epochs trained, best value of a full run) after each trial, in the order they ended, from the first one on."""
    line: list[tuple[float, float]] = []
    spent, best = 0.0, math.inf
    for trial in as_ended(study):
        spent += trial.epochs_spent
        if trial.complete:
            best = min(best, study.metric.sign * trial.value)
        if best < math.inf:
            line.append((spent, study.metric.sign * best))
    return line


def full_runs(study: StudyRecord) -> list[tuple[float, float]]:
    """(epochs trained until then, value) of each trial that ran to its end."""
    trials = as_ended(study)
    spent = accumulate(trial.epochs_spent for trial in trials)
    return [(epochs, trial.value) for epochs, trial in zip(spent, trials, strict=True) if trial.complete]


def as_ended(study: StudyRecord) -> list[TrialRecord]:
    """The trials in the order in which they ended, which is that of their numbers."""
    return sorted(study.trials, key=lambda trial: trial.number)

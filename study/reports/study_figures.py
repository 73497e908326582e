"""The figures of a report that are drawn from studies: SVG, as bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from study.analysis.comparable import comparable
from study.objective import length_in_words
from study.reports.figures import RunCurve
from study.reports.measure import validation_measure
from study.reports.plot_style import BLUE, INK, VERMILION, family_color
from study.reports.svg import FEWEST_DOTS, LETTERS_ABREAST, as_svg, blank, end_dot, log_scale, plain, shortened
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

PANELS_ABREAST = 3
DOTS: dict[str, Any] = {"marker": "o", "markersize": 3.6, "linestyle": "none", "alpha": 0.8, "markeredgewidth": 0}
RING: dict[str, Any] = {"marker": "o", "markersize": 6, "markeredgewidth": 1.3, "color": VERMILION, "fillstyle": "none"}


def curve_of(study: StudyRecord, trial: TrialRecord) -> RunCurve:
    """The last run of a trial that has not diverged; of a run that an evaluation stopped, the lr of the whole schedule.

    Without a curve only the lr is known, and of a schedule that observes losses not even that: see `can_be_drawn`.
    """
    schedule = trial.schedule
    budget = next(epochs for epochs in study.settings.budgets if epochs >= max(trial.reported))
    total_steps = budget * study.steps_per_epoch
    lr = [rate for rate, _ in schedule.simulate(total_steps)]
    if trial.curve is None:
        return RunCurve(trial.family, lr, (), ())
    steps = trial.curve.steps
    if schedule.evaluations:
        # It observed losses: after the warm-up its lr is the recorded one, which holds since the evaluation before.
        warmup_steps, _ = schedule.split(total_steps)
        for before, step, rate in zip([0, *steps], steps, trial.curve.lr, strict=False):
            lr[max(before, warmup_steps) : step] = [rate] * (step - max(before, warmup_steps))
    return RunCurve(trial.family, lr, steps, trial.curve.values)


def can_be_drawn(trial: TrialRecord) -> bool:
    """Whether the lr of a trial's last run is known."""
    return not trial.diverged and (trial.curve is not None or not trial.schedule.evaluations)


def peaks_of(studies: Sequence[StudyRecord]) -> dict[str, list[tuple[float, float]]]:
    """Family -> (peak_lr, value) of each of its trials that can be compared, of families with FEWEST_DOTS or more.

    The families are in the order of the studies, and those of one study by their best trial.
    """
    points: dict[str, list[tuple[float, float]]] = {}
    for study in studies:
        best_first = sorted(comparable(study), key=lambda pair: study.metric.sign * pair[1])
        for trial, value in best_first:
            points.setdefault(trial.family, []).append((trial.peak_lr, value))
    return {family: own for family, own in points.items() if len(own) >= FEWEST_DOTS}


@as_svg
def peak_sensitivity(studies: Sequence[StudyRecord]) -> Figure:
    """How the value depends on peak_lr: a panel for each family of `peaks_of`, at least one; the best trial is ringed.

    The studies share what they are evaluated by; usually it is one, or one for each family. Trials are compared at the
    first budget.
    """
    measure = validation_measure(studies[0])
    points = peaks_of(studies)
    abreast = min(PANELS_ABREAST, len(points))
    down = math.ceil(len(points) / abreast)
    figure = blank(0.75 + down * (1.3 if down > 1 else 2.2))
    panels = figure.subplots(down, abreast, sharex=True, sharey=True, squeeze=False).ravel()
    peaks = [peak for own in points.values() for peak, _ in own]
    log_scale(panels[0], panels[0].xaxis, min(peaks), max(peaks), 3)
    panels[0].yaxis.set_major_locator(MaxNLocator(3))
    for number, (panel, (family, own)) in enumerate(zip(panels, points.items(), strict=False)):
        draw_peaks(panel, [(peak, measure.scale * value) for peak, value in own], family, f"trials-{number}")
        panel.set_title(shortened(family, LETTERS_ABREAST // abreast), fontsize=8, pad=14)
        panel.tick_params(labelbottom=number + abreast >= len(points))
    for panel in panels[len(points) :]:
        panel.set_axis_off()
    figure.supylabel(measure.axis)
    figure.supxlabel("peak_lr (log scale)")
    *shorter, longest = sorted({study.first_budget for study in studies})
    lengths = [*map(str, shorter), length_in_words(longest, studies[0].settings.unit)]
    key = {f"a trial, after {' or '.join(lengths)}": Line2D([], [], color=INK, **DOTS)}
    key |= {"the best, and its peak_lr": Line2D([], [], linestyle="none", **RING)}
    figure.legend(key.values(), key.keys(), loc="outside upper left", ncols=2)
    return figure


def draw_peaks(axes: Axes, points: Sequence[tuple[float, float]], family: str, gid: str) -> None:
    """One family: (peak_lr, value) of each trial, the best first."""
    axes.plot(*zip(*points, strict=True), color=family_color(family), gid=gid, clip_on=False, **DOTS)
    axes.plot(*points[0], clip_on=False, **RING)
    axes.text(0, 1.04, plain(points[0][0]), transform=axes.transAxes, fontsize=8, color=VERMILION)


@as_svg
def search_progress(study: StudyRecord) -> Figure:
    """The best value of a full run so far against the epochs trained, and each full run; at least one."""
    measure = validation_measure(study)
    figure = blank(3.3)
    axes = figure.subplots()
    epochs, best = np.array(progress_of(study)).T
    line: dict[str, Any] = {"color": BLUE, "drawstyle": "steps-post", "gid": "progress", **end_dot(len(epochs) - 1)}
    axes.plot(epochs, measure.scale * best, **line)
    epochs, values = np.array(full_runs(study)).T
    axes.plot(epochs, measure.scale * values, color=INK, zorder=1, gid="full-runs", **DOTS)
    axes.set(xlabel=f"{study.settings.unit} trained", ylabel=f"best {measure.axis}")
    axes.set_xlim(left=0)
    key = {"best so far": Line2D([], [], color=BLUE), "a full run": Line2D([], [], color=INK, **DOTS)}
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

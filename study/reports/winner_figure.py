"""The figure of a search's answer: the winner's learning rate over the run, beside its runners-up and the control."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from study.analysis.leaders import Leader, leaders, trial_of
from study.objective import length_in_words
from study.reports.figures import RunCurve, draw_rates, lr_stairs
from study.reports.measure import validation_measure
from study.reports.plot_style import family_color
from study.reports.study_figures import can_be_drawn, curve_of
from study.reports.svg import as_svg, blank
from study.storage.study_record import StudyRecord

CONTROL = "constant"
MOST_RUNNERS_UP = 3


def shown_leaders(study: StudyRecord) -> list[Leader]:
    """The winner, the leaders of the next families, and the control's; those that can be drawn."""
    first, *others = [leader for leader in leaders(study) if can_be_drawn(trial_of(study, leader))]
    runners_up = [leader for leader in others if leader.family != CONTROL][:MOST_RUNNERS_UP]
    return [first, *runners_up, *(leader for leader in others if leader.family == CONTROL)]


def winner_figure(study: StudyRecord) -> bytes:
    """The figure of a study that has a winner, as SVG: each family with what its best trial found, run by run."""
    winner, *others = shown = shown_leaders(study)
    value = validation_measure(study).text
    reported = trial_of(study, winner).reported
    lengths = sorted({one.epochs for one in others} & reported.keys() - {winner.epochs}, reverse=True)
    shorter = [f"{value(reported[epochs])} after {epochs}" for epochs in lengths]
    labels = [
        f"{winner.family}: "
        + ", ".join([f"{value(winner.value)} after {length_in_words(winner.epochs, study.settings.unit)}", *shorter])
    ]
    for one in others:
        control = " (control)" if one.family == CONTROL else ""
        labels.append(
            f"{one.family}{control}: {value(one.value)} after {length_in_words(one.epochs, study.settings.unit)}"
        )
    return draw_winner([curve_of(study, trial_of(study, one)) for one in shown], labels, study.value_name)


@as_svg
def draw_winner(curves: Sequence[RunCurve], labels: Sequence[str], title: str) -> Figure:
    """The learning rates of one run or more over their run; the first is the winner's.

    labels: a line for each. title: what the labels give.
    """
    figure = blank(2.6 + 0.16 * len(curves))
    axes = figure.subplots()
    lines = []
    for rank, curve in enumerate(curves):
        line: dict[str, Any] = {"linewidth": 2.6, "zorder": 3} if rank == 0 else {"linewidth": 1.3}
        if rank and curve.family == CONTROL:
            line["linestyle"] = (0, (4, 2))
        color = family_color(curve.family)
        lines += axes.plot(*lr_stairs(curve, len(curve.lr)), color=color, gid=f"lr-{rank}", **line)
    draw_rates(axes, curves)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("share of the run")
    figure.legend(lines, labels, title=title, alignment="left", loc="outside upper left")
    return figure

"""The figure of a search's answer: the winner's learning rate over the run, beside its runners-up and the control."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from study.analysis.answer import Answer
from study.analysis.leaders import Leader, leaders, trial_of
from study.objective import length_in_words
from study.reports.figures import RunCurve, draw_rates, lr_stairs
from study.reports.measure import validation_measure
from study.reports.plot_style import family_color
from study.reports.study_figures import can_be_drawn, curve_of
from study.reports.svg import as_svg, blank
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

CONTROL = "constant"
CONTROLLED, REFERENCE = " (control)", " (reference)"
MOST_RUNNERS_UP = 3


def winner_figure(study: StudyRecord) -> bytes:
    """The figure of a study that has a winner, as SVG."""
    shown = shown_schedules(study)
    curves = [curve_of(study, trial) for trial, _ in shown]
    return draw_winner(curves, [label for _, label in shown], study.metric.name)


def shown_schedules(study: StudyRecord) -> list[tuple[TrialRecord, str]]:
    """The schedules that are shown and can be drawn, each with what was found of it, the most important first.

    With an answer these are the recommended schedule and the one it was compared with, without one the best full run;
    then the best of the next families, and the control.
    """
    answer = Answer.of(study)
    ahead = (confirmed_lines(study, answer) if answer else []) or [winner_line(study)]
    families = {trial.family for trial, _ in ahead}
    others = [
        leader for leader in leaders(study) if leader.family not in families and can_be_drawn(trial_of(study, leader))
    ]
    runners_up = [leader for leader in others if leader.family != CONTROL][:MOST_RUNNERS_UP]
    control = [leader for leader in others if leader.family == CONTROL]
    return [*ahead, *(leader_line(study, leader) for leader in [*runners_up, *control])]


def confirmed_lines(study: StudyRecord, answer: Answer) -> list[tuple[TrialRecord, str]]:
    """The recommended schedule and the other one, with the mean of each over the seeds."""
    rows, value = "test" if answer.on_test else "validation", validation_measure(study).text
    both = [(answer.recommended, answer.value), (answer.other, answer.other_value)]
    return [
        (trial, f"{with_role(trial)}: {rows} {value(found.mean)} over {found.n} seeds")
        for trial, found in both
        if trial and found and can_be_drawn(trial)
    ]


def winner_line(study: StudyRecord) -> tuple[TrialRecord, str]:
    """The leader of all, with what its trial found at each length that others were trained for."""
    winner, *others = [leader for leader in leaders(study) if can_be_drawn(trial_of(study, leader))]
    trial, value = trial_of(study, winner), validation_measure(study).text
    lengths = sorted({one.epochs for one in others} & trial.reported.keys() - {winner.epochs}, reverse=True)
    full = f"{value(winner.value)} after {length_in_words(winner.epochs, study.settings.unit)}"
    shorter = [f"{value(trial.reported[epochs])} after {epochs}" for epochs in lengths]
    return trial, f"{winner.family}: validation {', '.join([full, *shorter])}"


def leader_line(study: StudyRecord, leader: Leader) -> tuple[TrialRecord, str]:
    """The best of another family, with what it found at the length that it came to."""
    trial, value = trial_of(study, leader), validation_measure(study).text(leader.value)
    return trial, f"{with_role(trial)}: validation {value} after {length_in_words(leader.epochs, study.settings.unit)}"


def with_role(trial: TrialRecord) -> str:
    """The family, and what it stands for."""
    if trial.family == CONTROL:
        return f"{trial.family}{CONTROLLED}"
    return f"{trial.family}{REFERENCE}" if trial.is_reference else trial.family


@as_svg
def draw_winner(curves: Sequence[RunCurve], labels: Sequence[str], title: str) -> Figure:
    """The learning rates of one run or more over their run; the first is the winner's.

    labels: a line for each. title: the metric that the labels give.
    """
    figure = blank(2.6 + 0.16 * len(curves))
    axes = figure.subplots()
    lines = []
    for rank, curve in enumerate(curves):
        line: dict[str, Any] = {"linewidth": 2.6, "zorder": 3} if rank == 0 else {"linewidth": 1.3}
        if rank and labels[rank].partition(":")[0].endswith((REFERENCE, CONTROLLED)):
            line["linestyle"] = (0, (4, 2))
        color = family_color(curve.family)
        lines += axes.plot(*lr_stairs(curve, len(curve.lr)), color=color, gid=f"lr-{rank}", **line)
    draw_rates(axes, curves)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("share of the run")
    figure.legend(lines, labels, title=title, alignment="left", loc="outside upper left")
    return figure

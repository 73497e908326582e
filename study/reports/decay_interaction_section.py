"""How weight decay and the peak interact, as a section of a report, with a picture."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from study.analysis.decay_interaction import DecayInteraction
from study.reports.decay_interaction import interaction_lines
from study.reports.markdown import escaped, image
from study.reports.plot_style import BLUE, OTHER
from study.reports.section import Section
from study.reports.svg import as_svg, blank, log_scale
from study.storage.study_record import StudyRecord

DOTS: dict[str, Any] = {"marker": "o", "linestyle": "none", "markersize": 4, "markeredgewidth": 1, "clip_on": False}


def interaction_section(study: StudyRecord) -> Section | None:
    """The line on it, a picture, and the limits of both; None if the study does not search weight decay."""
    interaction = DecayInteraction.of(study)
    if interaction is None or not interaction.better:
        return None
    body, figures = [escaped(line) for line in interaction_lines(study)], {}
    if all(decay > 0 for _, decay in (*interaction.better, *interaction.others)):
        figures["weight_decay.svg"] = decay_against_peak(interaction)
        body += [image("weight_decay.svg", "The weight decay of each trial against its peak_lr")]
    if interaction.product_term and interaction.product_term.low > 0:
        low, middle, high = interaction.products
        body += [
            f"peak\\_lr times weight decay in the better half: {middle:.2g}, in the middle half of these trials "
            f"{low:.2g} to {high:.2g}."
        ]
    body += [
        "The product term is that of a least-squares fit of the value, quadratic in the logarithms of peak\\_lr and "
        "weight decay, all three standardised; if both effects only add up, it is near 0. "
        "The sampler suggests trials near good ones, and a quadratic fits only roughly: the interval is a rough one. "
        "A short run decays weights less in total than a full one, so its best weight decay may be higher. Trials of "
        "the reference, which have the optimizer's own weight decay, are left out."
    ]
    return Section("Peak and weight decay", "\n\n".join(body), figures)


@as_svg
def decay_against_peak(interaction: DecayInteraction) -> Figure:
    """Weight decay against peak_lr, both above 0 and in log scale; the better half of the trials is filled."""
    figure = blank(2.9)
    axes = figure.subplots()
    every = [*interaction.better, *interaction.others]
    for axis, values in zip((axes.xaxis, axes.yaxis), zip(*every, strict=True), strict=True):
        log_scale(axes, axis, min(values), max(values), 6)
    for points, label, color, gid in (
        (interaction.others, "the others", OTHER, "others"),
        (interaction.better, "a trial of the better half", BLUE, "better"),
    ):
        if points:
            filled: Any = "full" if color == BLUE else "none"
            axes.plot(*zip(*points, strict=True), color=color, fillstyle=filled, label=label, gid=gid, **DOTS)
    axes.set(xlabel="peak_lr (log scale)", ylabel="weight decay (log scale)")
    figure.legend(loc="outside upper left", ncols=2)
    return figure

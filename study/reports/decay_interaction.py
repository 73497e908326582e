"""How weight decay and the peak interact, in words and as a section of a report."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from study.analysis.decay_interaction import FEWEST, DecayInteraction
from study.reports.markdown import escaped, image
from study.reports.plot_style import BLUE, OTHER
from study.reports.section import Section
from study.reports.svg import as_svg, blank, log_scale
from study.storage.study_record import StudyRecord

DOTS: dict[str, Any] = {"marker": "o", "linestyle": "none", "markersize": 4, "markeredgewidth": 1, "clip_on": False}


def interaction_lines(study: StudyRecord) -> list[str]:
    """A line on how both interact; nothing if the study does not search weight decay."""
    interaction = DecayInteraction.of(study)
    if interaction is None:
        return []
    found, n = interaction.product_term, len(interaction.better) + len(interaction.others)
    runs = f"{n} {study.first_budget}-{study.settings.one} runs"
    if n < FEWEST:
        said = f"at least {FEWEST} comparable runs are needed to show an interaction; this study has {n}."
    elif found is None:
        said = f"no quadratic can be fitted ({runs}): a weight decay is 0, or too few different ones were tried."
    else:
        shown = "no interaction shown"
        if not found.low <= 0 <= found.high:
            shown = f"a higher peak goes with a {'lower' if found.mean > 0 else 'higher'} weight decay"
        said = f"{shown} (product term {found:.2f}, {runs})."
    return [f"Peak and weight decay: {said}"]


def interaction_section(study: StudyRecord) -> Section | None:
    """The same with a picture, and what it does not show; nothing if the study does not search weight decay."""
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

"""How weight decay and the peak interact, in words."""

from __future__ import annotations

from study.analysis.decay_interaction import FEWEST, DecayInteraction
from study.storage.study_record import StudyRecord


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

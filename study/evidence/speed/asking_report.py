"""The table of what asking costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from study.evidence.speed.asking import Asking
from study.reports.markdown import table
from study.search.samplers.batch_gp import LEARNT_FROM


def page_of_asking(measured: Sequence[Asking], reading: Mapping[int, tuple[float, float]], rounds: int) -> str:
    """Markdown. reading: seconds to read this many trials, at the start and for each further bracket."""
    lines = []
    for one in measured:
        cells = [f"{1000 * one.asking / one.batch:.1f}", f"{1000 * one.preparing:.0f}", f"{one.memory:.0f}"]
        lines.append([one.sampler, f"{one.trials:,}", *(cells if one.failed is None else [one.failed, "-", "-"])])
    heads = ["sampler", "trials in the study", "ms per trial", "ms per bracket", "MB"]
    about = (
        f"A batch of {measured[0].batch} trials is asked for in a default study with made-up trials. "
        "*ms per trial*: CPU time to suggest the batch, per trial. *ms per bracket*: CPU time to set up a bracket. "
        f"*MB*: memory that both added. Each line is the best of {rounds} rounds in a process of its own. "
        f"`gp` is fitted once a batch, to at most {LEARNT_FROM} trials: the best half and a spread of the others. "
        "`gp-optuna` is fitted for each trial, to all trials."
    )
    times = [[f"{trials:,}", f"{first:.2f}", f"{again:.3f}"] for trials, (first, again) in reading.items()]
    read = table(["trials in the study", "when it starts", "for each further bracket"], times)
    return f"{about}\n\n{table(heads, lines)}\n\nSeconds in which a search reads its trials from SQLite:\n\n{read}\n"

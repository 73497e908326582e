"""Whole studies, raced: the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from study.analysis.statistics import mean_interval
from study.evidence.speed.studies import Raced
from study.reports.markdown import table


def page(raced: Sequence[Raced], outside: Mapping[int, float], trials: int, confirm_seeds: int) -> str:
    """Markdown. outside: seconds outside training of a trial, by where in a long study it is; or nothing."""
    parts = [
        f"Studies of {trials} trials, on the CPU, without starting Python and making the data; winners on test over "
        f"{confirm_seeds} fresh training seeds. Mean [95 % BCa bootstrap interval], against the first in pairs of "
        "equal search seeds. *Not training*: choosing the engine, sampling, SQLite, reporting.",
        table_of_studies(raced),
    ]
    if outside:
        costs = ", ".join(f"{1000 * seconds:.1f} ms at trial {trial}" for trial, seconds in outside.items())
        parts.append(f"Outside training, per trial, in one default study of {max(outside)} trials: {costs}.")
    return "\n\n".join(parts) + "\n"


def table_of_studies(raced: Sequence[Raced]) -> str:
    """Markdown, a line for each study: its time and its winner, against the first."""
    names = list(dict.fromkeys(one.study for one in raced))
    first = {one.search_seed: one for one in raced if one.study == names[0]}
    lines = []
    for name in names:
        own = [one for one in raced if one.study == name]
        faster = mean_interval([first[one.search_seed].seconds / one.seconds for one in own])
        better = mean_interval([100 * (first[one.search_seed].error - one.error) for one in own])
        shares = [100 * one.outside for one in own if one.outside is not None]
        cells = [f"{mean_interval([one.seconds for one in own]):.2f}", f"{faster:.1f}" if name != names[0] else "-"]
        cells += [f"{mean_interval([100 * (1 - one.error) for one in own]):.2f}"]
        cells += [f"{better:+.2f}" if name != names[0] else "-", f"{mean_interval(shares):.0f} %" if shares else "-"]
        lines.append([name, str(len(own)), *cells])
    heads = [
        "study",
        "n",
        "seconds",
        "times as fast",
        "test accuracy of the winner, %",
        "points better",
        "not training",
    ]
    return table(heads, lines)

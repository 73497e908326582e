"""Whole studies, raced or beside a peer: the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from study.analysis.statistics import mean_interval
from study.evidence.speed.studies import RacedStudy
from study.reports.markdown import table


def page_of_races(raced: Sequence[RacedStudy], outside: Mapping[int, float], trials: int, confirm_seeds: int) -> str:
    """Markdown. outside: seconds outside training of a trial, by where in a long study it is; or nothing."""
    parts = [
        f"Studies of {trials} trials, on the CPU, without starting Python and making the data; winners on test over "
        f"{confirm_seeds} fresh training seeds. Mean [95 % BCa bootstrap interval], against the first in pairs of "
        "equal search seeds. *Not training*: choosing the engine, sampling, SQLite, reporting.",
        table_of_races(raced),
    ]
    if outside:
        costs = ", ".join(f"{1000 * seconds:.1f} ms at trial {trial}" for trial, seconds in outside.items())
        parts.append(f"Outside training, per trial, in one default study of {max(outside)} trials: {costs}.")
    return "\n\n".join(parts) + "\n"


def table_of_races(raced: Sequence[RacedStudy]) -> str:
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


@dataclass(frozen=True)
class PeerStudy:
    """One study of the peer or of ours: what it cost, and the test error of its winner, a mean over fresh seeds.

    epochs: trained over all trials. seconds: wall time of the search. family: of the winner.
    """

    study: str
    search_seed: int
    trials: int
    epochs: float
    seconds: float
    family: str
    test_error: float


def table_of_peers(theirs: Sequence[PeerStudy], ours: Sequence[PeerStudy]) -> str:
    """Markdown: each side, and how ours differs from theirs, in pairs of the same search seed."""
    lines = []
    for side in (theirs, ours):
        epochs, seconds = ([getattr(study, name) for study in side] for name in ("epochs", "seconds"))
        means = map(mean_interval, (epochs, seconds, [100 * (1 - study.test_error) for study in side]))
        lines.append([side[0].study, str(len(side)), str(side[0].trials), *(f"{one:.2f}" for one in means)])
    pairs = list(zip(theirs, ours, strict=True))
    fewer = mean_interval([our.epochs - their.epochs for their, our in pairs])
    faster = mean_interval([their.seconds / our.seconds for their, our in pairs])
    better = mean_interval([100 * (their.test_error - our.test_error) for their, our in pairs])
    lines.append(["difference", str(len(pairs)), "", f"{fewer:+.2f}", f"{faster:.2f} times as fast", f"{better:+.2f}"])
    return table(["study", "n", "trials", "epochs", "seconds", "test accuracy of the winner"], lines)

"""The tables of whole studies, compared with the tutorial loop or a peer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from study.analysis.statistics import mean_interval
from study.evidence.speed.studies import RacedStudy
from study.reports.markdown import table


def page_of_races(raced: Sequence[RacedStudy], outside: Mapping[int, float], trials: int, confirm_seeds: int) -> str:
    """Markdown. outside: seconds outside training per trial, by position in a long study; may be empty."""
    parts = [
        f"Studies of {trials} trials on the CPU, excluding the start of Python and making the data; winners evaluated "
        f"on test over {confirm_seeds} fresh training seeds. Mean [95 % BCa bootstrap interval]; comparisons with the "
        "first study are paired by search seed. *Outside training*: choosing the engine, sampling, SQLite, reporting.",
        table_of_races(raced),
    ]
    if outside:
        costs = ", ".join(f"{1000 * seconds:.1f} ms at trial {trial}" for trial, seconds in outside.items())
        parts.append(f"Time outside training per trial, in one default study of {max(outside)} trials: {costs}.")
    return "\n\n".join(parts) + "\n"


def table_of_races(raced: Sequence[RacedStudy]) -> str:
    """Markdown, one line per study: its time and its winner, compared with the first."""
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
        "speedup",
        "test accuracy of the winner, %",
        "points better",
        "outside training",
    ]
    return table(heads, lines)


@dataclass(frozen=True)
class PeerStudy:
    """One study of the peer or of ours: its cost, and the test error of its winner, averaged over fresh seeds.

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
    """Markdown: both sides, and the difference between ours and theirs, paired by search seed."""
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

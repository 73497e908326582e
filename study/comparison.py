"""Ways of searching, compared: the table and the figure, from the figures of their studies."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib import style
from matplotlib.figure import Figure

from study.statistics import Interval, mean_interval
from study.style import LOOK, SAVE


@dataclass(frozen=True)
class Row:
    """One study: its arm and search seed, what it cost, and how good its winner is.

    epochs: trained over all trials and rungs. training_seconds: without sampling and storage. val_error: of the winner,
    as the search saw it. test_error: of the winner, the mean over fresh training seeds. commit: of the code that ran.
    """

    arm: str
    search_seed: int
    trials: int
    epochs: float
    training_seconds: float
    family: str
    val_error: float
    test_error: float
    commit: str | None


def of_arm(rows: Sequence[Row], arm: str) -> list[Row]:
    """The rows of one arm, by search seed."""
    return sorted((row for row in rows if row.arm == arm), key=lambda row: row.search_seed)


def accuracy(rows: Sequence[Row]) -> Interval:
    """Test accuracy in points."""
    return mean_interval([100 * (1 - row.test_error) for row in rows])


def gain(rows: Sequence[Row], reference: Sequence[Row]) -> Interval:
    """Test accuracy over the reference's, in points, in pairs of the same search seed."""
    return mean_interval(
        [100 * (other.test_error - row.test_error) for row, other in zip(rows, reference, strict=True)]
    )


def table(rows: Sequence[Row], arms: Sequence[str], full_epochs: int) -> str:
    """Markdown: per arm the test accuracy of its winners, the paired differences to the first two arms, and its cost.

    full_epochs: what a study costs whose trials all run to their end.
    """
    references = arms[:2]
    heads = ["arm", "n", "test accuracy", *(f"difference to {arm}" for arm in references)]
    heads += [f"epochs of {full_epochs}", "training seconds"]
    lines = [heads, ["---"] * len(heads)]
    for arm in arms:
        own = of_arm(rows, arm)
        found = accuracy(own)
        gains = ["-" if other == arm else signed(gain(own, of_arm(rows, other))) for other in references]
        epochs = mean_interval([row.epochs for row in own]).mean
        seconds = mean_interval([row.training_seconds for row in own]).mean
        cost = [f"{epochs:.0f} ({epochs / full_epochs:.0%})", f"{seconds:.1f}"]
        lines.append([arm, str(found.n), f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}]", *gains, *cost])
    return markdown(lines)


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """The lines of a Markdown table."""
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def signed(difference: Interval) -> str:
    """A difference and its interval, with signs."""
    return f"{difference.mean:+.2f} [{difference.low:+.2f}, {difference.high:+.2f}]"


def draw(rows: Sequence[Row], arms: Sequence[str], full_epochs: int, compared: str) -> bytes:
    """A PNG: test accuracy of each study's winner against the epochs it cost, and the mean of each arm."""
    with style.context(["default", LOOK]):
        figure = Figure(figsize=(6.5, 3.4), dpi=160, layout="constrained")
        axes = figure.subplots()
        for number, arm in enumerate(arms):
            own = of_arm(rows, arm)
            share = [100 * row.epochs / full_epochs for row in own]
            color, middle, found = f"C{number}", mean_interval(share).mean, accuracy(own)
            axes.scatter(share, [100 * (1 - row.test_error) for row in own], s=9, alpha=0.35, color=color, linewidths=0)
            error = [[found.mean - found.low], [found.high - found.mean]]
            axes.errorbar(middle, found.mean, error, fmt="o", markersize=6, capsize=4, color=color, label=arm)
        axes.set(xlabel="epochs trained (% of those without pruning)", ylabel="test accuracy of the winner (%)")
        axes.set_xlim(left=0)
        axes.legend(title=f"{compared}: mean and 95 % interval", loc="lower right")
        picture = io.BytesIO()
        figure.savefig(picture, **SAVE)
    return picture.getvalue()

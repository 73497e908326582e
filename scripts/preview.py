"""Show learning-rate schedules without training.

Examples:
  python scripts/preview.py                         # draw samples of every family in results/gallery.png
  python scripts/preview.py cosine --peak-lr 0.1    # one schedule as CSV, with a line per optimizer step
  python scripts/preview.py cosine --help           # what the family does, and its parameters
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Generic, TypeVar

import tyro

from search_spaces import FAMILIES, InputError, Plateau, Schedule, check_families
from search_spaces.errors import require
from study.cli import run, write
from study.reports.gallery import draw_gallery

F = TypeVar("F", bound=Schedule)

LONGEST = 10_000_000
"""The most steps of a run: the lr of all of them is held in memory."""


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """The options if no family is named."""

    gallery: Path = Path("results/gallery.png")
    """The picture to write, a PNG."""


@dataclass(frozen=True, kw_only=True)
class Curve(Generic[F]):
    """Print lr and momentum at each optimizer step of a run, without training.

    The columns: step (from 0), lr, and momentum (SGD's 0.9, unless the schedule moves it).
    """

    schedule: Annotated[F, tyro.conf.OmitArgPrefixes]
    total_steps: int = 1000
    """Optimizer steps in the run, at least 1."""
    losses: Path | None = None
    """plateau only, and needed there: a file of validation losses, one per line, spread evenly over the run."""
    csv: Path | None = None
    """The file to write. None: standard output."""

    def __post_init__(self) -> None:
        require(1 <= self.total_steps <= LONGEST, f"--total-steps must be from 1 to {LONGEST:,}", self.total_steps)


@dataclass(frozen=True, kw_only=True)
class Replay(Plateau):  # noqa: D101  # its help is the family's
    __doc__ = Plateau.__doc__
    evaluations: tyro.conf.Suppress[tyro.conf.Fixed[int]] = 1  # type: ignore[misc]  # counted in the file of losses


def main(arguments: Sequence[str]) -> None:
    """Write the curve of the family named first, or the gallery if none is."""
    if arguments and not arguments[0].startswith("-"):
        [name] = check_families(arguments[:1])
        family = (FAMILIES | {"plateau": Replay})[name]
        options = Curve[family]  # type: ignore[valid-type]  # for tyro, which reads it at run time
        curve = tyro.cli(options, prog=f"preview.py {name}", args=arguments[1:])
        write(curve.csv, csv_lines(curve).encode())
    else:
        description = f"{__doc__}\nFamilies: {', '.join(FAMILIES)}."
        choice = tyro.cli(Gallery, prog="preview.py [FAMILY]", description=description, args=arguments)
        write(choice.gallery, draw_gallery())


def csv_lines(curve: Curve[Schedule]) -> str:
    """All lines of the file; raises InputError for a run or losses that do not go with the schedule."""
    schedule, total_steps, losses = curve.schedule, curve.total_steps, []
    if isinstance(schedule, Plateau):
        if curve.losses is None:
            raise InputError("plateau observes validation losses: give --losses FILE, with one per line")
        losses = read_losses(curve.losses)
        schedule = replace(schedule, evaluations=len(losses))
        require(len(losses) <= total_steps, f"{len(losses)} losses need at least as many --total-steps", total_steps)
    elif curve.losses is not None:
        raise InputError(f"{schedule.family} does not observe losses: leave out --losses")
    rows = enumerate(schedule.simulate(total_steps, losses))
    return "step,lr,momentum\n" + "".join(f"{step},{lr!r},{momentum!r}\n" for step, (lr, momentum) in rows)


def read_losses(path: Path) -> list[float]:
    """One number per line; raises InputError for a file that cannot be read, is empty or holds anything else."""
    try:
        lines = path.read_text(errors="replace").rstrip().splitlines()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}. Give --losses a FILE of one loss per line") from error
    if not lines:
        raise InputError(f"{path} is empty. Give --losses a FILE of one loss per line")
    return [read_loss(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1)]


def read_loss(text: str, place: str) -> float:
    """The number that the text says; raises InputError if it says none, or none that is finite."""
    try:
        loss = float(text)
    except ValueError:
        loss = math.nan
    require(math.isfinite(loss), f"{place}: a validation loss must be a finite number", text)
    return loss


if __name__ == "__main__":
    run(lambda: main(sys.argv[1:]))

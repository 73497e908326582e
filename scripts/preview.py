"""Preview learning-rate schedules without training: a picture of every family, or one schedule as CSV.

Examples:
    python scripts/preview.py                        # the picture
    python scripts/preview.py cosine --peak-lr 0.1   # CSV, a line per step
    python scripts/preview.py cosine --help          # one family
"""

from __future__ import annotations

import study.early  # noqa: F401

import inspect
import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, make_dataclass
from pathlib import Path

from search_spaces import EVERY_FAMILY, FAMILIES, InputError, Schedule, check_families
from search_spaces.errors import require
from study.cli import run, write
from study.flag_parser import read_flags

LONGEST = 10_000_000
"""The most steps of a run: the lr of all of them is held in memory."""


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """The options if no family is named."""

    gallery: Path = Path("results/gallery.png")
    """The PNG to write."""
    families: tuple[str, ...] = tuple(FAMILIES)
    """Families to draw."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "families", tuple(check_families(self.families)))


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The options besides the schedule, if a family is named."""

    schedule: Schedule
    total_steps: int = 1000
    """Optimizer steps of the run."""
    losses: Path | None = None
    """plateau and greedy only, required there: a file of validation losses, one per line, spread over the run."""
    csv: Path | None = None
    """The file to write. Default: standard output."""

    def __post_init__(self) -> None:
        require(1 <= self.total_steps <= LONGEST, f"--total-steps must be from 1 to {LONGEST:,}", self.total_steps)


def replayed(family: type[Schedule]) -> type[Schedule]:
    """The family without the flag `--evaluations`, if it has one: they are counted in the file of losses."""
    if not family.evaluations:
        return family
    counted = [("evaluations", int, field(default=1, init=False))]
    named = {"__doc__": family.__doc__}
    return make_dataclass(family.__name__, counted, bases=(family,), namespace=named, frozen=True, kw_only=True)


def curve_of(family: type[Schedule]) -> type[Curve]:
    """The options of a curve of this family: its parameters are listed first."""
    own = [one.name for one in (*fields(family), *fields(Curve)) if one.init and one.name != "schedule"]
    schedule = [("schedule", family)]
    return make_dataclass("Options", schedule, bases=(Curve,), namespace={"common": own}, frozen=True, kw_only=True)


CSV = """The CSV has three columns: step (from 0), lr, and momentum (SGD's 0.9, unless the schedule changes it)."""


def main(words: Sequence[str]) -> None:
    """Write the curve of the family named first, or the gallery if none is."""
    if words and not words[0].startswith("-"):
        [name] = check_families(words[:1])
        family = replayed(EVERY_FAMILY[name])
        about = re.sub(r"^(?=lr)", " " * 4, inspect.cleandoc(family.__doc__ or ""), flags=re.MULTILINE)
        curve = read_flags(curve_of(family), words[1:], f"preview.py {name}", f"{about}\n\n{CSV}")
        write(curve.csv, csv_lines(curve).encode())
    else:
        description = f"{__doc__}\nFamilies: {', '.join(EVERY_FAMILY)}."
        choice = read_flags(Gallery, words, "preview.py [FAMILY]", description)
        from study.reports.gallery import draw_gallery  # loads matplotlib: after the flags

        write(choice.gallery, draw_gallery(choice.families))


def csv_lines(curve: Curve) -> str:
    """All lines of the file; raises InputError if the run or the losses do not fit the schedule."""
    schedule, total_steps, losses = curve.schedule, curve.total_steps, []
    if schedule.evaluations:
        if curve.losses is None:
            raise InputError(f"{schedule.family} observes validation losses: give --losses FILE, with one per line")
        losses = read_losses(curve.losses)
        given = {one.name: getattr(schedule, one.name) for one in fields(schedule) if one.init}
        given["evaluations"] = len(losses)
        schedule = EVERY_FAMILY[schedule.family](**given)
        require(len(losses) <= total_steps, f"{len(losses)} losses need at least as many --total-steps", total_steps)
    elif curve.losses is not None:
        raise InputError(f"{schedule.family} does not observe losses: remove --losses {curve.losses}")
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
    """The number that the text holds; raises InputError if it is not a finite one."""
    try:
        loss = float(text)
    except ValueError:
        loss = math.nan
    require(math.isfinite(loss), f"{place}: a validation loss must be a finite number", text)
    return loss


if __name__ == "__main__":
    run(lambda: main(sys.argv[1:]))

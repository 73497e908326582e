"""Find the schedule for a run that is longer than those of a study, from what the study found.

Examples:
    python scripts/extend.py --study mnist1d-mlp-sgd-20-epochs --epochs 200
    python scripts/extend.py --study mnist1d-mlp-sgd-20-epochs --epochs 200 --runs 3 --confirm-seeds 8
    python scripts/extend.py --study mnist1d-mlp-sgd-20-epochs --epochs 200 --runs 0    # advice only

The same command again trains no run that the study has.
"""

from __future__ import annotations

import study.early  # noqa: F401

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from search_spaces.errors import InputError
from study.cli import plain_console, quick_imports, run_command
from study.flags import Shown
from study.search.configuration import check_longer_runs
from study.storage.url import DEFAULT_STORAGE
from study.workloads.options import DATA_ROOT


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    study: str
    """Name of the study."""
    epochs: int | None = None
    """Epochs of the longer run: at most ten times those of the study's full runs."""
    steps: int | None = None
    """Its optimizer steps, if the study's budget is in steps."""
    runs: int = 1  # results/search/extensions-5-20.md
    """Runs to train: 1 for the recommended schedule, 2 or 3 for as many of the best ones, 0 for advice only."""
    confirm_seeds: int = 0
    """Fresh seeds with which the chosen schedule is trained again, for a mean with its interval."""
    output: Path | None = None
    """File for the code of the schedule. Default: it is printed."""
    storage: Annotated[str, Shown(metavar="URL")] = DEFAULT_STORAGE
    """Database that keeps the study."""
    data_root: Path = DATA_ROOT
    """Directory for datasets that are downloaded or generated."""
    trust: bool = False
    """Run the command or functions that the study names, even if nobody typed them in this folder: read them first."""

    def __post_init__(self) -> None:
        given = sum(budget is not None for budget in (self.epochs, self.steps))
        if given != 1:
            raise InputError(f"give --epochs or --steps, but {'both were' if given else 'neither was'} given")
        check_longer_runs(self.runs, self.confirm_seeds)


def main(options: Options) -> None:
    """Advise, train, and write the code."""
    with quick_imports():  # these load torch and Optuna: after the flags
        from study.shown import extend_and_show
        from study.storage.studies import read_study

    record = read_study(options.storage, options.study)
    unit = record.settings.unit
    budget = options.epochs if unit == "epochs" else options.steps
    if budget is None:
        raise InputError(f"the budget of study {record.name!r} is in {unit}: give --{unit}")
    repeats, where = (options.runs, options.confirm_seeds), (options.data_root, options.output)
    extend_and_show(record, options.storage, budget, *repeats, plain_console(), *where, options.trust)


if __name__ == "__main__":
    run_command(Options, main)

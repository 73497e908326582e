"""Train a stored trial again from what the database holds, and print stored and reproduced values.

python scripts/reproduce.py --study mnist1d-mlp-sgd-20-epochs --trial 44
Exit code 0 if they are equal to the last bit, 1 if they are not.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from study.api import DATA_ROOT, reproduce_and_show
from study.cli import plain_console, run_command
from study.storage.url import DEFAULT_STORAGE


@dataclass(frozen=True)
class Options:
    """Train a stored trial again, and compare."""

    study: str
    """Name of the study."""
    trial: int
    """Number of the trial."""
    storage: str = DEFAULT_STORAGE
    """Database that keeps the study."""
    data_root: Path = DATA_ROOT
    """Directory for downloaded data sets."""


def main(options: Options) -> None:
    """Train it again, and say what differs."""
    if not reproduce_and_show(options.storage, options.study, options.trial, options.data_root, plain_console()):
        sys.exit(1)


if __name__ == "__main__":
    run_command(Options, main)

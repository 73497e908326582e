"""Train a stored trial again from what the database holds, and print stored and reproduced values.

python scripts/reproduce.py --study mnist1d-mlp-sgd-20-epochs --trial 44
Exit code 0 if they are equal to the last bit, 1 if they are not.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from study.api import DATA_ROOT, reproducing
from study.cli import plain_console, run_command
from study.machine import choose_device, torch_threads
from study.storage.provenance import present_session
from study.storage.studies import read_study
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
    console = plain_console()
    record = read_study(options.storage, options.study)
    trial = record.trial(options.trial)
    trained = record.session_of(trial)
    with torch_threads(trained.threads):
        runs = reproducing(record, trial, options.data_root)
        different = trained.differences(present_session(choose_device(record.settings.device)))
        for difference in different:
            console.print(f"note: not as when the trial ran: {difference}")
        console.print(f"Trial {trial.number} of {record.name}, {trial.family}:")
        equal = True
        for one in runs:
            equal = equal and one.stored == one.found
            together = f", trained {one.cohort} together" if one.cohort > 1 else ""
            said = "equal" if one.stored == one.found else "they differ"
            console.print(f"  {one.epochs} epochs{together}: stored {one.stored!r}, reproduced {one.found!r}: {said}")
    if equal:
        console.print("Reproduced to the last bit.")
    else:
        reason = "see the notes above" if different else "the machine differs in something that no record holds"
        console.print(f"Not reproduced to the last bit: {reason}.")
        sys.exit(1)


if __name__ == "__main__":
    run_command(Options, main)

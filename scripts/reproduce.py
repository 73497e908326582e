"""Train a stored trial again, and compare the stored values with those found now.

Examples:
    python scripts/reproduce.py --study mnist1d-mlp-sgd-20-epochs --trial 44

Exit code 0 if they are bit-identical, 1 if they are not.
"""

from __future__ import annotations

import study.early  # noqa: F401

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from study.cli import plain_console, quick_imports, run_command
from study.flags import Shown
from study.storage.url import DEFAULT_STORAGE
from study.workloads.options import DATA_ROOT


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    study: str
    """Name of the study."""
    trial: int
    """Number of the trial."""
    storage: Annotated[str, Shown(metavar="URL")] = DEFAULT_STORAGE
    """Database that keeps the study."""
    data_root: Path = DATA_ROOT
    """Directory for datasets that are downloaded or generated."""
    trust: bool = False
    """Run the command or functions that the study names, even if nobody typed them in this folder: read them first."""


def main(options: Options) -> None:
    """Train it again, and print what differs."""
    with quick_imports():  # these load torch and Optuna: after the flags
        import torch

        from study.assembly import reproducing
        from study.machine import choose_device, torch_threads
        from study.objective import length_in_words
        from study.storage.checks import enumerated
        from study.storage.provenance import present_session
        from study.storage.studies import read_study

    console = plain_console()
    record = read_study(options.storage, options.study)
    trial = record.trial(options.trial)
    trained = record.session_of(trial)
    with torch_threads(trained.threads):
        runs = reproducing(record, trial, options.data_root, options.trust)
        elsewhere = record.settings.device == "cuda" and not torch.cuda.is_available()  # actors have the GPUs
        now = present_session(choose_device("cpu" if elsewhere else record.settings.device))
        different = trained.differences(replace(now, device=trained.device) if elsewhere else now)
        for difference in different:
            console.print(f"note: not as when the trial ran: {difference}")
        console.print(f"Trial {trial.number} of {record.name}, {trial.family}:")
        equal = True
        for one in runs:
            equal = equal and one.stored == one.found
            together = f", trained {one.cohort} together" if one.cohort > 1 else ""
            verdict = "equal" if one.stored == one.found else "they differ"
            values = f"stored {one.stored!r}, reproduced {one.found!r}"
            length = length_in_words(one.epochs, record.settings.unit)
            console.print(f"  {length}{together}: {values}: {verdict}")
    if equal:
        console.print("Reproduced to the last bit.")
    else:
        reason = "this machine differs in something that is not recorded"
        if "made_of" not in record.stored:
            reason = "the study has no record of your files and the model, which may have changed, or " + reason
        reason = "see the notes above" if different else reason
        if changed := record.changed_after(trial):
            reason = f"{enumerated(changed)} changed after this trial, and --accept-changes was given"
        console.print(f"Not reproduced to the last bit: {reason}.")
        sys.exit(1)


if __name__ == "__main__":
    run_command(Options, main)

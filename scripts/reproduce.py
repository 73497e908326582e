"""Train a stored trial again from what the database holds, and print stored and reproduced values.

python scripts/reproduce.py --study mnist1d-mlp-sgd-20-epochs --trial 44

Exit code 0 where they are equal to the last bit, 1 where they are not.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console

from search_spaces.errors import InputError
from study.cli import DATA_ROOT, choose_device, run_command
from study.search.configuration import Configuration
from study.search.reproduce import reproduce
from study.storage.provenance import differing_versions, provenance
from study.storage.records import session_of, trial_of
from study.storage.studies import read_study
from study.storage.url import DEFAULT_STORAGE
from study.workloads.user_code import sources


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
    """Folder of the data sets that are not made on the spot."""


def main(options: Options) -> None:
    """Train it again, and say what differs."""
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    optuna_study = read_study(options.storage, options.study)
    trial = trial_of(optuna_study, options.trial)
    stored = optuna_study.user_attrs["configuration"]
    session = session_of(optuna_study, trial)
    torch.set_num_threads(session["threads"])
    device = choose_device(stored["device"])
    workload = Configuration.stored(stored).load_workload(options.data_root).to(device)
    if workload.data.fingerprint() != stored["data"]:
        raise InputError(f"the data {stored['dataset']!r} is not what study {options.study!r} was made with")
    changed = sources(*(stored.get(name) for name in ("dataset", "model", "optimizer", "workload")))
    for module in stored.get("sources") or {}:
        if changed.get(module) != stored["sources"][module]:
            raise InputError(f"the file of {module!r} is not what study {options.study!r} was made with")
    different = differing_versions(session, provenance(device))
    for difference in different:
        console.print(f"note: not as when the trial ran: {difference}")
    console.print(f"Trial {trial.number} of {options.study}, {trial.params['family']}:")
    equal = True
    for one in reproduce(optuna_study, trial, workload):
        same = one.stored == one.found
        equal = equal and same
        together = f", trained {one.cohort} together" if one.cohort > 1 else ""
        said = "equal" if same else "they differ"
        console.print(f"  {one.epochs} epochs{together}: stored {one.stored!r}, reproduced {one.found!r}: {said}")
    if equal:
        console.print("Reproduced to the last bit.")
    else:
        reason = "see the notes above" if different else "the machine differs in something that no record holds"
        console.print(f"Not reproduced to the last bit: {reason}.")
        sys.exit(1)


if __name__ == "__main__":
    run_command(Options, main)

"""Search for the best learning-rate schedule: `python scripts/search.py --trials 50`.

Run it again to go on where it was stopped, or with more trials to add to the study.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import optuna
import tyro
from rich.console import Console

from search_spaces.errors import require
from search_spaces.space_file import space_toml
from study.analysis.summary import Tally
from study.cli import DATA_ROOT, choose_device, interruption, run_command
from study.executors.choice import EngineOptions, agree
from study.reports.dashboard.dashboard import Dashboard
from study.reports.progress import Display
from study.reports.terminal import audit_shown, family_table, insight, no_winner, winner_shown
from study.search.configuration import Configuration
from study.search.enqueue import read_known
from study.search.search import search
from study.storage.provenance import differing_versions, provenance
from study.storage.records import finished_trials
from study.storage.studies import open_study
from study.storage.study_record import StudyRecord
from study.storage.url import DEFAULT_STORAGE, dashboard_command, shown


@dataclass(frozen=True)
class Options:
    """Search for the best learning-rate schedule with an Optuna study over families and their parameters."""

    configuration: Annotated[Configuration, tyro.conf.OmitArgPrefixes]
    """What is searched, on what, and how."""
    engine: Annotated[EngineOptions, tyro.conf.OmitArgPrefixes]
    """How runs are trained."""
    trials: int = 50
    """Search until the study holds so many finished trials."""
    study: str | None = None
    """Name of the study. None: made of dataset, model, optimizer and epochs."""
    enqueue: tuple[str, ...] = ()
    """Known schedules to try first: files that `export.py --format json` writes, or study:NAME for its winner."""
    storage: str = DEFAULT_STORAGE
    """Database that keeps the study."""
    device: str = "auto"
    """auto (CUDA where there is one), cpu or cuda."""
    data_root: Path = DATA_ROOT
    """Folder of the data sets that are not made on the spot."""
    print_space: bool = False
    """Print the search space in force as a file for --space, and end."""

    def __post_init__(self) -> None:
        require(self.trials >= 1, "--trials must be at least 1", self.trials)


def main(options: Options) -> None:
    """Open the study, search, and print what was found, also when interrupted."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    configuration = options.configuration
    device = choose_device(options.device)
    workload = configuration.make_workload(options.data_root).to(device)
    if options.print_space:
        ranges = configuration.space_file.ranges
        console.print(space_toml(configuration.families, workload.peak_lr, ranges), end="")
        return
    known = read_known(options.enqueue, options.storage, partial(configuration.suggest, workload=workload))
    least = max(1, len(known))
    require(options.trials >= least, f"--trials must be at least {least}, to try what is enqueued", options.trials)
    resolved = configuration.resolved(workload) | ({"enqueued": known} if known else {})
    name = options.study or configuration.study_name
    attributes = {"group": name, **workload.attributes()}
    session = provenance(device)
    if workload.data.about:
        console.print(f"Data: {workload.data.about}")
    with open_study(options.storage, name, resolved, attributes, session) as optuna_study:
        for difference in differing_versions(optuna_study.user_attrs["sessions"][0], session):
            console.print(f"note: not as when the study began, so the last bits may differ: {difference}")
        done = len(finished_trials(optuna_study))
        if done >= options.trials:
            console.print(f"Study {name!r} already holds {done} finished trials: nothing is left to do.")
        else:
            console.print(f"Study {name!r}: {workload.name} on {session['device']}, kept in {shown(options.storage)}")
            if known:
                console.print(f"Known schedules, tried first: {', '.join(one['family'] for one in known)}")
        engine, reason = agree(optuna_study, options.engine, workload, configuration)
        console.print(f"Engine: {engine} ({reason})")
        try:
            with (
                interruption() as interrupted,
                Dashboard(optuna_study, options.storage) as dashboard,
                Display(console, partial(StudyRecord.of, optuna_study), configuration, options.trials) as display,
            ):
                trials = options.trials
                attach = dashboard.attach
                for generation in search(optuna_study, workload, configuration, engine, trials, interrupted, attach):
                    display.update(generation)
                    dashboard.update(generation)
        except KeyboardInterrupt:
            console.print("Interrupted: everything finished is kept; the same command goes on.")
            print_result(console, StudyRecord.of(optuna_study), options.storage)
            raise
        if dashboard.artifacts.problem:
            console.print(f"note: {dashboard.artifacts.problem}")
        print_result(console, StudyRecord.of(optuna_study), options.storage)


def print_result(console: Console, study: StudyRecord, storage: str) -> None:
    """The table of families, what else was learnt, the winner and its code, and where to look next."""
    console.print(family_table(study))
    console.print(f"{Tally.of(study).text}.\n")
    for part in (*insight(study), *audit_shown(study)):
        console.print(part, "")
    console.print(winner_shown(study, study.best) if study.best else no_winner(study))
    console.print(f"\nBrowse the trials: {dashboard_command(storage)}")


if __name__ == "__main__":
    run_command(Options, main)

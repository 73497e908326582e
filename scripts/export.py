"""Take a schedule out of a study, as code that depends on nothing of this project or as JSON.

python scripts/export.py --study mnist1d-mlp-sgd-20-epochs                     # the winner, in PyTorch
python scripts/export.py --study mnist1d-mlp-sgd-20-epochs --family cosine --format lightning --output schedule.py
python scripts/export.py --study mnist1d-mlp-sgd-20-epochs --trial 44 --format json --output schedule.json
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import optuna

from search_spaces import check_families
from search_spaces.errors import InputError, require, unknown
from search_spaces.export import FORMATS
from search_spaces.schedule_file import as_written
from study.analysis.summary import best_by_family
from study.cli import run_command, write
from study.reports.schedule_origin import as_comment, exported, origin
from study.storage.studies import read_study
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord
from study.storage.url import DEFAULT_STORAGE


@dataclass(frozen=True)
class Options:
    """Take a schedule out of a study: its winner, the best of a family, or any trial."""

    study: str
    """Name of the study."""
    trial: int | None = None
    """Number of the trial. None: the best one that ran to its end."""
    family: str | None = None
    """Family whose best trial is taken."""
    format: str = "torch"
    """torch, lightning or transformers: code; json: what `search.py --enqueue` reads."""
    output: Path | None = None
    """Where it goes. None: to standard output."""
    storage: str = DEFAULT_STORAGE
    """Database that keeps the study."""

    def __post_init__(self) -> None:
        if self.format not in (*FORMATS, "json"):
            raise unknown("format", self.format, [*FORMATS, "json"])
        require(self.trial is None or self.family is None, "give --trial or --family, not both", self.family)
        check_families([self.family] if self.family else ["constant"])


def main(options: Options) -> None:
    """Write it."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = StudyRecord.of(read_study(options.storage, options.study))
    trial = chosen_trial(study, options)
    found = origin(study, trial)
    if options.format == "json":
        text = json.dumps({**as_written(trial.params), "provenance": found}, indent=2, allow_nan=False)
    else:
        text = f"{as_comment(found)}\n{FORMATS[options.format](exported(study, trial))}"
    write(options.output, f"{text}\n".encode())


def chosen_trial(study: StudyRecord, options: Options) -> TrialRecord:
    """The trial that is meant; raises InputError if there is none."""
    if options.trial is not None:
        return study.trial(options.trial)
    best = best_by_family(study).get(options.family) if options.family else study.best
    if best is None:
        which = f" of family {options.family!r}" if options.family else ""
        raise InputError(f"no trial{which} of study {options.study!r} has run to its end: name one with --trial")
    return best


if __name__ == "__main__":
    run_command(Options, main)

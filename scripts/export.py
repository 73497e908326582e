"""Export a schedule from a study: as code that does not need this project, or as JSON.

Examples:
    python scripts/export.py --study NAME    # the winner, in PyTorch
    python scripts/export.py --study NAME --family cosine --format lightning
    python scripts/export.py --study NAME --format json --output schedule.json
"""

from __future__ import annotations

import study.early  # noqa: F401

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from search_spaces import check_families
from search_spaces.errors import InputError, unknown
from search_spaces.export import FORMATS, prolonging_code
from study.cli import run_command, write
from study.flags import Shown
from study.storage.url import DEFAULT_STORAGE

if TYPE_CHECKING:
    from study.storage.study_record import StudyRecord
    from study.storage.trial_record import TrialRecord


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    study: str
    """Name of the study."""
    trial: int | None = None
    """Number of the trial. Default: the one that the answer recommends, or the best full run if it is unconfirmed."""
    family: str | None = None
    """Family whose best trial is exported."""
    format: str = "torch"
    """torch, lightning or transformers: code; json: a file for search.py --enqueue."""
    output: Path | None = None
    """File to write. Default: standard output."""
    storage: Annotated[str, Shown(metavar="URL")] = DEFAULT_STORAGE
    """Database that keeps the study."""

    def __post_init__(self) -> None:
        if self.format not in (*FORMATS, "json"):
            raise unknown("format", self.format, [*FORMATS, "json"])
        if self.trial is not None and self.family is not None:
            raise InputError(f"give --trial or --family, but not both: remove --family {self.family}")
        if self.family is not None:
            check_families([self.family])


def main(options: Options) -> None:
    """Write it."""
    import optuna  # these load it: after the flags

    from search_spaces.schedule_file import as_written
    from study.analysis.own_schedule import known_length
    from study.reports.schedule_origin import as_comment, check_exportable, exported, origin
    from study.storage.studies import read_study

    optuna.logging.set_verbosity(optuna.logging.ERROR)  # of what is damaged, our message says it
    study = read_study(options.storage, options.study)
    trial = chosen_trial(study, options)
    check_exportable(study, trial)
    if options.format == "json":
        written = {**as_written(trial.params), "provenance": origin(study, trial)}
        text = json.dumps(written, indent=2, allow_nan=False)
    else:
        what = exported(study, trial)
        code = f"{as_comment(study, trial)}\n{FORMATS[options.format](what)}"
        seen = known_length(study)[1] == "steps"
        text = f"{code}\n\n{prolonging_code(what, study.total_steps)}" if seen else code
    write(options.output, f"{text}\n".encode())


def chosen_trial(study: StudyRecord, options: Options) -> TrialRecord:
    """The trial that the options select; raises InputError if it does not exist."""
    from study.analysis.answer import recommended  # loads scipy: after the flags

    if options.trial is not None:
        return study.trial(options.trial)
    if options.family is None and (answered := recommended(study)):
        return answered
    own = [trial for trial in study.searched if options.family in (None, trial.family)]
    best = next(iter(study.ranked(own)), None)
    if best is None:
        which = f" of family {options.family!r}" if options.family else ""
        raise InputError(f"no trial{which} of study {options.study!r} ran to the end: choose one with --trial")
    return best


if __name__ == "__main__":
    run_command(Options, main)

"""Write the report of a study or a benchmark to results/NAME/: report.md, report.html, figures, CSV and manifest.

python scripts/report.py --study mnist1d-mlp-sgd-20-epochs
python scripts/report.py --rebuild results/NAME          # from its own CSV, without the database
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import optuna

from search_spaces.errors import require
from study.cli import run_command
from study.reports.report import rebuild, write_report
from study.storage.studies import read_studies
from study.storage.study_record import StudyRecord
from study.storage.url import DEFAULT_STORAGE, make_folder


@dataclass(frozen=True)
class Options:
    """Write the report of a study or a benchmark."""

    study: str | None = None
    """Name of the study, or of the benchmark."""
    rebuild: Path | None = None
    """Folder of a report to make again from its own trials.csv, curves.csv and manifest.json."""
    storage: str = DEFAULT_STORAGE
    """Database that keeps the study."""
    output: Path | None = None
    """Folder of the report. None: results/NAME."""

    def __post_init__(self) -> None:
        require((self.study is None) != (self.rebuild is None), "give --study NAME, or --rebuild FOLDER", self.study)


def main(options: Options) -> None:
    """Write it, and say where."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if options.rebuild:
        folder = options.rebuild
        rebuild(folder)
    else:
        assert options.study is not None
        studies = [StudyRecord.of(one) for one in read_studies(options.storage, options.study)]
        folder = options.output or Path("results") / re.sub(r"[^\w.-]", "_", options.study)
        make_folder(folder)
        write_report(studies, folder)
    print(f"{folder / 'report.md'}\n{folder / 'report.html'}")


if __name__ == "__main__":
    run_command(Options, main)

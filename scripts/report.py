"""Write the report of a study or a benchmark: report.md, report.html, figures, CSV files and a manifest.

Examples:
    python scripts/report.py --study mnist1d-mlp-sgd-20-epochs
    python scripts/report.py --rebuild results/NAME    # from its CSV files
"""

from __future__ import annotations

import study.early  # noqa: F401

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from search_spaces.errors import InputError
from study.cli import quick_imports, run_command, visible
from study.flags import Shown
from study.storage.url import DEFAULT_STORAGE, folder_name, make_folder


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    study: str | None = None
    """Name of the study or the benchmark."""
    rebuild: Path | None = None
    """Folder of a report to write again from its own trials.csv, curves.csv and manifest.json."""
    storage: Annotated[str, Shown(metavar="URL")] = DEFAULT_STORAGE
    """Database that keeps the study."""
    output: Path | None = None
    """Folder for the report. Default: results/NAME."""

    def __post_init__(self) -> None:
        if (self.study is None) == (self.rebuild is None):
            given = "both were given" if self.study else "neither was given"
            raise InputError(f"give --study NAME or --rebuild FOLDER, but {given}")


def main(options: Options) -> None:
    """Write it, and print where it is."""
    with quick_imports():  # these load Optuna and matplotlib: after the flags
        import optuna

        from study.reports.report import rebuild, write_report
        from study.storage.studies import read_studies

    optuna.logging.set_verbosity(optuna.logging.ERROR)  # of what is damaged, our message says it
    if options.rebuild:
        folder = options.rebuild
        rebuild(folder)
    else:
        assert options.study is not None
        studies = read_studies(options.storage, options.study)
        folder = options.output or Path("results") / folder_name(options.study)
        make_folder(folder)
        write_report(studies, folder)
    print(visible(f"{folder / 'report.md'}\n{folder / 'report.html'}"))


if __name__ == "__main__":
    run_command(Options, main)

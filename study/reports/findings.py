"""What a study, or a comparison of families, has found: for notebooks, as values, a table, code and a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from search_spaces import Schedule
from search_spaces.errors import InputError, unknown
from search_spaces.export import FORMATS
from study.reports.schedule_origin import exported
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Findings:
    """What a study has found. record: all of it, as typed values."""

    record: StudyRecord

    def __repr__(self) -> str:
        best = self.record.best
        found = f"{best.schedule}, {self.record.value_name} {best.value:.4f}" if best else "no full run yet"
        return f"<{type(self).__name__} of study {self.record.name!r}: {len(self.record.trials)} trials; {found}>"

    @property
    def best(self) -> TrialRecord:
        """The best of the trials that ran to their end; raises InputError if there is none."""
        if self.record.best is None:
            raise InputError(f"study {self.record.name!r} has no winner: none of its trials has run to its end")
        return self.record.best

    @property
    def schedule(self) -> Schedule:
        """The best schedule: `schedule.build(optimizer, total_steps)` makes the scheduler for a run of yours."""
        return self.best.schedule

    @property
    def trials(self) -> pd.DataFrame:
        """A row for each finished trial, see `trials_table`."""
        return trials_table(self.record)

    def code(self, format: str = "torch", trial: int | None = None) -> str:
        """The best schedule, or that of another trial, as code that needs nothing of this project.

        format: torch, lightning or transformers.
        """
        if format not in FORMATS:
            raise unknown("format", format, FORMATS)
        chosen = self.best if trial is None else self.record.trial(trial)
        return FORMATS[format](exported(self.record, chosen))

    def report(self, folder: str | Path) -> Path:
        """Write the report with its data and figures into the folder; returns the path of report.html."""
        return report_of([self.record], Path(folder))


@dataclass(frozen=True, repr=False)
class Comparison:
    """What a comparison of families has found. studies: one for each family and budget, in the order they were made."""

    studies: list[StudyRecord]

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.studies)} studies: {', '.join(record.name for record in self.studies)}>"

    @property
    def results(self) -> dict[tuple[str, int], Findings]:
        """(family, epochs) -> what was found; of repeated searches the first."""
        found: dict[tuple[str, int], Findings] = {}
        for record in self.studies:
            found.setdefault((record.settings.families[0], record.settings.epochs), Findings(record))
        return found

    @property
    def trials(self) -> pd.DataFrame:
        """The trials of all studies; the name of the study is the first level of the index."""
        import pandas as pd  # as below

        return pd.concat({record.name: trials_table(record) for record in self.studies}, names=["study"])

    def report(self, folder: str | Path) -> Path:
        """Write the report with its data and figures into the folder; returns the path of report.html."""
        return report_of(self.studies, Path(folder))


def report_of(studies: Sequence[StudyRecord], folder: Path) -> Path:
    """Write the report with its data and figures into the folder; returns the path of report.html."""
    from study.reports.report import write_report  # loads matplotlib

    write_report(studies, folder)
    return folder / "report.html"


def trials_table(record: StudyRecord) -> pd.DataFrame:
    """A row for each finished trial, by number: what it found, what it cost, and the parameters of its schedule.

    value: the metric at the end of its last run. complete: whether that was the full run. epochs: trained, over all its
    runs. seconds: of training.
    """
    import pandas as pd  # takes a second to load, and most searches show no table

    rows = [
        {
            "value": trial.value,
            "complete": trial.complete,
            "diverged": trial.diverged,
            "epochs": trial.epochs_spent,
            "seconds": trial.seconds,
            **trial.params,
        }
        for trial in record.trials
    ]
    return pd.DataFrame(rows, index=pd.Index([trial.number for trial in record.trials], name="trial"))

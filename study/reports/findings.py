"""The results of a study or a comparison of families for notebooks: values, a table, code and a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from search_spaces import Schedule
from search_spaces.errors import InputError, unknown
from search_spaces.export import FORMATS
from study.analysis.answer import Answer, recommended
from study.analysis.own_schedule import keeps_own_schedule
from study.reports.answer import answer_in_words
from study.reports.measure import validation_measure
from study.reports.schedule_origin import exported
from study.reports.schedule_words import trained_in_words
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Findings:
    """The results of a study. record: all of them, as typed values."""

    record: StudyRecord

    def __repr__(self) -> str:
        best, measure, answer, found = self.record.best, validation_measure(self.record), self.answer, "no full run yet"
        if best:
            own = keeps_own_schedule(self.record)
            schedule = trained_in_words(self.record, best) if own else best.schedule
            found = f"{schedule}, {measure.name} {measure.text(best.value)}"
        found = answer_in_words(self.record, answer) if answer else found
        return f"<{type(self).__name__} of study {self.record.name!r}: {len(self.record.trials)} trials; {found}>"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from study.reports.result_html import result_html  # loads matplotlib and scipy, which a script may not need

        return result_html(self.record)

    @property
    def best(self) -> TrialRecord:
        """The best full run; raises InputError if no trial has finished one."""
        if self.record.best is None:
            raise InputError(f"study {self.record.name!r} has no winner: no trial has finished a full run")
        return self.record.best

    @property
    def schedule(self) -> Schedule:
        """The schedule to use: `schedule.build(optimizer, total_steps)` makes the scheduler for your own run.

        It is the one that the answer recommends, or the best full run's, if the answer was not confirmed. If weight
        decay was searched, it goes with `recommended.weight_decay`. If your script kept its own schedule, only the
        `peak_lr` of this one counts, and `warmup_fraction` if the command names `{warmup_steps}`.
        """
        return self.recommended.schedule

    @property
    def answer(self) -> Answer | None:
        """Which schedule to use, over fresh seeds, beside the reference; None if that was not confirmed."""
        return Answer.of(self.record)

    @property
    def recommended(self) -> TrialRecord:
        """The trial whose schedule to use; raises InputError if no trial has finished a full run."""
        return recommended(self.record) or self.best

    @property
    def trials(self) -> pd.DataFrame:
        """A row for each finished trial, see `trials_table`."""
        return trials_table(self.record)

    def code(self, format: str = "torch", trial: int | None = None) -> str:
        """The schedule to use, or that of another trial, as code that needs nothing of this project.

        format: torch, lightning or transformers. Raises InputError if your script kept its own schedule.
        """
        if format not in FORMATS:
            raise unknown("format", format, FORMATS)
        chosen = self.recommended if trial is None else self.record.trial(trial)
        return FORMATS[format](exported(self.record, chosen))

    def report(self, folder: str | Path) -> Path:
        """Write the report with its data and figures into the folder; returns the path of report.html."""
        return report_of([self.record], Path(folder))


@dataclass(frozen=True, repr=False)
class Comparison:
    """The results of a comparison of families. studies: one for each family and budget, in order of creation."""

    studies: list[StudyRecord]

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.studies)} studies: {', '.join(record.name for record in self.studies)}>"

    @property
    def results(self) -> dict[tuple[str, int], Findings]:
        """(family, epochs) -> its results; only the first of repeated searches."""
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
    """A row for each finished trial, in the order in which they were asked: what it found and cost, and its schedule.

    asked: that order, from 1. value: the metric at the end of its last run. complete: whether that was the full run.
    reference: whether it tries a peak of the reference. epochs: trained, over all its runs. seconds: of training.
    """
    import pandas as pd  # takes a second to load, and most searches show no table

    rows = [
        {
            "asked": record.asked[trial.number],
            "value": trial.value,
            "complete": trial.complete,
            "diverged": trial.diverged,
            "reference": trial.is_reference,
            "epochs": trial.epochs_spent,
            "seconds": trial.seconds,
            **trial.params,
        }
        for trial in record.trials
    ]
    return pd.DataFrame(rows, index=pd.Index([trial.number for trial in record.trials], name="trial"))

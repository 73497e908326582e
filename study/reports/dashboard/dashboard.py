"""The note and the figures of a study for optuna-dashboard, updated while the study runs, at little cost."""

from __future__ import annotations

import time
from types import TracebackType

import optuna
from optuna.trial import FrozenTrial

from study.reports.dashboard.artifacts import Artifacts
from study.reports.dashboard.figures import figures
from study.reports.dashboard.note import note
from study.search.bracket import Bracket
from study.storage.damage import first_line
from study.storage.study_record import StudyRecord
from study.storage.unstored import files_of_trials, journal_of, remove_unstored

REFRESH_EVERY = 5.0
"""Seconds between two refreshes, at least."""
SHARE_OF_TIME = 0.01
"""The most that refreshes may take of the time since the start; one that would exceed it waits."""
FIRST_REFRESH = 1.0
"""Seconds that the first refresh is expected to take, most of them for importing scikit-learn; the next one is expected
to take as long as the last one did."""


class Dashboard:
    """Writes the note and the figures of a study: a context, updated with every bracket that `search` yields.

    They are written a last time when the context ends, also after an interruption. artifacts: where those of the trials
    are kept.
    """

    def __init__(self, optuna_study: optuna.Study, storage: str, artifacts: str) -> None:
        self.optuna_study, self.storage = optuna_study, storage
        self.record: StudyRecord | None = None
        self.artifacts = Artifacts(artifacts, journal_of(optuna_study, artifacts))
        self.unwritten: str | None = None
        self.began = self.refreshed = time.monotonic()
        self.spent, self.last_took = 0.0, FIRST_REFRESH
        self.shown = -1

    def __enter__(self) -> Dashboard:
        self.sweep()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind in (None, KeyboardInterrupt):
            self.refresh()
            self.sweep()

    def sweep(self) -> None:
        """Remove files of trials that were not stored, as a kill leaves them."""
        journal = self.artifacts.journal
        if journal and journal.exists():
            remove_unstored(journal, files_of_trials(self.optuna_study))

    @property
    def problem(self) -> str | None:
        """What could not be written, and why."""
        return self.artifacts.problem or self.unwritten

    def attach(self, trial: FrozenTrial) -> FrozenTrial:
        """The trial, which is about to be stored, with its artifacts."""
        began = time.monotonic()
        trial = self.artifacts.attach(trial)
        self.spent += time.monotonic() - began
        return trial

    def update(self, bracket: Bracket) -> None:
        """Refresh, unless the last one was a moment ago or refreshing would exceed its share of the time."""
        now = time.monotonic()
        share = SHARE_OF_TIME * (now - self.began)
        if now - self.refreshed >= REFRESH_EVERY and self.spent + self.last_took <= share:
            self.refresh(bracket)

    def refresh(self, bracket: Bracket | None = None) -> None:
        """Write the note, and the figures if trials have ended since they were last written."""
        from optuna_dashboard import save_note, save_plotly_graph_object  # loads scikit-learn; a search begins before

        began = time.monotonic()
        self.record = study = StudyRecord.of(self.optuna_study, self.record)
        try:
            save_note(self.optuna_study, note(study, self.storage, bracket))
            if len(study.trials) != self.shown:
                self.shown = len(study.trials)
                for name, figure in figures(study).items():
                    save_plotly_graph_object(self.optuna_study, figure, graph_object_id=name)
        except ValueError as error:  # what optuna-dashboard has stored of this study is damaged, but not our records
            self.unwritten = f"the note and the figures could not be written ({first_line(error)})"
        self.refreshed = time.monotonic()
        self.last_took = self.refreshed - began
        self.spent += self.last_took

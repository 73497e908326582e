"""What optuna-dashboard shows of a study besides its trials: kept up to date while the study runs, at little cost."""

from __future__ import annotations

import time
from types import TracebackType

import optuna
from optuna.trial import FrozenTrial
from optuna_dashboard import save_note, save_plotly_graph_object

from study.analysis.summary import Tally, value_name
from study.reports.dashboard.artifacts import Artifacts
from study.reports.dashboard.figures import figures
from study.reports.dashboard.note import note
from study.search.bracket import Bracket
from study.storage.url import artifact_folder

REFRESH_EVERY = 5.0
"""Seconds between two refreshes, at least."""
SHARE_OF_TIME = 0.01
"""Of the time since the start: a refresh waits where all until now and the next one would take more."""
FIRST_REFRESH = 0.2
"""Seconds that the first one may take; the next one is taken to be as long as the last one was."""


class Dashboard:
    """Keeps the note and the figures of a study; a context, updated with every generation that `search` yields.

    At its end, also after an interruption, all is brought up to date once more.
    """

    def __init__(self, optuna_study: optuna.Study, storage: str) -> None:
        self.optuna_study, self.storage = optuna_study, storage
        self.copy = optuna.create_study(study_name=optuna_study.study_name, direction=optuna_study.direction)
        self.artifacts = Artifacts(artifact_folder(storage), value_name(optuna_study))
        self.began = self.refreshed = time.monotonic()
        self.spent, self.last_took = 0.0, FIRST_REFRESH
        self.shown = -1

    def __enter__(self) -> Dashboard:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind in (None, KeyboardInterrupt):
            self.refresh()

    def attach(self, trial: FrozenTrial) -> FrozenTrial:
        """A trial that is to be stored, with its artifacts."""
        began = time.monotonic()
        trial = self.artifacts.attach(trial)
        self.spent += time.monotonic() - began
        return trial

    def update(self, generation: Bracket) -> None:
        """Refresh, unless that was done a moment ago or would take more than its share of the time."""
        now = time.monotonic()
        share = SHARE_OF_TIME * (now - self.began)
        if now - self.refreshed >= REFRESH_EVERY and self.spent + self.last_took <= share:
            self.refresh(generation)

    def refresh(self, generation: Bracket | None = None) -> None:
        """Write the note, and the figures where there are trials that they do not show."""
        began = time.monotonic()
        self.catch_up()
        tally = Tally.of(self.copy)
        save_note(self.optuna_study, note(self.copy, tally, self.storage, generation))
        if len(tally.trials) != self.shown:
            self.shown = len(tally.trials)
            for name, figure in figures(self.copy, tally.trials).items():
                save_plotly_graph_object(self.optuna_study, figure, graph_object_id=name)
        self.refreshed = time.monotonic()
        self.last_took = self.refreshed - began
        self.spent += self.last_took

    def catch_up(self) -> None:
        """Bring the copy in memory up to date, without its large attributes.

        Each reading of the stored study's attributes is a query and a copy of them all, some milliseconds long.
        """
        attrs = self.optuna_study.user_attrs
        attrs.pop("unfinished", None)
        attrs["configuration"].pop("space")
        for name, value in (attrs | {"sessions": attrs["sessions"][-1:]}).items():
            self.copy.set_user_attr(name, value)
        known = len(self.copy.get_trials(deepcopy=False))
        self.copy.add_trials(self.optuna_study.get_trials(deepcopy=False)[known:])

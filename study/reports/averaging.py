"""Whether averaged weights are better than raw ones, in a sentence."""

from __future__ import annotations

import math

from study.analysis.averaging import Averaging
from study.reports.measure import validation_measure
from study.storage.study_record import StudyRecord


def averaging_lines(study: StudyRecord) -> list[str]:
    """The better weights of the schedule to use, and how often they were in the search; none if it does not average."""
    found = Averaging.of(study)
    if found is None:
        return []
    measure, seeds = validation_measure(study), found.gain.n
    runs = f"averaged ones were better in {found.better_in} of {found.full_runs} full runs of the search"
    values = f"validation {study.metric.name} {measure.text(found.averaged)} averaged, {measure.text(found.raw)} raw"
    over = f"over {seeds} seeds" if seeds > 1 else "in one run"
    better = "averaged" if found.gain.mean > 0 else "raw"
    if not math.isfinite(found.gain.low):
        verdict = f"{better} ones are better" if found.gain.mean else "equal"
    else:
        verdict = "statistically tied" if found.tied else f"{better} ones are better"
    return [f"Weights: {verdict}, {values}, {over}; {runs}."]

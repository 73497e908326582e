"""What the dashboard's own plots show of our studies: only runs of equal length are compared in one plot.

Optuna gives a pruned trial the value of its last report, and optuna-dashboard draws it in History beside the values of
full runs; it computes importance from the full runs alone, of which a search has few. So the answers of its HTTP API
are changed before they reach the browser, and nothing that is stored: a trial has a value if it ran to its end, and the
importance is the one that the console prints. Our records, which are long, are replaced by what people read.
"""

from __future__ import annotations

import json
from typing import Any

from study.analysis.comparable import comparable
from study.analysis.importance import importance
from study.objective import Unit, length_in_words
from study.reports.dashboard.figures import FIGURES
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord


def shown_study(answer: dict[str, Any], study: StudyRecord) -> dict[str, Any]:
    """The answer to a request for a study, all of its trials or the last ones, as it is shown."""
    attributes = shown_attributes(study)
    trials = {name: [shown_trial(trial, attributes) for trial in answer[name]] for name in ("trials", "best_trials")}
    kinds = {name: is_number(value) for shown in attributes.values() for name, value in shown.items()}
    columns = [{"key": name, "sortable": sortable} for name, sortable in kinds.items()]
    figures = sorted(answer["plotly_graph_objects"], key=lambda figure: place_of(figure["id"]))
    return {**answer, **trials, "union_user_attrs": columns, "plotly_graph_objects": figures}


def shown_trial(answer: dict[str, Any], attributes: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """A trial within such an answer; one that is not finished stays as it is."""
    if answer["number"] not in attributes:
        return answer
    own = attributes[answer["number"]].items()
    pairs = [{"key": name, "value": value if isinstance(value, str) else json.dumps(value)} for name, value in own]
    kept = {name: value for name, value in answer.items() if name != "values" or answer["state"] == "Complete"}
    return {**kept, "user_attrs": pairs}


def shown_attributes(study: StudyRecord) -> dict[int, dict[str, Any]]:
    """What is shown of each finished trial besides value and parameters, by its number."""
    short = study.first_budget < study.settings.epochs
    values = {trial.number: value for trial, value in comparable(study)} if short else {}
    after = f"{study.value_name} after {length_in_words(study.first_budget, study.settings.unit)}"
    return {
        trial.number: {
            "asked": study.asked[trial.number],
            "outcome": outcome(trial, study.settings.unit) + ", reference" * trial.is_reference,
            **({after: values[trial.number]} if trial.number in values else {}),
            study.settings.unit: round(trial.epochs_spent, 2),
            "seconds": trial.seconds,
            "scheduler": dict(trial.torch_arguments),
        }
        for trial in study.trials
    }


def outcome(trial: TrialRecord, unit: Unit) -> str:
    """How a trial ended, in words."""
    if trial.failure:
        return f"failed: {trial.failure}"
    if trial.diverged:
        return "diverged (loss blew up)"
    if trial.complete:
        return "full run"
    return f"stopped after {length_in_words(round(list(trial.epochs_used.values())[-1], 2), unit)}"


def shown_importance(study: StudyRecord) -> dict[str, Any]:
    """The answer to a request for the importance of the parameters; of too few trials it has none."""
    shares, _ = importance(study)
    bars = [{"name": name, "importance": share, "distribution": ""} for name, share in shares.items()]
    return {"param_importances": [bars]}


def place_of(figure: str) -> int:
    """The place of a figure among ours; figures that others have added come last."""
    return FIGURES.index(figure) if figure in FIGURES else len(FIGURES)


def is_number(value: Any) -> bool:
    """Whether values of this kind are sorted as numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool)

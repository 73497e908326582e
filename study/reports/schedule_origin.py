"""The origin of an exported schedule: its code, the study and trial it comes from, and how good it was."""

from __future__ import annotations

from statistics import mean
from typing import Any

from search_spaces.export import Exported
from study.analysis.answer import Answer
from study.reports.measure import Measure
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

PACKAGES = ("torch", "optuna")
"""The packages whose versions are given."""


def exported(study: StudyRecord, trial: TrialRecord) -> Exported:
    """What the code of the trial's schedule is made of."""
    return Exported(trial.schedule, study.optimizer_code, study.unequal_groups)


def origin(study: StudyRecord, trial: TrialRecord) -> dict[str, Any]:
    """What the records say about a trial, as values that JSON can hold."""
    session, winner, confirmed, test = study.session_of(trial), study.best, study.confirmed, None
    if confirmed and confirmed.trial == trial.number:
        test = {"metric": f"test_{study.metric.name}", "mean": mean(confirmed.test), "seeds": len(confirmed.test)}
    answer = Answer.of(study)
    if answer and answer.on_test and answer.recommended.number == trial.number:
        test = {"metric": f"test_{study.metric.name}", "mean": answer.value.mean, "seeds": answer.value.n}
    return {
        "study": study.name,
        "trial": trial.number,
        "trials": len(study.trials),
        "recommended": answer is not None and answer.recommended.number == trial.number,
        "winner": winner is not None and winner.number == trial.number,
        "workload": study.workload,
        study.settings.unit: study.settings.epochs,
        "total_steps": study.total_steps,
        "pruned_after_epochs": None if trial.complete else list(trial.epochs_used.values())[-1],
        "diverged": trial.diverged,
        "validation": {"metric": study.value_name, "value": trial.value, "unit": study.metric.unit},
        "test": test,
        "time": session.time.isoformat(timespec="seconds"),
        "commit": session.commit,
        "versions": {package: session.versions[package] for package in PACKAGES},
    }


def as_comment(origin: dict[str, Any]) -> str:
    """The origin as lines of a Python comment."""
    validation, test = origin["validation"], origin["test"]
    value = Measure(validation["metric"], validation["unit"]).text
    pruned, rank = origin["pruned_after_epochs"], ""
    recommended = ", the one to use" if origin["recommended"] else ""
    if origin["winner"]:
        rank = f", the best of {origin['trials']} trials; it was chosen by this value, so expect a slightly worse one"
    elif pruned is not None:
        rank = f", {'diverged' if origin['diverged'] else 'pruned'} after a run of {pruned:.3g} epochs"
    epochs = f"{origin['epochs']} epochs, " if "epochs" in origin else ""
    lines = [
        f"Learning-rate schedule: trial {origin['trial']} of {origin['trials']} in study {origin['study']!r}"
        f"{recommended}",
        f"workload    {origin['workload']}, {epochs}{origin['total_steps']} steps",
        f"validation  {validation['metric']} {value(validation['value'])}{rank}",
        f"test        {test['metric']} {value(test['mean'])}, mean of {test['seeds']} fresh training seeds"
        if test
        else "test        not evaluated",
        f"made        {origin['time']}, commit {origin['commit']}, "
        + ", ".join(f"{package} {version}" for package, version in origin["versions"].items()),
    ]
    return "".join(f"# {' '.join(line.splitlines())}\n" for line in lines)

"""The origin of an exported schedule: its code, the study and trial it comes from, and how good it was."""

from __future__ import annotations

from statistics import mean
from typing import Any

from search_spaces.errors import InputError
from search_spaces.export import Exported
from study.analysis.answer import Answer
from study.analysis.own_schedule import keeps_own_schedule, known_length
from study.analysis.peak_drift import peak_drifts
from study.cli import visible
from study.objective import Unit, length_in_words
from study.reports.measure import validation_measure
from study.reports.run_lengths import drift_in_words, lengths_in_words
from study.reports.schedule_words import given_in_words
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

PACKAGES = ("torch", "optuna")
"""The packages whose versions are given."""


def exported(study: StudyRecord, trial: TrialRecord) -> Exported:
    """What the code of the trial's schedule is made of; raises InputError if a script kept its own."""
    check_exportable(study, trial)
    norm, share = known_clip_norm(study), study.settings.averaging_fraction
    return Exported(trial.schedule, study.optimizer_code, norm, share, trial.weight_decay)


def check_exportable(study: StudyRecord, trial: TrialRecord) -> None:
    """Raise InputError, which says what to do instead, if a script kept its own schedule: no other was trained."""
    if keeps_own_schedule(study):
        only = "trained your script's own schedule, and searched only what the command hands over"
        given = given_in_words(study, trial)
        raise InputError(f"study {study.name!r} {only}, so there is no schedule to export. {given}")


def known_clip_norm(study: StudyRecord) -> float | None:
    """The norm to which gradients were clipped, 0 if they were not, None if that is not known.

    It is not of your own training, nor of text: studies made before it was kept clipped there, and there only.
    """
    may_clip = study.settings.own_training or study.metric.name == "bits_per_byte"
    return 0.0 if study.clip_norm is None and not may_clip else study.clip_norm


def origin(study: StudyRecord, trial: TrialRecord) -> dict[str, Any]:
    """What the records say about a trial, as values that JSON can hold: in steps, if these were seen."""
    session, winner, confirmed, test = study.session_of(trial), study.best, study.confirmed, None
    if confirmed and confirmed.trial == trial.number:
        test = {"metric": f"test_{study.metric.name}", "mean": mean(confirmed.test), "seeds": len(confirmed.test)}
    answer = Answer.of(study)
    if answer and answer.on_test and answer.recommended.number == trial.number:
        test = {"metric": f"test_{study.metric.name}", "mean": answer.value.mean, "seeds": answer.value.n}
    n, unit = known_length(study)
    until = trial.schedule.extendable_until(study.total_steps)
    return {
        "study": study.name,
        "trial": trial.number,
        "trials": len(study.trials),
        "recommended": answer is not None and answer.recommended.number == trial.number,
        "winner": winner is not None and winner.number == trial.number,
        "workload": study.workload,
        study.settings.unit: study.settings.epochs,
        **({"total_steps": study.total_steps, "extendable_until": until} if unit == "steps" else {}),
        f"shortest_{unit}": n * study.first_budget,
        "peak_drift": [
            {
                f"short_{unit}": n * short // study.steps_per_epoch,
                f"long_{unit}": n * long // study.steps_per_epoch,
                "ratio": ratio,
                "low": low,
                "high": high,
                "trials": trials,
            }
            for short, long, (ratio, low, high, trials) in peak_drifts(study)
        ],
        "pruned_after_epochs": None if trial.complete else list(trial.epochs_used.values())[-1],
        "diverged": trial.diverged,
        "validation": {"metric": study.value_name, "value": trial.value, "unit": study.metric.unit},
        "test": test,
        "time": session.time.isoformat(timespec="seconds"),
        "commit": session.commit,
        "versions": {package: session.versions[package] for package in PACKAGES},
    }


def as_comment(study: StudyRecord, trial: TrialRecord) -> str:
    """The origin of a trial's schedule as lines of a Python comment, and for which lengths of a run it is known."""
    found, drift = origin(study, trial), drift_in_words(study)
    test, value = found["test"], validation_measure(study).text
    pruned, rank = found["pruned_after_epochs"], ""
    to_use = ", the one to use" if found["recommended"] else ""
    if found["winner"]:
        rank = f", the best of {found['trials']} trials; it was chosen by this value, so expect a slightly worse one"
    elif pruned is not None:
        after = length_in_words(round(pruned, 2), study.settings.unit)
        rank = f", {'diverged' if trial.diverged else 'pruned'} after a run of {after}"
    lengths: dict[Unit, Any] = {"epochs": found.get("epochs"), "steps": found.get("total_steps")}
    run = ", ".join(length_in_words(length, unit) for unit, length in lengths.items() if length)
    lines = [
        f"Learning-rate schedule: trial {trial.number} of {found['trials']} in study {study.name!r}{to_use}",
        f"workload    {study.workload}, {run}",
        f"validation  {study.value_name} {value(trial.value)}{rank}",
        f"test        {test['metric']} {value(test['mean'])}, mean of {test['seeds']} fresh training seeds"
        if test
        else "test        not evaluated",
        f"length      {lengths_in_words(study, trial)}",
        *([f"peak drift  {drift}"] if drift else []),
        f"made        {found['time']}, commit {found['commit']}, "
        + ", ".join(f"{package} {version}" for package, version in found["versions"].items()),
    ]
    return "".join(f"# {visible(' '.join(line.splitlines()))}\n" for line in lines)

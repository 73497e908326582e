"""A digest of what is stored of a trial: a value that was changed later is noticed, even if it could stand there."""

from __future__ import annotations

import json
from hashlib import sha256

from optuna.trial import FrozenTrial

KEY = "digest"
"""Of the digest in a trial's record; the records of trials that were stored before have none."""
LEFT_OUT = (KEY, "seconds")
"""Parts of the record that are not covered: equal trials take different times."""


def digest_of(trial: FrozenTrial) -> str:
    """A digest of a finished trial, equal before and after it is stored, and in a copy of its study."""
    record, curve = trial.user_attrs["record"], trial.user_attrs.get("curve")
    covered = {key: value for key, value in record.items() if key not in LEFT_OUT}
    reported = {step: unsigned(value) for step, value in trial.intermediate_values.items()}
    values = [trial.state.name, unsigned(trial.value), trial.params, reported, covered, curve]
    return sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def unsigned(value: float | None) -> float:
    """The same number, but 0.0 for -0.0, as databases store it; raises TypeError for None."""
    if value is None:
        raise TypeError("a trial has no value")
    return value + 0.0


def with_digest(trial: FrozenTrial) -> FrozenTrial:
    """The same trial, whose record has its digest."""
    trial.user_attrs["record"][KEY] = digest_of(trial)
    return trial


def check_digest(trial: FrozenTrial) -> None:
    """Raise ValueError if a stored trial is not what its digest is of."""
    if trial.user_attrs["record"].get(KEY) not in (None, digest_of(trial)):
        raise ValueError(f"trial {trial.number} is not what was stored")

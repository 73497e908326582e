"""Copies a study to another storage, with its trials and artifacts: it continues there as it would have here.

Optuna's own copy leaves out the artifacts, and a copy that is cut off looks like a study. Here the attribute that makes
it one of ours, the configuration, is written last, and what was cut off is copied anew.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.artifacts import ArtifactMeta, FileSystemArtifactStore, get_all_artifact_meta
from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.storages import RDBStorage

from search_spaces.errors import InputError
from study.storage.artifact_places import KEY, artifact_store, check_reachable, opened_artifact, stored_places
from study.storage.checks import check_group
from study.storage.damage import STORAGE_ERRORS, cause
from study.storage.owning import alone_with_tables, owning
from study.storage.quiet import quiet_optuna
from study.storage.studies import connect_to_read, connected_to_write, create_study, usable
from study.storage.url import artifact_folder, check_file, parse, shown_url

COPIED = "copied_from"
"""The attribute of a copy, written first. With it and without a configuration, the copy was cut off."""


@dataclass(frozen=True)
class Copied:
    """What was copied. missing: artifacts that are not where the study says."""

    study: str
    trials: int
    artifacts: int
    missing: int


def copy_study_to(
    source: str,
    study: str,
    target: str,
    name: str,
    artifacts: str | None = None,
    finish: Callable[[optuna.Study], None] = lambda optuna_study: None,
) -> Copied:
    """Copy a study from one storage to another, and own both meanwhile.

    source, target: database URLs. name: of the copy. artifacts: a folder or a bucket for those of the copy; None is
    beside the target. finish: what is done with the copy at the end.
    Raises InputError if another process searches the study, or the target has one of this name.
    """
    check_reachable(artifacts)
    here, there = parse(source), parse(target)
    check_file(there)
    connected = connect_to_read(source)
    with quiet_optuna(), owning(here, study) as source_owner, owning(there, name) as owner, ExitStack() as stack:
        try:
            if source_owner:
                source_owner()
            original = optuna.load_study(study_name=study, storage=connected)
            with usable(there), alone_with_tables(there):
                storage = connected_to_write(there, name, stack, owner)
                check_group(storage, name, name)
                copy = empty_study(storage, name, original, shown_url(target))
            copied = fill(copy, storage, original, connected, source, artifacts or str(artifact_folder(target)))
            for key, value in attributes_of_copy(original.user_attrs, artifacts).items():
                copy.set_user_attr(key, value)
            finish(copy)
            return copied
        except STORAGE_ERRORS as error:
            raise InputError(f"the copy failed ({cause(error)}): type the same command to copy anew") from error


def empty_study(storage: RDBStorage, name: str, original: optuna.Study, shown_target: str) -> optuna.Study:
    """A new study for the copy, in place of one that was cut off; raises InputError if the name is taken."""
    direction: Any = original.direction.name.lower()
    copy = create_study(storage, name, direction)
    attributes = copy.user_attrs
    if COPIED in attributes and "configuration" not in attributes:
        optuna.delete_study(study_name=name, storage=storage)
        copy = create_study(storage, name, direction)
    elif attributes or copy.get_trials(deepcopy=False):
        raise InputError(f"{shown_target} already holds a study {name!r}: choose another name with --name")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    copy.set_user_attr(COPIED, {"study": original.study_name, "time": now})
    return copy


def fill(
    copy: optuna.Study, storage: RDBStorage, original: optuna.Study, connected: RDBStorage, source: str, place: str
) -> Copied:
    """Copy trials, artifacts, and what Optuna and its dashboard note of the study. place: for the artifacts."""
    ids = connected.get_study_id_from_name(original.study_name), storage.get_study_id_from_name(copy.study_name)
    for key, value in connected.get_study_system_attrs(ids[0]).items():
        storage.set_study_system_attr(ids[1], key, value)
    trials = original.get_trials(deepcopy=False)
    metas = get_all_artifact_meta(original, storage=connected)
    for trial in trials:
        metas += get_all_artifact_meta(trial, storage=connected)
        copy.add_trial(trial)
    missing = copy_artifacts(metas, stored_places(original.user_attrs, source), place)
    return Copied(copy.study_name, len(trials), len(metas) - missing, missing)


def copy_artifacts(metas: list[ArtifactMeta], places: list[str], place: str) -> int:
    """Copy these artifacts from places to a place, under the same numbers; returns how many are missing."""
    store = artifact_store(place)
    if isinstance(store, FileSystemArtifactStore) and metas:
        Path(place).mkdir(parents=True, exist_ok=True)
    missing = 0
    for meta in metas:
        try:
            with closing(opened_artifact(places, meta.artifact_id)) as content:
                store.write(meta.artifact_id, content)
        except ArtifactNotFound:
            missing += 1
        except OSError as error:
            raise InputError(f"an artifact cannot be copied to {place} ({error.strerror}): type it again") from error
    return missing


def attributes_of_copy(attributes: dict[str, Any], artifacts: str | None) -> dict[str, Any]:
    """The attributes that a copy has of its original, the configuration last."""
    others = {key: value for key, value in attributes.items() if key not in (KEY, COPIED, "configuration")}
    return {**others, **({KEY: [artifacts]} if artifacts else {}), "configuration": attributes["configuration"]}

"""Copies a study to another storage, with its trials and artifacts: it continues there as it would have here.

Optuna's own copy leaves out the artifacts, and a copy that is cut off looks like a study. Here the attribute that makes
it one of ours, the configuration, is written last, and what was cut off is copied anew.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import optuna
from optuna.artifacts import ArtifactMeta, get_all_artifact_meta
from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.storages import RDBStorage

from search_spaces.errors import InputError
from study.storage.artifact_places import KEY, absolute, artifact_store, check_reachable, opened_artifact, stored_places
from study.storage.checks import check_group
from study.storage.damage import STORAGE_ERRORS, cause
from study.storage.opening import readable
from study.storage.owning import alone_with_tables, owning
from study.storage.quiet import quiet_optuna
from study.storage.record_format import group_of
from study.storage.s3 import Bucket
from study.storage.studies import connect_to_read, connected_to_write, create_study, stored_attributes, usable
from study.storage.study_record import StudyRecord
from study.storage.url import artifact_folder, check_file, is_same_database, is_server, parse, shown_url
from study.storage.whole_files import write_whole

COPIED = "copied_from"
"""The attribute of a copy, written first. With it and without a configuration, the copy was cut off."""
AGAIN = "type the same command to copy anew"


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
    finish: Callable[[optuna.Study, StudyRecord], None] = lambda optuna_study, record: None,
) -> Copied:
    """Copy a study from one storage to another, and own both meanwhile.

    source, target: database URLs. name: of the copy. artifacts: a folder or a bucket for those of the copy; None is
    beside the target. finish: what is done with the copy, given its record, before it counts as a study.
    Raises InputError if another process searches the study, or the target has one of this name.
    """
    here, there = parse(source), parse(target)
    if study == name and is_same_database(here, there):
        raise InputError(f"study {study!r} is in {shown_url(target)} already: give --name for its copy")
    check_reachable(artifacts)
    check_file(there)
    connected = connect_to_read(source)
    is_fixed = not is_server(here) and readable(here) is not here  # nobody can write there: it needs no owner
    owned = nullcontext() if is_fixed else owning(here, study)
    with quiet_optuna(), owned as source_owner, owning(there, name) as owner, ExitStack() as stack:
        try:
            if source_owner:
                source_owner()
            original = optuna.load_study(study_name=study, storage=connected)
            record = StudyRecord.of(original)
            group = group_of(name, record.stored["group"])
            with usable(there), alone_with_tables(there):
                storage = connected_to_write(there, name, stack, owner)
                check_group(storage, name, group)
                copy = empty_study(storage, name, original, shown_url(target))
            copied = fill(copy, storage, original, connected, source, artifacts or str(artifact_folder(target)))
            finish(copy, replace(record, name=name, group=group))
            for key, value in attributes_of_copy(original.user_attrs, artifacts).items():
                copy.set_user_attr(key, value)
            return copied
        except STORAGE_ERRORS as error:
            raise InputError(f"the copy failed ({cause(error)}): {AGAIN}") from error


def is_copied(target: str, study: str) -> bool:
    """Whether the target holds a whole copy of the study, under its name."""
    attributes = stored_attributes(target, study)
    return "configuration" in attributes and attributes.get(COPIED, {}).get("study") == study


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
    """Copy these artifacts from places to a place, under the same numbers; returns how many are missing.

    The place may be one of the others, by any name. A file that is there is the artifact, so it is left alone.
    """
    store, missing = artifact_store(place), 0
    for meta in metas:
        number = meta.artifact_id
        if not isinstance(store, Bucket) and (Path(place) / number).is_file():
            continue
        try:
            with closing(opened_artifact(places, number)) as opened:
                content = opened.read()
        except ArtifactNotFound:
            missing += 1
            continue
        except OSError as error:
            raise InputError(f"an artifact cannot be read ({error.strerror}): {AGAIN}") from error
        try:
            if isinstance(store, Bucket):
                store.write(number, BytesIO(content))
            else:
                write_whole(Path(place), {number: content})
        except OSError as error:
            raise InputError(f"an artifact cannot be written to {place} ({error.strerror}): {AGAIN}") from error
    return missing


def attributes_of_copy(attributes: dict[str, Any], artifacts: str | None) -> dict[str, Any]:
    """The attributes that a copy has of its original, the configuration last."""
    others = {key: value for key, value in attributes.items() if key not in (KEY, COPIED, "configuration")}
    return {
        **others,
        **({KEY: [absolute(artifacts)]} if artifacts else {}),
        "configuration": attributes["configuration"],
    }

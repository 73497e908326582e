"""Where the artifacts of trials are kept: in folders, or in buckets of S3. A study stores the places that it was given.

A study may have several places, one after the other: what is there stays there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import optuna
from optuna.artifacts import FileSystemArtifactStore
from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.storages import RDBStorage

from search_spaces.errors import InputError
from study.storage.listing import listed_studies
from study.storage.place import bucket_and_prefix, check_artifacts, is_artifact_name, is_bucket
from study.storage.s3 import Bucket
from study.storage.url import artifact_folder, make_folder

KEY = "artifacts"
"""The attribute of a study that keeps its places, the present one last."""
Store = FileSystemArtifactStore | Bucket


def artifact_store(place: str | Path) -> Store:
    """The store of a place, in which Optuna finds artifacts by their number."""
    return Bucket(*bucket_and_prefix(str(place))) if is_bucket(str(place)) else FileSystemArtifactStore(str(place))


def check_reachable(place: str | None) -> None:
    """Raise InputError if nothing can be written there; None is the default place."""
    check_artifacts(place)
    if place is None:
        return
    store = artifact_store(place)
    if isinstance(store, Bucket):
        store.check()
    else:
        make_folder(Path(place))


def stored_places(attributes: Mapping[str, Any], storage: str) -> list[str]:
    """The places of a study, the present one last. storage: its database, beside which they are by default."""
    return list(attributes.get(KEY, ())) or [absolute(str(artifact_folder(storage)))]


def absolute(place: str) -> str:
    """A place as it is stored: a folder has the same name wherever the study is continued."""
    return place if is_bucket(place) else str(Path(place).absolute())


def keep_place(optuna_study: optuna.Study, given: str | None, storage: str) -> str:
    """Where the artifacts of the study are kept from now on. given: None for where they were kept before.

    Raises InputError if that is a place that the study stores and nothing can be written there.
    """
    attributes = optuna_study.user_attrs
    places = stored_places(attributes, storage)
    if given is None or absolute(given) == places[-1]:
        check_reachable(places[-1] if KEY in attributes else None)
        return places[-1]
    given = absolute(given)
    kept = places if KEY in attributes or optuna_study.get_trials(deepcopy=False) else []
    optuna_study.set_user_attr(KEY, [*(one for one in kept if one != given), given])
    return given


class AllPlaces:
    """The artifacts of every study in a storage; others are written to the default place."""

    def __init__(self, connected: RDBStorage, storage: str) -> None:
        self.connected, self.default = connected, str(artifact_folder(storage))
        self.places = [self.default]

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """The artifact, wherever it is; raises ArtifactNotFound, or OSError. Without boto3, no bucket has it."""
        try:
            return opened_artifact(self.places, artifact_id)
        except (ArtifactNotFound, OSError, InputError):
            self.read_places()
        try:
            return opened_artifact(self.places, artifact_id)
        except InputError as error:
            raise ArtifactNotFound(str(error)) from error

    def read_places(self) -> None:
        """Learn of the places that studies were given meanwhile."""
        places = [place for one in listed_studies(self.connected) for place in one.attributes.get(KEY, ())]
        self.places = list(dict.fromkeys([self.default, *places]))

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Keep one that someone uploads."""
        artifact_store(self.default).write(artifact_id, content_body)

    def remove(self, artifact_id: str) -> None:
        """Remove it from everywhere; raises the first error once all places were tried."""
        if not is_artifact_name(artifact_id):
            return
        self.read_places()
        problems: list[Exception] = []
        for place in self.places:
            try:
                artifact_store(place).remove(artifact_id)
            except ArtifactNotFound:
                continue
            except (OSError, InputError) as error:
                problems.append(error)
        if problems:
            raise problems[0]


def opened_artifact(places: Sequence[str], artifact_id: str) -> BinaryIO:
    """The artifact in the first of these places that has it.

    Raises ArtifactNotFound if none has it, or the error of a place that cannot be read: OSError, InputError.
    """
    problem: Exception = ArtifactNotFound(f"artifact {artifact_id} is in none of {', '.join(places)}")
    for place in places if is_artifact_name(artifact_id) else ():
        try:
            return artifact_store(place).open_reader(artifact_id)
        except ArtifactNotFound:
            continue
        except (OSError, InputError) as error:
            problem = error
    raise problem

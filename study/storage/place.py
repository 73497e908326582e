"""Names of artifacts, and of places for them: a folder, or a bucket of S3. Quick to import: flags are checked first."""

from __future__ import annotations

import re

from search_spaces.errors import InputError
from study.storage.url import without_passwords

BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([^?#]*))?")
ARTIFACT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_artifact_name(name: str) -> bool:
    """Whether a file has such a name as Optuna gives an artifact. What a database or a journal says is checked with it:
    it may come from a stranger, and name the reader's own files.
    """
    return ARTIFACT.fullmatch(name) is not None


def is_bucket(place: str) -> bool:
    """Whether it is not a folder."""
    return place.startswith("s3://")


def bucket_and_prefix(place: str) -> tuple[str, str]:
    """The bucket, and what the names in it begin with; raises InputError if no bucket is named.

    >>> bucket_and_prefix("s3://team/learning-rates"), bucket_and_prefix("s3://team")
    (('team', 'learning-rates/'), ('team', ''))
    """
    found = BUCKET.fullmatch(place)
    if found is None:
        hint = "give s3://BUCKET/PREFIX, with credentials in ~/.aws"
        raise InputError(f"--artifacts {without_passwords(place)!r} does not name a bucket: {hint}")
    prefix = (found[2] or "").strip("/")
    return found[1], f"{prefix}/" if prefix else ""


def check_artifacts(place: str | None) -> None:
    """Raise InputError if it names neither a folder nor a bucket; None names neither, and is right."""
    if place is None:
        return
    if is_bucket(place):
        bucket_and_prefix(place)
    elif "://" in place or not place:
        what = f"--artifacts {without_passwords(place)!r}"
        raise InputError(f"{what} is neither a folder nor a bucket: give FOLDER or s3://BUCKET/PREFIX")

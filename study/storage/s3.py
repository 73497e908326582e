"""Artifacts in a bucket of S3, or of a server that speaks its language: Optuna's store, with a prefix.

Credentials, region and the address of a server are those of boto3: `~/.aws`, AWS_PROFILE, AWS_ENDPOINT_URL and others.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any, BinaryIO

from optuna.artifacts import Boto3ArtifactStore

from search_spaces.errors import InputError, words_of

QUICK = {"connect_timeout": 5, "read_timeout": 30, "retries": {"total_max_attempts": 2}}
"""Of boto3: a trial is stored without its artifacts rather than late."""
FORBIDDEN = 403
"""Also the answer to who may write into the bucket, but not look at it."""
HINT = "check ~/.aws or AWS_ENDPOINT_URL"


@dataclass(frozen=True)
class Bucket:
    """A store of artifacts in a bucket, under a prefix. Its errors are OSErrors."""

    bucket: str
    prefix: str

    @property
    def store(self) -> Boto3ArtifactStore:
        """Optuna's store of the whole bucket; raises InputError as `client`."""
        return Boto3ArtifactStore(self.bucket, client=client())

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """The artifact's whole content, so that no reader meets boto3's errors; raises ArtifactNotFound."""
        store = self.store
        with errors_of_boto(), closing(store.open_reader(self.prefix + artifact_id)) as content:
            return BytesIO(content.read())

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Keep it."""
        store = self.store
        with errors_of_boto():
            store.write(self.prefix + artifact_id, content_body)

    def remove(self, artifact_id: str) -> None:
        """Delete it."""
        store = self.store
        with errors_of_boto():
            store.remove(self.prefix + artifact_id)

    def check(self) -> None:
        """Raise InputError if there is no such bucket, or no way to it."""
        connected = client()
        import botocore.exceptions

        try:
            connected.head_bucket(Bucket=self.bucket)
        except botocore.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != FORBIDDEN:
                raise InputError(f"cannot use the bucket {self.bucket} ({error}): check --artifacts") from error
        except botocore.exceptions.BotoCoreError as error:
            raise InputError(f"cannot use the bucket {self.bucket} ({error}): {HINT}") from error


@lru_cache(maxsize=1)
def client() -> Any:
    """Boto3's client of S3, which takes a quarter of a second to make.

    Raises InputError if boto3 is not installed, or its settings name no server or no profile.
    """
    try:
        import boto3
        import botocore.config
        import botocore.exceptions
    except ImportError as error:
        raise InputError("artifacts in S3 need the package boto3: pip install -e '.[s3]'") from error
    try:
        return boto3.client("s3", config=botocore.config.Config(**QUICK))
    except (ValueError, botocore.exceptions.BotoCoreError) as error:
        raise InputError(f"cannot use S3 ({words_of(error)}): {HINT}") from error


@contextmanager
def errors_of_boto() -> Iterator[None]:
    """Raise boto3's errors as OSErrors, as a folder does."""
    import boto3.exceptions
    import botocore.exceptions
    import urllib3.exceptions

    ours = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, boto3.exceptions.Boto3Error)
    try:
        yield
    except (*ours, urllib3.exceptions.HTTPError) as error:
        raise OSError(errno.EIO, " ".join(str(error).split())) from error

"""Artifacts in a bucket of S3, or of a server that speaks its language: Optuna's store, with a prefix.

Credentials, region and the address of a server are those of boto3: `~/.aws`, AWS_PROFILE, AWS_ENDPOINT_URL and others.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, BinaryIO

from optuna.artifacts import Boto3ArtifactStore

from search_spaces.errors import InputError

QUICK = {"connect_timeout": 5, "read_timeout": 30, "retries": {"total_max_attempts": 2}}
"""Of boto3: a trial is stored without its artifacts rather than late."""
FORBIDDEN = 403
"""Also the answer to who may write into the bucket, but not look at it."""


@dataclass(frozen=True)
class Bucket:
    """A store of artifacts in a bucket, under a prefix. Its errors are OSErrors."""

    bucket: str
    prefix: str

    @property
    def store(self) -> Boto3ArtifactStore:
        """Optuna's store of the whole bucket."""
        return Boto3ArtifactStore(self.bucket, client=client())

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """The artifact's content; raises ArtifactNotFound."""
        with errors_of_boto():
            return self.store.open_reader(self.prefix + artifact_id)

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Keep it."""
        with errors_of_boto():
            self.store.write(self.prefix + artifact_id, content_body)

    def remove(self, artifact_id: str) -> None:
        """Delete it."""
        with errors_of_boto():
            self.store.remove(self.prefix + artifact_id)

    def check(self) -> None:
        """Raise InputError if there is no such bucket, or no way to it."""
        import botocore.exceptions

        try:
            client().head_bucket(Bucket=self.bucket)
        except botocore.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != FORBIDDEN:
                raise InputError(f"cannot use the bucket {self.bucket} ({error}): check --artifacts") from error
        except botocore.exceptions.BotoCoreError as error:
            hint = "check ~/.aws or AWS_ENDPOINT_URL"
            raise InputError(f"cannot use the bucket {self.bucket} ({error}): {hint}") from error


@lru_cache(maxsize=1)
def client() -> Any:
    """Boto3's client of S3, which takes a quarter of a second to make; raises InputError if boto3 is not installed."""
    try:
        import boto3
        import botocore.config
    except ImportError as error:
        raise InputError("artifacts in S3 need the package boto3: pip install -e '.[s3]'") from error
    return boto3.client("s3", config=botocore.config.Config(**QUICK))


@contextmanager
def errors_of_boto() -> Iterator[None]:
    """Raise boto3's errors as OSErrors, as a folder does."""
    import boto3.exceptions
    import botocore.exceptions

    try:
        yield
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, boto3.exceptions.Boto3Error) as error:
        raise OSError(errno.EIO, " ".join(str(error).split())) from error

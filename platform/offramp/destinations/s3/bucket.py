"""One bucket: its client, its keys, and calls that every other piece of the driver makes."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

from offramp.destinations.s3.dialects import dialect_of
from offramp.destinations.s3.errors import code_of, errors, status_of
from offramp.domain.contents import Standing
from offramp.domain.errors import DestinationUnreachable
from offramp.domain.steps import around

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from offramp.destinations.s3.place import S3Place
    from offramp.domain.contents import Content

_TYPES = {
    ".csv": "text/csv", ".json": "application/json", ".md5": "text/plain", ".sha256": "text/plain",
    ".gz": "application/gzip", ".bz2": "application/x-bzip2", ".parquet": "application/vnd.apache.parquet",
    ".tar": "application/x-tar",
}  # fmt: skip
_NOT_FOUND = 404


class Bucket:
    """The bucket and prefix of a destination. Connects at the first call; used by several threads."""

    def __init__(self, name: str, place: S3Place, at_step: Callable[[str], None]) -> None:
        self._name = name
        self.place = place
        self.at_step = at_step
        self.dialect = dialect_of(place.dialect)
        self._lock = Lock()
        self._connected: Any = None

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            client, self._connected = self._connected, None
        if client is not None:
            client.close()

    @property
    def where(self) -> str:
        """The destination, as messages name it."""
        return f"destination '{self._name}' (bucket {self.place.bucket})"

    @property
    def client(self) -> Any:
        """The connected client."""
        with self._lock:
            if self._connected is None:
                from offramp.destinations.s3.client import connect  # noqa: PLC0415 - dagster and boto3: two seconds

                self._connected = connect(self.place)
            return self._connected

    def _forget(self) -> None:
        """Drop the client, but let calls of other threads end."""
        with self._lock:
            self._connected = None

    @contextmanager
    def errors(self, name: str) -> Iterator[None]:
        """Turn what boto3 says of a name into the house's errors."""
        assumes_role = self.place.assume_role is not None
        with errors(self.where, name, assumes_role=assumes_role, forget=self._forget):
            yield

    def target(self, name: str) -> dict[str, str]:
        """Return what names an object to every call."""
        return {"Bucket": self.place.bucket, "Key": self.place.key(name)}

    def options(self, content: Content, name: str) -> dict[str, Any]:
        """Return what an object is created with."""
        options: dict[str, Any] = {"Metadata": {"sha256": content.sha256}}
        suffix = name[name.rfind(".") :] if "." in name else ""
        options["ContentType"] = _TYPES.get(suffix, "application/octet-stream")
        if self.place.encryption != "none":
            options["ServerSideEncryption"] = self.place.encryption
        if self.place.encryption == "aws:kms" and self.place.kms_key:
            options["SSEKMSKeyId"] = self.place.kms_key
        if self.place.storage_class:
            options["StorageClass"] = self.place.storage_class
        return options

    def head(self, name: str) -> Mapping[str, Any] | None:
        """Return what the store tells of an object without its bytes, or None if there is none."""
        answer = self.unless_gone(self.client.head_object, **self.target(name), **self.dialect.look())
        if answer is not None and "ContentLength" not in answer:
            raise DestinationUnreachable(
                f"{self.where} tells no size of an object: no S3 store answers there",
                where=name,
                expected="a Content-Length, as every S3 store tells it",
                todo="check endpoint_url, and whether a proxy answers in the store's place; then run again",
            )
        return answer

    def unless_gone(self, call: Callable[..., Mapping[str, Any]], **arguments: str) -> Mapping[str, Any] | None:
        """Call, and return None where the object is gone."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - half a second at the first call

        try:
            return call(**arguments)
        except ClientError as error:
            if status_of(error) == _NOT_FOUND and code_of(error) in {"NoSuchKey", "404", "NotFound"}:
                return None
            raise

    def standing(self, name: str, answer: Mapping[str, Any]) -> Standing:
        """Return the same in the house's words."""
        version = self.dialect.version(answer)
        return Standing(name, answer["ContentLength"], self.dialect.sha256(answer), version)

    def abort(self, key: str, upload_id: str) -> bool:
        """Abort an upload, and say whether there was one to abort."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - half a second at the first call

        try:
            with around(self.at_step, "abort"):
                self.client.abort_multipart_upload(Bucket=self.place.bucket, Key=key, UploadId=upload_id)
        except ClientError as error:
            if status_of(error) == _NOT_FOUND and code_of(error) != "NoSuchBucket":
                return False
            raise
        return True

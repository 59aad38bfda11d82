"""The calls on one bucket of Google Cloud Storage that deliveries need, each tried once, with our errors."""

from __future__ import annotations

import base64
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from offramp.destinations.gcs.client import GcsConnection
from offramp.destinations.gcs.errors import is_bucket_missing, translated
from offramp.destinations.uploads import gone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offramp.destinations.gcs.place import GcsPlace
    from offramp.destinations.gcs.upload import Sums
    from offramp.domain.contents import Content
    from offramp.domain.errors import DestinationChanged

_TYPE = "application/octet-stream"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CREATE, _DELETE, _GET, _LIST = (f"storage.objects.{right}" for right in ("create", "delete", "get", "list"))


class GcsBucket:
    """Objects by their names below the prefix. A generation is one content of a name; 0 stands for no object."""

    def __init__(self, destination: str, place: GcsPlace) -> None:
        self._destination = destination
        self._place = place
        self._connection = GcsConnection(destination, place)
        # None: the library's own retries would hide failures and multiply the one wrapper's.
        self._options = {"timeout": place.timeout_seconds, "retry": None}

    def find(self, name: str, generation: int | None = None) -> Any:
        """Return what the server says of an object, or None without one."""
        with self._errors("look at an object", name, _GET), _unless_gone():
            blob = self._blob(name, generation)
            blob.reload(**self._options)
            return blob
        return None  # type: ignore[unreachable] # the context above ends the search where nothing is

    def blocks(self, name: str, generation: int, size: int) -> Iterator[bytes]:
        """Yield the bytes of a generation. Raises DestinationChanged if it is gone meanwhile."""
        # Raw: an object that somebody marked as gzip is not unpacked on the way.
        file = self._blob(name, generation).open(
            "rb", chunk_size=self._place.chunk_bytes, raw_download=True, **self._options
        )
        with file:
            left = size
            while left > 0:
                block = None
                with self._errors("read an object", name, _GET), _unless_gone():
                    block = file.read(min(left, self._place.chunk_bytes))
                if block is None:
                    raise self.gone(name)
                if not block:
                    return
                left -= len(block)
                yield block

    def write(self, name: str, content: Content, body: bytes, *, over: int) -> int:
        """Create an object in one request, or replace the generation ``over``, and return the new one.

        The server compares a checksum of the body before anybody sees the object.
        """
        blob = self._new_blob(name, content)
        with self._errors("write an object", name, _CREATE):
            blob.upload_from_string(
                body, content_type=_TYPE, if_generation_match=over, checksum="crc32c", **self._options
            )
        return int(blob.generation)

    def open_session(self, name: str, content: Content, *, over: int) -> str:
        """Begin a resumable upload that may create an object, or replace the generation ``over``; return its URI."""
        blob = self._new_blob(name, content)
        with self._errors("begin an upload", name, _CREATE):
            url: str = blob.create_resumable_upload_session(
                content_type=_TYPE, size=content.bytes, checksum=None, if_generation_match=over, **self._options
            )
        return url

    @contextmanager
    def session(self, name: str) -> Iterator[Any]:
        """Give what sends chunks to a session's URI, with errors translated."""
        with self._errors("write an object", name, _CREATE):
            yield self._connection.http()

    def delete(self, name: str, generation: int | None = None) -> None:
        """Remove an object, or only a generation that still stands there; one that is gone is no error."""
        with self._errors("delete an object", name, _DELETE), _unless_gone():
            self._blob(name).delete(if_generation_match=generation, **self._options)

    def names(self, prefix: str) -> list[str]:
        """Return the names that begin with a prefix."""
        start = len(self._place.full_name(""))
        with self._errors("list objects", prefix, _LIST):
            found = self._connection.client().list_blobs(
                self._place.bucket,
                prefix=self._place.full_name(prefix),
                fields="items(name),nextPageToken",
                **self._options,
            )
            return [blob.name[start:] for blob in found]

    def connect(self) -> None:
        """Make sure that there are credentials."""
        self._connection.client()

    def close(self) -> None:
        """Close connections."""
        self._connection.close()

    def gone(self, name: str) -> DestinationChanged:
        """Return the error for what is not there (any more)."""
        return gone(f"destination '{self._destination}'", name)

    def _new_blob(self, name: str, content: Content) -> Any:
        bucket = self._connection.client().bucket(self._place.bucket)
        blob = bucket.blob(self._place.full_name(name), kms_key_name=self._place.kms_key)
        blob.metadata = {"sha256": content.sha256}
        if self._place.storage_class is not None:
            blob.storage_class = self._place.storage_class
        return blob

    def _blob(self, name: str, generation: int | None = None) -> Any:
        bucket = self._connection.client().bucket(self._place.bucket)
        return bucket.blob(self._place.full_name(name), generation=generation)

    @contextmanager
    def _errors(self, doing: str, name: str, permission: str) -> Iterator[None]:
        what = f"destination '{self._destination}' cannot {doing} of gs://{self._place.bucket}"
        with translated(what, where=name, permission=permission):
            yield


@contextmanager
def _unless_gone() -> Iterator[None]:
    """Let an object be missing, but not its bucket."""
    from google.api_core.exceptions import NotFound  # noqa: PLC0415 - slow to import

    try:
        yield
    except NotFound as error:
        if is_bucket_missing(error):
            raise


def told_sha256(blob: Any) -> str | None:
    """Return the sha256 that was written beside the bytes, if it is one. Others write what they like there."""
    told = (blob.metadata or {}).get("sha256")
    return told if isinstance(told, str) and _SHA256.fullmatch(told) else None


def is_equal(blob: Any, content: Content, sums: Sums) -> bool:
    """Compare size and checksums that the server computed. An object that was composed has no md5."""
    if (int(blob.size), blob.crc32c) != (content.bytes, sums.crc32c):
        return False
    if blob.md5_hash is None or content.md5 is None:
        return True
    return base64.b64decode(blob.md5_hash).hex() == content.md5

"""One resumable upload to Google Cloud Storage: chunks, the offset after a break, and sums of what went out.

The library opens the session. Its own writer of chunks keeps the offset and the sums to itself, cannot ask for an
offset with our timeout and holds every chunk three times, so the chunks go out here, as Google documents them.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from offramp.destinations.gcs.errors import google_says
from offramp.destinations.uploads import staged_otherwise
from offramp.domain.steps import around

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.api_core.exceptions import GoogleAPICallError

    from offramp.domain.contents import Content

_RANGE = re.compile(r"bytes=0-(\d+)")
_KEPT, _DONE = 308, (200, 201)
_SESSION_LIVES = {401, 403, 408, 429}
_SESSION_GONE = {404, 410}


def open_content(content: Content) -> BinaryIO:
    """Open what is delivered; a part that is gone from the lake is no fault of the destination."""
    return io.BytesIO(content.source) if isinstance(content.source, bytes) else content.source.open("rb")


class Sums:
    """The crc32c and the sha256 of a stream, each byte counted once however often it is sent."""

    def __init__(self) -> None:
        self._bytes = 0
        self._crc32c = 0
        self._sha256 = hashlib.sha256()

    def add(self, start: int, block: bytes) -> None:
        """Count a block that begins at an offset, without what was counted before."""
        import google_crc32c  # noqa: PLC0415 - comes with the extra gcs

        fresh = block[self._bytes - start :] if start < self._bytes else block
        self._crc32c = google_crc32c.extend(self._crc32c, fresh)
        self._sha256.update(fresh)
        self._bytes += len(fresh)

    @property
    def crc32c(self) -> str:
        """The checksum as the API writes it: base64 of four bytes."""
        return base64.b64encode(self._crc32c.to_bytes(4, "big")).decode()

    def check(self, content: Content, name: str) -> None:
        """Raise DeliveryRefused where other bytes were read from the lake than were staged."""
        found = (self._bytes, self._sha256.hexdigest())
        if found != (content.bytes, content.sha256):
            raise staged_otherwise(name, content, size=found[0], sha256=found[1])


def sums_of(content: Content, *, block_bytes: int) -> Sums:
    """Read everything and return its sums."""
    sums = Sums()
    start = 0
    with open_content(content) as source:
        while block := source.read(block_bytes):
            sums.add(start, block)
            start += len(block)
    return sums


class Upload:
    """A session at the server. ``generation`` is what it may replace, 0 for nothing; readers see no part of it."""

    def __init__(self, url: str, name: str, content: Content, *, generation: int, chunk_bytes: int) -> None:
        self._url = url
        self._name = name
        self._content = content
        self._chunk_bytes = chunk_bytes
        self._offset = 0
        self._is_sure = True
        self._told = 0
        self.generation = generation
        self.sums = Sums()
        self.is_dead = False
        self._written: int | None = None

    @property
    def generation_written(self) -> int:
        """The generation that the finished upload became."""
        if self._written is None:
            message = "the upload is not finished"
            raise RuntimeError(message)
        return self._written

    def go_on(
        self, http: Any, *, to_end: bool, timeout: float, sent: Callable[[int], None], at_step: Callable[[str], None]
    ) -> None:
        """Send the chunks that the server has not got: all but the last one, or to the end.

        After a break the server is asked first how far it got. ``is_dead`` says afterwards that the session is lost.
        """
        # Offsets after a break lie anywhere on 256 KiB, so what may go out is bounded by bytes, not by chunks.
        size = self._content.bytes
        until = size if to_end else (size - 1) // self._chunk_bytes * self._chunk_bytes
        if not self._is_sure:
            self._exchange(http, b"", f"bytes */{self._content.bytes}", timeout=timeout)
        self.tell(sent, self._offset)
        with open_content(self._content) as source:
            while self._written is None and self._offset < until:
                self._send(http, source, until, timeout=timeout, at_step=at_step)
                self.tell(sent, self._offset)
        if to_end and self._written is None:
            self.is_dead = True
            raise _error(503, "the server has all bytes and made no object of them")

    def tell(self, sent: Callable[[int], None], offset: int) -> None:
        """Tell by how much the server's offset changed since it was told of last."""
        if offset != self._told:
            sent(offset - self._told)
            self._told = offset

    def _send(self, http: Any, source: BinaryIO, until: int, *, timeout: float, at_step: Callable[[str], None]) -> None:
        start = self._offset
        source.seek(start)
        block = source.read(min(self._chunk_bytes, until - start))
        self.sums.add(start, block)
        end = start + len(block)
        is_last = not block or end == self._content.bytes
        if is_last:
            self.sums.check(self._content, self._name)
        with around(at_step, "finalise" if is_last else "send"):
            # The server compares the checksum of the whole before it makes the object.
            checksum = self.sums.crc32c if is_last else None
            content_range = f"bytes {start}-{end - 1}/{self._content.bytes}"
            self._exchange(http, block, content_range, timeout=timeout, checksum=checksum)
        if self._written is None and self._offset <= start:
            raise _error(503, "the server kept nothing of a chunk")

    def _exchange(
        self, http: Any, block: bytes, content_range: str, *, timeout: float, checksum: str | None = None
    ) -> None:
        headers = {"Content-Range": content_range, "Content-Type": "application/octet-stream"}
        if checksum:
            headers["x-goog-hash"] = f"crc32c={checksum}"
        self._is_sure = False
        answer = http.request("PUT", self._url, data=block, headers=headers, timeout=timeout, allow_redirects=False)
        if answer.status_code == _KEPT:
            kept = _RANGE.fullmatch(answer.headers.get("Range", ""))
            self._offset = int(kept[1]) + 1 if kept else 0
        elif answer.status_code in _DONE:
            self._offset = self._content.bytes
            self._written = _generation(answer)
        else:
            self._refuse(answer)
        self._is_sure = True

    def _refuse(self, answer: Any) -> NoReturn:
        status = int(answer.status_code)
        self.is_dead = 400 <= status < 500 and status not in _SESSION_LIVES
        if status in _SESSION_GONE:
            raise _error(503, "the session of the upload is gone; the next try begins anew")
        raise _error(status, google_says(answer)[0])


def _generation(answer: Any) -> int:
    try:
        return int(answer.json()["generation"])
    except (ValueError, LookupError, TypeError) as error:
        raise _error(503, "the answer to a finished upload is not an object") from error


def _error(status: int, message: str) -> GoogleAPICallError:
    from google.api_core.exceptions import from_http_status  # noqa: PLC0415 - slow to import

    error: GoogleAPICallError = from_http_status(status, message)  # type: ignore[no-untyped-call]
    return error

"""Multipart uploads: parts read and sent by a few threads, and those of an earlier attempt taken over."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

from offramp.destinations.s3.dialects import part_is_ours
from offramp.destinations.uploads import staged_otherwise
from offramp.domain.steps import around

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from offramp.destinations.s3.dialects import Dialect, Following
    from offramp.domain.contents import Content

# Number, ETag and checksum of a part that the store holds.
_Done: TypeAlias = tuple[int, str, "Mapping[str, str]"]


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload with all its parts sent. ``others`` are unfinished uploads of the same key."""

    id: str
    parts: tuple[Mapping[str, Any], ...]
    guards: tuple[Mapping[str, str], ...]
    others: tuple[str, ...]
    followed: Following | None = None


@dataclass(frozen=True, slots=True)
class S3Pending:
    """A file on its way: a small one is sent by ``commit`` in one piece, of a larger one the parts were sent."""

    name: str
    content: Content
    upload: Upload | None
    sent: Callable[[int], None] = field(repr=False)


def unfinished(client: Any, bucket: str, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield key and id of every unfinished upload whose key begins with a prefix, the newest of a key last."""
    pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix, EncodingType="url")
    found = []
    for page in pages:
        # XML cannot hold every key as it is; a store that was not asked for it, or does not know it, says so.
        decode = unquote if page.get("EncodingType") == "url" else str
        found += [(decode(one["Key"]), one["Initiated"], one["UploadId"]) for one in page.get("Uploads", [])]
    yield from ((key, upload_id) for key, _, upload_id in sorted(found))


class PartsUpload:
    """One run over the parts of one file. Goes on with the newest unfinished upload of this very key.

    The file is read in order and hashed whole, by one thread at a time; each thread then sends what it read.
    """

    def __init__(
        self,
        client: Any,
        dialect: Dialect,
        target: Mapping[str, str],
        content: Content,
        *,
        part_bytes: int,
        at_step: Callable[[str], None],
        sent: Callable[[int], None],
    ) -> None:
        self._client = client
        self._dialect = dialect
        self._target = target
        self._content = content
        self._part_bytes = part_bytes
        self._at_step = at_step
        self._sent = sent
        self._numbers = iter(range(1, -(-content.bytes // part_bytes) + 1))
        self._hash = hashlib.sha256()
        self._hashed = 0
        self._following = dialect.follow()
        self._reading, self._telling = Lock(), Lock()

    def run(self, creation: Mapping[str, Any], threads: int) -> Upload:
        """Send the parts that are missing and return the upload, ready to be completed.

        Each thread holds one part in memory. Raises DeliveryRefused if the file is not what its checksum says.
        """
        begun = [
            one
            for key, one in unfinished(self._client, self._target["Bucket"], self._target["Key"])
            if key == self._target["Key"]
        ]
        upload_id = begun[-1] if begun else self._begin(creation)
        listed = {part["PartNumber"]: part for part in self._listed(upload_id)} if begun else {}
        with ThreadPoolExecutor(threads, thread_name_prefix="s3-parts") as pool:
            works = [pool.submit(self._work, upload_id, listed) for _ in range(threads)]
        done = sorted(chain.from_iterable(work.result() for work in works), key=itemgetter(0))
        if self._hash.hexdigest() != self._content.sha256:
            sha256 = self._hash.hexdigest()
            raise staged_otherwise(self._target["Key"], self._content, size=self._hashed, sha256=sha256)
        parts = tuple(self._dialect.part(*one) for one in done)
        return Upload(upload_id, parts, tuple(guard for _, _, guard in done), tuple(begun[:-1]), self._following)

    def _begin(self, creation: Mapping[str, Any]) -> str:
        with around(self._at_step, "create"):
            answer = self._client.create_multipart_upload(**self._target, **creation, **self._dialect.begin())
        upload_id: str = answer["UploadId"]
        return upload_id

    def _work(self, upload_id: str, listed: Mapping[int, Mapping[str, Any]]) -> list[_Done]:
        """Take parts until there are none left. One failure ends the work of all: nobody takes another part."""
        done = []
        try:
            with _opened(self._content) as descriptor:
                source = _Source(self._content, self._part_bytes, descriptor)
                while (taken := self._take(source)) is not None:
                    number, body = taken
                    done.append(self._bring(upload_id, number, body, listed.get(number)))
        finally:
            with self._reading:
                self._numbers = iter(range(0))
        return done

    def _take(self, source: _Source) -> tuple[int, bytearray] | None:
        with self._reading:
            number = next(self._numbers, None)
            if number is None:
                return None
            body = source.part(number)
            self._hash.update(body)
            self._hashed += len(body)
            if self._following is not None:
                self._following.update(body)
        return number, body

    def _bring(self, upload_id: str, number: int, body: bytearray, listed: Mapping[str, Any] | None) -> _Done:
        guard = self._dialect.guard(body)
        if listed is not None and part_is_ours(listed, body, guard):
            return number, listed["ETag"], guard
        with around(self._at_step, "part"):
            answer = self._client.upload_part(**self._target, UploadId=upload_id, PartNumber=number, Body=body, **guard)
        with self._telling:
            self._sent(len(body))
        return number, answer["ETag"], guard

    def _listed(self, upload_id: str) -> Iterator[Mapping[str, Any]]:
        pages = self._client.get_paginator("list_parts").paginate(**self._target, UploadId=upload_id)
        return (part for page in pages for part in page.get("Parts", []))


@contextmanager
def _opened(content: Content) -> Iterator[int]:
    """Yield a descriptor of a file; of a text none."""
    if isinstance(content.source, bytes):
        yield -1
        return
    descriptor = os.open(content.source, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class _Source:
    """Reads parts of a content into memory that is used again and again: new memory costs more than a copy."""

    def __init__(self, content: Content, part_bytes: int, descriptor: int) -> None:
        self._content = content
        self._part_bytes = part_bytes
        self._descriptor = descriptor
        self._buffer = bytearray()

    def part(self, number: int) -> bytearray:
        """Return the bytes of a part, valid until the next is asked for. Of a file that was cut they are fewer."""
        offset = (number - 1) * self._part_bytes
        count = min(self._part_bytes, self._content.bytes - offset)
        if isinstance(self._content.source, bytes):
            return bytearray(self._content.source[offset : offset + count])
        if len(self._buffer) != count:
            self._buffer = bytearray(count)
        filled = 0
        with memoryview(self._buffer) as view:
            while filled < count and (got := os.preadv(self._descriptor, [view[filled:]], offset + filled)):
                filled += got
        return self._buffer if filled == count else self._buffer[:filled]

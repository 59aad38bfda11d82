"""Gzip as independent members over blocks of fixed size: threads and write sizes leave no trace in the bytes."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from isal import isal_zlib

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from offramp.domain.deliveries import FileEntry
    from offramp.formats.part_files import Content, PartFile

# 4 MiB keeps the loss of the window at each start under 0.1 %, and a few blocks in flight small.
MEMBER_BYTES = 4 * 1024 * 1024
# ISA-L level 1 is 13 times as fast as zlib level 6 for files 14 % larger (servers_and_clients.md section 7).
LEVEL = 1
_GZIP_WBITS = 31


def gzip_member(block: Content) -> bytes:
    """Compress a block as one gzip member without time and name."""
    member: bytes = isal_zlib.compress(block, level=LEVEL, wbits=_GZIP_WBITS)
    return member


class GzipSink:
    """Cuts its bytes at every ``member_bytes``, compresses the blocks in a pool and writes them in order.

    At most ``in_flight`` blocks wait. A file without content is one empty member, since zcat refuses an empty file.
    """

    def __init__(
        self, file: PartFile, pool: ThreadPoolExecutor, *, in_flight: int, member_bytes: int = MEMBER_BYTES
    ) -> None:
        self._file = file
        self._pool = pool
        self._in_flight = in_flight
        self._member_bytes = member_bytes
        self._block = bytearray()
        self._members: deque[Future[bytes]] = deque()
        self._is_empty = True

    def write(self, content: Content) -> int:
        """Take bytes and return how many."""
        rest = memoryview(content).cast("B")
        taken = rest.nbytes
        while rest.nbytes:
            room = self._member_bytes - len(self._block)
            self._block += rest[:room]
            rest = rest[room:]
            if len(self._block) == self._member_bytes:
                self._submit()
        return taken

    def finish(self, rows: int) -> FileEntry:
        """Write the last member, put the file on disk and return its entry."""
        if self._block or self._is_empty:
            self._submit()
        self._drain(0)
        return self._file.finish(rows)

    def _submit(self) -> None:
        self._is_empty = False
        self._members.append(self._pool.submit(gzip_member, self._block))
        self._block = bytearray()
        self._drain(self._in_flight)

    def _drain(self, leave: int) -> None:
        while len(self._members) > leave:
            self._file.write(self._members.popleft().result())

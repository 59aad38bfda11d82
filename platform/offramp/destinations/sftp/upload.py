"""Writing one upload: where to begin, the folders above it, and what stands there in the end."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from offramp.destinations.sftp.errors import sftp_errors
from offramp.destinations.sftp.packets import GONE, StatusError
from offramp.destinations.sftp.session import IN_FLIGHT_BYTES
from offramp.destinations.uploads import digest_of, shown
from offramp.domain.errors import DestinationRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from offramp.destinations.sftp.session import SftpSession
    from offramp.domain.contents import Content

# More than was on its way when a connection broke: a server may have written later blocks and not the ones before.
_COMPARED_BYTES = 2 * IN_FLIGHT_BYTES


class Source:
    """The bytes to send, from any offset on."""

    def __init__(self, content: Content, file: BinaryIO | None) -> None:
        self.bytes = content.bytes
        self._content = memoryview(content.source) if isinstance(content.source, bytes) else None
        self._file = file

    def at(self, offset: int, length: int) -> bytes:
        """Return the bytes at an offset."""
        if self._content is not None:
            return bytes(self._content[offset : offset + length])
        assert self._file is not None  # noqa: S101 - one of the two is there
        self._file.seek(offset)
        return self._file.read(length)

    def blocks(self, offset: int, length: int) -> Iterator[memoryview]:
        """Yield blocks from an offset to the end."""
        while block := self.at(offset, length):
            yield memoryview(block)
            offset += len(block)


@contextmanager
def opened(content: Content) -> Iterator[Source]:
    """Open what is to be sent. A part that is gone from the lake is no fault of the destination."""
    if isinstance(content.source, bytes):
        yield Source(content, None)
        return
    with content.source.open("rb", buffering=0) as file:
        yield Source(content, file)


@contextmanager
def target(session: SftpSession, destination: str, path: str, source: Source) -> Iterator[tuple[bytes, int]]:
    """Open what an earlier attempt left, or a new file, with the folders above it; yield it and where to begin."""
    offset = _standing_bytes(session, destination, path, source)
    with ExitStack() as stack:
        try:
            handle = stack.enter_context(session.writing(path, is_new=offset is None))
        except StatusError as error:
            if error.code not in GONE:
                raise
            _make_folders(session, destination, path.rpartition("/")[0])
            offset = None
            handle = stack.enter_context(session.writing(path, is_new=True))
        yield handle, offset or 0


def _standing_bytes(session: SftpSession, destination: str, path: str, source: Source) -> int | None:
    """Return how much of the upload stands there already, or None after removing what is of no use."""
    with sftp_errors(destination, "look at files", path):
        standing = session.lstat(path)
    if standing is None:
        return None
    if standing.is_file and 0 < standing.bytes <= source.bytes and _ends_alike(session, path, standing.bytes, source):
        return standing.bytes
    with sftp_errors(destination, "delete files", path):
        session.remove(path)
    return None


def _ends_alike(session: SftpSession, path: str, size: int, source: Source) -> bool:
    position = max(0, size - _COMPARED_BYTES)
    try:
        with session.reading(path) as handle:
            for block in session.read(handle, offset=position):
                if source.at(position, len(block)) != block:
                    return False
                position += len(block)
    except StatusError:
        # Some customers let nobody read what was uploaded; then it is sent anew.
        return False
    return position == size


def _make_folders(session: SftpSession, destination: str, folder: str) -> None:
    """Create a folder and those above it; that others create them at the same time is fine."""
    missing = [folder]
    while missing:
        path = missing[-1]
        try:
            session.make_folder(path)
        except StatusError as error:
            above = path.rpartition("/")[0]
            if error.code in GONE and above not in {"", "."}:
                missing.append(above)
                continue
            # Servers say "failure", "exists" or "permission denied" of a folder that is there.
            with sftp_errors(destination, "look at files", path):
                standing = session.stat(path)
            if standing is None:
                with sftp_errors(destination, "create folders", path):
                    raise
            if standing.mode is not None and not standing.is_folder:
                raise in_the_way(destination, path) from error
        missing.pop()


def in_the_way(destination: str, path: str) -> DestinationRefused:
    """Return the error for a file where a folder should be, or the other way round."""
    return DestinationRefused(
        f"something stands in the way at destination '{destination}'",
        where=path,
        expected="folders above the name, and no folder of the name itself",
        todo="remove what stands in the way of the path, or change the name",
    )


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at the destination; ``sha256`` is None where only the size was asked."""

    bytes: int
    sha256: str | None = None

    def __str__(self) -> str:
        return shown(self.bytes, self.sha256)

    def proves(self, content: Content) -> bool:
        """Say whether it is the content, as far as it was asked."""
        return self.bytes == content.bytes and self.sha256 in {None, content.sha256}


def found_bytes(session: SftpSession, path: str) -> Found | None:
    """Return the size of a file, or None if there is none."""
    standing = session.stat(path)
    return Found(standing.bytes) if standing is not None and standing.is_file else None


def read_back(session: SftpSession, path: str, sent: Callable[[int], None]) -> Found:
    """Read a file and return its size and sha256."""
    with session.reading(path) as handle:
        return Found(*digest_of(session.read(handle), sent))

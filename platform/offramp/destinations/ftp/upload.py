"""One upload over FTP: gone on with where an earlier one broke off, and proved before anybody hears of it."""

from __future__ import annotations

import ftplib
import io
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from offramp.destinations.ftp.connection import CutShort, FtpClient, retrieve, store
from offramp.destinations.ftp.looks import look
from offramp.destinations.uploads import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from offramp.domain.contents import Content


@dataclass
class Begun:
    """What this process knows of an upload: whose bytes it sends, and how many of them were told to be out.

    ``is_stuck`` where the server did not take one byte in time, though it answered before: vsftpd locks a file for
    the connection that writes it, also for one that is dead, and lets others wait.
    """

    sha256: str
    told_bytes: int = 0
    is_stuck: bool = False


class Upload:
    """The bytes of a content on their way to a path.

    ``begun`` outlives it, for the next try. ``making`` is entered while folders are made, to tell their errors.
    """

    def __init__(
        self,
        client: FtpClient,
        path: str,
        begun: Begun,
        *,
        sent: Callable[[int], None],
        making: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._client = client
        self.path = path
        self._begun = begun
        self._sent = sent
        self._making = making

    def bring(self, source: BinaryIO, offset: int) -> None:
        """Send everything from an offset on. At 0, in place of whatever stands there."""
        self._take_back_to(offset)
        if offset:
            self._rest(source, offset)
        else:
            self._fresh(source)

    def _fresh(self, source: BinaryIO) -> None:
        try:
            self._store("STOR", source, 0)
        except ftplib.error_perm:
            # Most uploads find their folder: it is made only when the server misses it. Where none is missing by now,
            # another thread made it since: then this is worth a second try, too.
            if source.tell():
                raise
            with self._making():
                make_folders(self._client, self.path.rpartition("/")[0])
            self._store("STOR", source, 0)

    def _rest(self, source: BinaryIO, offset: int) -> None:
        """Go on: REST first, since it writes where we say, even if the server still flushes what came before.

        Servers without it, and accounts that may not, get APPE; where both are refused it begins anew.
        """
        for command in ("STOR", "APPE"):
            try:
                self._store(command, source, offset)
            except ftplib.error_perm:
                if source.tell() != offset:
                    raise
            else:
                return
        self._take_back_to(0)
        self._fresh(source)

    def _store(self, command: str, source: BinaryIO, offset: int) -> None:
        source.seek(offset)
        rest = offset if offset and command == "STOR" else None
        try:
            store(self._client, f"{command} {self.path}", source, self._count, rest)
        except TimeoutError:
            self._begun.is_stuck = source.tell() == offset
            raise

    def _count(self, size: int) -> None:
        self._begun.told_bytes += size
        self._sent(size)

    def _take_back_to(self, offset: int) -> None:
        if self._begun.told_bytes > offset:
            self._count(offset - self._begun.told_bytes)


def make_folders(client: FtpClient, folder: str) -> None:
    """Make what is missing of a folder and those above it."""
    missing = []
    while folder.strip("/") and not client.try_command(f"CWD {folder}"):
        missing.append(folder)
        folder = folder.rpartition("/")[0]
    for one in reversed(missing):
        try:
            client.voidcmd(f"MKD {one}")
        except ftplib.error_perm:
            # Another run may have made it in between.
            if not client.try_command(f"CWD {one}"):
                raise


def content_at(client: FtpClient, path: str, sent: Callable[[int], None]) -> tuple[int, str]:
    """Return the bytes and the sha256 of what stands under a path."""
    return digest_of(whole(client, path), sent)


def whole(client: FtpClient, path: str) -> Iterator[bytes]:
    """Yield a file. An end without the end of TLS counts as a cut unless the size that the server tells came."""
    size = 0
    try:
        for block in retrieve(client, f"RETR {path}"):
            size += len(block)
            yield block
    except CutShort:
        if look(client, path) != size:
            raise


@contextmanager
def opened(content: Content) -> Iterator[BinaryIO]:
    """Open what is to be sent, to be read from any offset."""
    if isinstance(content.source, bytes):
        yield io.BytesIO(content.source)
    else:
        with content.source.open("rb") as file:
            yield file

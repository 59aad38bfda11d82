"""The packets of SFTP, version 3: how their fields are read and written."""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OK, END, NO_SUCH_FILE, PERMISSION_DENIED, FAILURE, BAD_MESSAGE = 0, 1, 2, 3, 4, 5
UNSUPPORTED, NO_SUCH_PATH, EXISTS, NO_SPACE, QUOTA_EXCEEDED = 8, 10, 11, 14, 15
GONE = {NO_SUCH_FILE, NO_SUCH_PATH}
_WORDS = {2: "no such file", 3: "permission denied", 4: "failure", 5: "bad message", 8: "operation unsupported"}


class StatusError(Exception):
    """The server refused a request; ``code`` is SSH_FX_... of the protocol."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text or _WORDS.get(code, "an error")
        super().__init__(f"{self.text} (SFTP status {code})")


class GarbageError(Exception):
    """What came is not SFTP: often the greeting of a shell script."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a server tells of a file; ``mode`` and ``mtime`` are None where it does not."""

    bytes: int
    mode: int | None
    mtime: int | None

    @property
    def is_file(self) -> bool:
        """A server that tells no mode is asked for files only."""
        return self.mode is None or stat.S_ISREG(self.mode)

    @property
    def is_folder(self) -> bool:
        """Say whether it is a folder and no link to one."""
        return self.mode is not None and stat.S_ISDIR(self.mode)


class Reader:
    """A packet, read field by field."""

    def __init__(self, packet: bytes, position: int) -> None:
        self._packet = packet
        self._position = position

    def number(self) -> int:
        """Read 32 bits."""
        return int(self._take(">I", 4))

    def long(self) -> int:
        """Read 64 bits."""
        return int(self._take(">Q", 8))

    def text(self) -> bytes:
        """Read a text of any length."""
        length = self.number()
        begin, self._position = self._position, self._position + length
        if self._position > len(self._packet):
            raise GarbageError("a packet that ends too early")
        return self._packet[begin : self._position]

    def message(self) -> str:
        """Old servers leave the words out."""
        return self.text().decode(errors="replace").strip() if self._position < len(self._packet) else ""

    def pairs(self) -> Iterator[bytes]:
        """Read pairs to the end and yield the first of each."""
        while self._position < len(self._packet):
            yield self.text()
            self.text()

    def attributes(self) -> Attributes:
        """Read what is told of a file."""
        flags = self.number()
        size = self.long() if flags & 0x01 else 0
        if flags & 0x02:
            self.number(), self.number()
        mode = self.number() if flags & 0x04 else None
        mtime = None
        if flags & 0x08:
            self.number()
            mtime = self.number()
        if flags & 0x8000_0000:
            for _ in range(self.number()):
                self.text(), self.text()
        return Attributes(size, mode, mtime)

    def _take(self, form: str, length: int) -> int:
        if self._position + length > len(self._packet):
            raise GarbageError("a packet that ends too early")
        (value,) = struct.unpack_from(form, self._packet, self._position)
        self._position += length
        return int(value)


def packed(text: str | bytes) -> bytes:
    """Return a text with its length before it."""
    encoded = text.encode() if isinstance(text, str) else text
    return struct.pack(">I", len(encoded)) + encoded


def read_request(handle: bytes, offset: int, length: int) -> bytes:
    """Return the fields of a request to read."""
    return packed(handle) + struct.pack(">QI", offset, length)


def unicode_name(name: bytes) -> str | None:
    """Return a name, or None if it is no UTF-8."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return None

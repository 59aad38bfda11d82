"""The SFTP protocol, version 3 with OpenSSH's extensions, over one channel of an SSH connection.

paramiko's own client is not used: it drops the status code of a failure and what the server says of the last pipelined
writes and of a close, hides which extensions there are, and stops at a foreign name that is not UTF-8.
"""

from __future__ import annotations

import stat
import struct
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from offramp.destinations.sftp.packets import (
    END,
    GONE,
    OK,
    PERMISSION_DENIED,
    UNSUPPORTED,
    Attributes,
    GarbageError,
    Reader,
    StatusError,
    packed,
    read_request,
    unicode_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from paramiko import Channel, Transport

_INIT, _VERSION, _OPEN, _CLOSE, _READ, _WRITE, _LSTAT, _FSTAT = 1, 2, 3, 4, 5, 6, 7, 8
_OPENDIR, _READDIR, _REMOVE, _MKDIR, _STAT, _RENAME = 11, 12, 13, 14, 17, 18
_STATUS, _HANDLE, _DATA, _NAME, _ATTRIBUTES, _EXTENDED, _EXTENDED_REPLY = 101, 102, 103, 104, 105, 200, 201
_FOR_READING, _FOR_WRITING_ANEW, _FOR_WRITING_ON = 0x01, 0x02 | 0x08 | 0x20, 0x01 | 0x02


# Every server takes packets of 34,000 bytes (draft-ietf-secsh-filexfer-02, section 3); more only where it says so.
_SAFE_BYTES = 32_000
_MOST_BYTES = 256 * 1024 - 1024
_MOST_PACKET_BYTES = 16 * 1024 * 1024
IN_FLIGHT_BYTES = 2 * 1024 * 1024


class SftpSession:
    """One SFTP session and the SSH connection under it. For one thread at a time."""

    def __init__(self, transport: Transport, channel: Channel) -> None:
        self._transport = transport
        self._channel = channel
        self._received = bytearray()
        self._number = 0
        self._waiting: set[int] = set()
        self._answers: dict[int, tuple[int, Reader]] = {}
        self._send(_INIT, struct.pack(">I", 3))
        kind, reader = self._receive()
        if kind != _VERSION:
            raise GarbageError(f"packet type {kind} instead of the version")
        self.version = reader.number()
        self.extensions = set(reader.pairs()) if self.version >= 3 else set()
        self.block_bytes = self._agreed_bytes()

    @property
    def is_usable(self) -> bool:
        """Say whether the connection lives and no answer is outstanding."""
        return not self._waiting and self._transport.is_active() and not self._channel.closed

    def close(self) -> None:
        """End the connection and its thread."""
        close_transport(self._transport)

    def stat(self, path: str) -> Attributes | None:
        """Return what a path leads to, links followed, or None."""
        return self._attributes(_STAT, path)

    def lstat(self, path: str) -> Attributes | None:
        """Return what stands at a path, or None."""
        return self._attributes(_LSTAT, path)

    def make_folder(self, path: str) -> None:
        """Create one folder."""
        self._ask(_MKDIR, packed(path) + struct.pack(">I", 0))

    def remove(self, path: str) -> None:
        """Remove a file."""
        self._ask(_REMOVE, packed(path))

    def rename(self, old: str, new: str) -> None:
        """Rename; where the new name is taken, most servers refuse."""
        self._ask(_RENAME, packed(old) + packed(new))

    def rename_over(self, old: str, new: str) -> None:
        """Rename in one step, in place of whatever stands there. StatusError UNSUPPORTED where the server cannot."""
        if b"posix-rename@openssh.com" not in self.extensions:
            raise StatusError(UNSUPPORTED, "posix-rename@openssh.com is not offered")
        self._ask(_EXTENDED, packed("posix-rename@openssh.com") + packed(old) + packed(new))

    def sync(self, handle: bytes) -> None:
        """Bring a file to the disk, where the server can be asked to."""
        if b"fsync@openssh.com" not in self.extensions:
            return
        try:
            self._ask(_EXTENDED, packed("fsync@openssh.com") + packed(handle))
        except StatusError as error:
            # An administrator can deny single requests (sftp-server -P fsync).
            if error.code not in {UNSUPPORTED, PERMISSION_DENIED}:
                raise

    @contextmanager
    def reading(self, path: str) -> Iterator[bytes]:
        """Open a file for reading."""
        with self._opened(path, _FOR_READING) as handle:
            yield handle

    @contextmanager
    def writing(self, path: str, *, is_new: bool) -> Iterator[bytes]:
        """Open a file for writing: one that was not there before, or one that is gone on with."""
        with self._opened(path, _FOR_WRITING_ANEW if is_new else _FOR_WRITING_ON) as handle:
            yield handle

    def write(self, handle: bytes, offset: int, blocks: Iterable[memoryview]) -> Iterator[int]:
        """Write blocks of at most ``block_bytes`` one after another from an offset, many on their way at a time.

        Yields the bytes of each block as the server says that it has them.
        """
        on_the_way: deque[tuple[int, int]] = deque()
        count = 0
        for block in blocks:
            head = packed(handle) + struct.pack(">QI", offset, len(block))
            on_the_way.append((self._request(_WRITE, head, block), len(block)))
            offset += len(block)
            count += len(block)
            while count > IN_FLIGHT_BYTES:
                yield self._written(*on_the_way[0])
                count -= on_the_way.popleft()[1]
        for number, length in on_the_way:
            yield self._written(number, length)

    def read(self, handle: bytes, *, offset: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file from an offset, to its end or to ``end``, many requests on their way at a time."""
        size = self._size(handle)
        end = size if end is None else min(end, size)
        most = max(2, IN_FLIGHT_BYTES // self.block_bytes)
        on_the_way: deque[tuple[int, int, int]] = deque()
        while offset < end or on_the_way:
            while offset < end and len(on_the_way) < most:
                length = min(self.block_bytes, end - offset)
                on_the_way.append((self._request(_READ, read_request(handle, offset, length)), offset, length))
                offset += length
            number, begin, length = on_the_way.popleft()
            block = self._answer(number, _DATA)
            # A server may send less than was asked for.
            while block is not None:
                content = block.text()
                yield content
                begin, length = begin + len(content), length - len(content)
                if not length or not content:
                    break
                block = self._answer(self._request(_READ, read_request(handle, begin, length)), _DATA)

    def folder(self, path: str) -> Iterator[tuple[str, Attributes]]:
        """Yield the names in a folder; foreign ones that are no UTF-8 are left out, since no name of ours is."""
        handle = self._ask(_OPENDIR, packed(path), _HANDLE).text()
        try:
            while (names := self._answer(self._request(_READDIR, packed(handle)), _NAME)) is not None:
                for _ in range(names.number()):
                    name, long_name, attributes = names.text(), names.text(), names.attributes()
                    if attributes.mode is None and long_name[:1] in {b"d", b"l"}:
                        kind = stat.S_IFDIR if long_name[:1] == b"d" else stat.S_IFLNK
                        attributes = Attributes(attributes.bytes, kind, attributes.mtime)
                    if name not in {b".", b".."} and b"/" not in name and (text := unicode_name(name)) is not None:
                        yield text, attributes
        finally:
            if self.is_usable:
                self._ask(_CLOSE, packed(handle))

    @contextmanager
    def _opened(self, path: str, flags: int) -> Iterator[bytes]:
        handle = self._ask(_OPEN, packed(path) + struct.pack(">II", flags, 0), _HANDLE).text()
        try:
            yield handle
        except BaseException:
            if self.is_usable:
                self._ask(_CLOSE, packed(handle))
            raise
        self._ask(_CLOSE, packed(handle))

    def _attributes(self, kind: int, path: str) -> Attributes | None:
        try:
            return self._ask(kind, packed(path), _ATTRIBUTES).attributes()
        except StatusError as error:
            if error.code in GONE:
                return None
            raise

    def _size(self, handle: bytes) -> int:
        return self._ask(_FSTAT, packed(handle), _ATTRIBUTES).attributes().bytes

    def _written(self, number: int, length: int) -> int:
        self._answer(number, _STATUS)
        return length

    def _agreed_bytes(self) -> int:
        if b"limits@openssh.com" not in self.extensions:
            return _SAFE_BYTES
        try:
            limits = self._ask(_EXTENDED, packed("limits@openssh.com"), _EXTENDED_REPLY)
        except StatusError:
            return _SAFE_BYTES
        _packet, read, write = limits.long(), limits.long(), limits.long()
        return min(read or _SAFE_BYTES, write or _SAFE_BYTES, _MOST_BYTES)

    def _ask(self, kind: int, payload: bytes, expected: int = _STATUS) -> Reader:
        answer = self._answer(self._request(kind, payload), expected)
        if answer is None:
            raise StatusError(END, "end of file")
        return answer

    def _request(self, kind: int, payload: bytes, block: memoryview | None = None) -> int:
        self._number = (self._number + 1) & 0xFFFF_FFFF
        self._waiting.add(self._number)
        self._send(kind, struct.pack(">I", self._number) + payload, block)
        return self._number

    def _answer(self, number: int, expected: int) -> Reader | None:
        """Wait for the answer to a request, in whatever order they come. None says that there is no more to read."""
        while number not in self._answers:
            kind, reader = self._receive()
            answered = reader.number()
            if answered not in self._waiting:
                raise GarbageError(f"an answer to request {answered}, which was not sent")
            self._waiting.discard(answered)
            self._answers[answered] = (kind, reader)
        kind, reader = self._answers.pop(number)
        if kind == _STATUS:
            code = reader.number()
            if code == END:
                return None
            if code != OK:
                raise StatusError(code, reader.message())
        elif kind != expected:
            raise GarbageError(f"packet type {kind} instead of {expected}")
        return reader

    def _send(self, kind: int, payload: bytes, block: memoryview | None = None) -> None:
        length = 1 + len(payload) + (len(block) if block is not None else 0)
        head = struct.pack(">IB", length, kind) + payload
        if block is None:
            self._channel.sendall(head)
            return
        # The first packet of SSH carries the head with it; the rest goes out without being copied together.
        first = _SAFE_BYTES - len(head)
        self._channel.sendall(head + bytes(block[:first]))
        for begin in range(first, len(block), _SAFE_BYTES):
            self._channel.sendall(bytes(block[begin : begin + _SAFE_BYTES]))

    def _receive(self) -> tuple[int, Reader]:
        (length,) = struct.unpack(">I", self._take(4))
        if not 1 <= length <= _MOST_PACKET_BYTES:
            raise GarbageError(f"a packet of {length:,} bytes")
        packet = self._take(length)
        return packet[0], Reader(packet, 1)

    def _take(self, count: int) -> bytes:
        while len(self._received) < count:
            block = self._channel.recv(256 * 1024)
            if not block:
                raise EOFError("the server closed the SFTP session")
            self._received += block
        taken = bytes(self._received[:count])
        del self._received[:count]
        return taken


def close_transport(transport: Transport) -> None:
    """End a connection and wait for its thread.

    paramiko limits the handshake by a timer of its own, which outlives a failed one and holds up the end of the
    process unless it is told that the handshake is over.
    """
    transport.close()
    transport.packetizer.complete_handshake()
    if transport.is_alive():
        transport.join(5)

"""The protocol itself: servers that answer out of turn, send less than was asked for, or talk garbage."""

from __future__ import annotations

import os
import random
import struct
from typing import Any

import pytest

from offramp.destinations.sftp.packets import GarbageError, StatusError
from offramp.destinations.sftp.session import SftpSession

CONTENT = os.urandom(3_000_000)


class OddServer:
    """A channel to a server that answers all it has in random order, and reads at most 10,000 bytes at a time.

    OpenSSH answers in turn and in full, but others need not, and do not.
    """

    closed = False

    def __init__(self, greeting: bytes = struct.pack(">IBI", 5, 2, 3)) -> None:
        self.received = bytearray()
        self.answers: list[bytes] = []
        self.out = bytearray(greeting)
        self.written = bytearray(len(CONTENT))
        self.random = random.Random(7)  # noqa: S311 - an order that repeats

    def is_active(self) -> bool:
        return True

    def sendall(self, block: bytes) -> None:
        self.received += block
        while len(self.received) >= 4 and len(self.received) >= 4 + (length := self._number(0)):
            packet = bytes(self.received[4 : 4 + length])
            del self.received[: 4 + length]
            if packet[0] != 1:
                self.answers.append(self._answer(packet[0], packet[1:5], packet[5:]))

    def recv(self, _count: int) -> bytes:
        if not self.out:
            self.random.shuffle(self.answers)
            self.out += b"".join(self.answers)
            self.answers.clear()
        cut = self.random.randint(1, 5_000)
        block = bytes(self.out[:cut])
        del self.out[:cut]
        return block

    def _number(self, at: int) -> int:
        return int.from_bytes(self.received[at : at + 4], "big")

    def _answer(self, kind: int, number: bytes, fields: bytes) -> bytes:
        if kind == 3:
            return self._packet(102, number + struct.pack(">I1s", 1, b"h"))
        if kind == 8:
            return self._packet(105, number + struct.pack(">IQ", 1, len(CONTENT)))
        if kind == 5:
            offset, length = struct.unpack(">QI", fields[5:])
            block = CONTENT[offset : offset + min(length, 10_000)]
            return self._packet(103, number + struct.pack(">I", len(block)) + block)
        if kind == 6:
            offset, length = struct.unpack(">QI", fields[5:17])
            assert length == len(fields) - 17
            self.written[offset : offset + length] = fields[17:]
        return self._packet(101, number + struct.pack(">I", 4 if kind == 14 else 0))

    def _packet(self, kind: int, payload: bytes) -> bytes:
        return struct.pack(">IB", 1 + len(payload), kind) + payload


def session(server: Any) -> SftpSession:
    return SftpSession(server, server)


@pytest.mark.parametrize("begin", [0, 1, 2_999_999, 3_000_000])
def test_a_file_is_read_whole_from_answers_that_are_short_and_out_of_turn(begin: int) -> None:
    opened = session(OddServer())
    with opened.reading("users.csv") as handle:
        assert b"".join(opened.read(handle, offset=begin)) == CONTENT[begin:]
    assert opened.is_usable


def test_every_byte_of_a_write_is_answered_for() -> None:
    server = OddServer()
    opened = session(server)
    blocks = [memoryview(CONTENT)[begin : begin + 31_999] for begin in range(0, len(CONTENT), 31_999)]
    with opened.writing("users.csv", is_new=True) as handle:
        counts = list(opened.write(handle, 0, blocks))
        opened.sync(handle)
    assert sum(counts) == len(CONTENT)
    assert server.written == CONTENT
    assert opened.is_usable


def test_a_status_without_words_is_told_by_its_number() -> None:
    with pytest.raises(StatusError, match=r"failure \(SFTP status 4\)"):
        session(OddServer()).make_folder("media")


@pytest.mark.parametrize(
    "greeting", [b"Welcome to our server!\r\n", struct.pack(">IBI", 5, 101, 3), struct.pack(">IB", 1, 2)]
)
def test_what_is_no_sftp_is_told(greeting: bytes) -> None:
    with pytest.raises(GarbageError):
        session(OddServer(greeting))


def test_the_end_of_the_connection_is_told() -> None:
    with pytest.raises(EOFError, match="closed"):
        session(OddServer(b""))

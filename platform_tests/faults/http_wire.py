"""Heads and bodies of HTTP/1.1 as they lie on the wire, so that a proxy can pass them on byte for byte."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, overload

from platform_tests.faults.arming import delivered, reset_at_close

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_BLOCK_BYTES = 256 * 1024


class Closed(Exception):
    """A side ended in the middle of something."""


@dataclass(frozen=True)
class Framing:
    """Where a body ends: after ``length`` bytes, after the last chunk, or with the connection."""

    kind: Literal["length", "chunked", "until_close"]
    length: int = 0

    @property
    def ends_by_itself(self) -> bool:
        return self.kind != "until_close"


_NO_BODY = Framing("length", 0)


@dataclass(frozen=True)
class Head:
    """The first line and the headers."""

    raw: bytes

    @cached_property
    def _lines(self) -> list[str]:
        return self.raw.decode("latin-1").split("\r\n")

    @cached_property
    def headers(self) -> dict[str, str]:
        pairs = (line.partition(":") for line in self._lines[1:] if line)
        return {name.strip().lower(): value.strip() for name, _, value in pairs}

    @property
    def request_line(self) -> tuple[str, str]:
        method, target, _ = self._lines[0].split(" ", 2)
        return method, target

    @property
    def status(self) -> int:
        return int(self._lines[0].split(" ")[1])

    @property
    def is_interim(self) -> bool:
        return self.status < 200

    @property
    def expects_continue(self) -> bool:
        return self.headers.get("expect", "").lower() == "100-continue"

    @property
    def closes(self) -> bool:
        return self.headers.get("connection", "").lower() == "close" or "HTTP/1.0" in self._lines[0]

    @property
    def request_framing(self) -> Framing:
        if "chunked" in self.headers.get("transfer-encoding", ""):
            return Framing("chunked")
        return Framing("length", int(self.headers.get("content-length", 0)))

    def answer_framing(self, method: str) -> Framing:
        if method == "HEAD" or self.status in {204, 304}:
            return _NO_BODY
        if "chunked" in self.headers.get("transfer-encoding", ""):
            return Framing("chunked")
        if "content-length" in self.headers:
            return Framing("length", int(self.headers["content-length"]))
        return Framing("until_close")

    def pointing_at(self, server: str, host: str) -> Head:
        """The head with a Location at the server turned to the host that the client asked."""
        found = re.compile(rb"(?im)^(location: *https?://)" + re.escape(server.encode()))
        return Head(found.sub(lambda match: match[1] + host.encode(), self.raw))

    def with_length(self, length: int) -> bytes:
        """The head for another body."""
        kept = re.sub(rb"(?im)^(content-length|transfer-encoding):.*\r\n", b"", self.raw)
        return kept[:-2] + f"Content-Length: {length}\r\n\r\n".encode()


class Side:
    """A connection whose sent bytes have left the process when ``send`` returns."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer
        writer.transport.set_write_buffer_limits(high=0)

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def delivered(self) -> None:
        """Wait until the other side's kernel has what was sent."""
        await delivered(self._writer.get_extra_info("socket"))

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    def abort(self) -> None:
        """End it by RST."""
        if not self._writer.transport.is_closing():
            reset_at_close(self._writer.get_extra_info("socket"))
        self._writer.transport.abort()


@overload
async def read_head(reader: asyncio.StreamReader) -> Head: ...
@overload
async def read_head(reader: asyncio.StreamReader, *, at_rest: bool) -> Head | None: ...
async def read_head(reader: asyncio.StreamReader, *, at_rest: bool = False) -> Head | None:
    """Read to the empty line; ``at_rest`` an end of the connection is none of an error, and gives None."""
    try:
        return Head(await reader.readuntil(b"\r\n\r\n"))
    except asyncio.IncompleteReadError as error:
        if at_rest and not error.partial:
            return None
        raise Closed from error


async def body_of(reader: asyncio.StreamReader, framing: Framing) -> AsyncIterator[tuple[bytes, bool]]:
    """Yield the bytes of a body as they come, and of each piece whether it is payload or framing."""
    if framing.kind == "until_close":
        while piece := await reader.read(_BLOCK_BYTES):
            yield piece, True
    elif framing.kind == "length":
        async for piece in _exactly(reader, framing.length):
            yield piece, True
    else:
        async for part in _chunks(reader):
            yield part


async def _exactly(reader: asyncio.StreamReader, length: int) -> AsyncIterator[bytes]:
    while length:
        piece = await reader.read(min(length, _BLOCK_BYTES))
        if not piece:
            raise Closed
        length -= len(piece)
        yield piece


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[tuple[bytes, bool]]:
    try:
        while size := int((line := await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
            yield line, False
            async for piece in _exactly(reader, size):
                yield piece, True
            yield await reader.readexactly(2), False
        yield line, False
        while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
            yield line, False
        yield line, False
    except asyncio.IncompleteReadError as error:
        raise Closed from error

"""A reverse proxy before an object store, that breaks the requests a test names.

::

    with HttpProxy("127.0.0.1", server.port) as proxy:
        proxy.answer(SLOW_DOWN, method="PUT", path=r"partNumber=2")
        ...                                  # endpoint http://127.0.0.1:proxy.port
        proxy.expect_all_hit()               # a fault that never happened fails the test

Every arming method takes the same filter: ``method``, ``path`` (a regular expression that is searched in the raw path
and query), ``nth`` (the first of the matching requests to hit, from 1, counted since arming) and ``times`` (how many
requests, None for ever). One fault acts on a request: the first armed that is due. Bytes are counted in the body,
without the framing of chunks. What is not broken passes byte for byte, heads included, so that signatures hold.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self, TypedDict, Unpack

from platform_tests.faults.arming import Fault, LoopThread, expect_hits, listen_at
from platform_tests.faults.http_wire import Closed, Framing, Head, Side, body_of, read_head

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from platform_tests.faults.answers import Answer

Half = Literal["request", "answer"]


class Filter(TypedDict, total=False):
    """Which requests a fault hits."""

    method: str
    path: str
    nth: int
    times: int | None


@dataclass(frozen=True)
class _Plan:
    """What happens to a request; ``kind`` at byte ``at`` of one half of it."""

    kind: Literal["flip", "cut", "stall", "none"] = "none"
    half: Half = "request"
    at: int = 0
    seconds: float | None = None
    forward: bool = True
    answer: Answer | None = None
    lose: bool = False
    swap: Callable[[bytes], bytes] | None = None


@dataclass
class Exchange:
    """A request in the log, from when its head has come in; ``status`` is None as long as no answer begins.

    ``broken_by`` names the fault that hit it.
    """

    method: str
    target: str
    status: int | None = None
    bytes_up: int = 0
    bytes_down: int = 0
    broken_by: str | None = None


class RequestFault(Fault):
    """A fault of the requests that match."""

    def __init__(self, loop: LoopThread, told_as: str, plan: _Plan, which: Filter) -> None:
        super().__init__(loop, f"{told_as} for {dict(which)}", which.get("times", 1))
        self.plan = plan
        self.matched = 0
        self._method = which.get("method")
        self._path = re.compile(which.get("path", ""))
        self._nth = which.get("nth", 1)

    def due(self, head: Head) -> bool:
        """Count a request if it matches, and say whether it is to be hit."""
        method, target = head.request_line
        if self._method not in {None, method} or not self._path.search(target):
            return False
        self.matched += 1
        return self.armed and self.matched >= self._nth and self._reaches(head.request_framing)

    def _reaches(self, framing: Framing) -> bool:
        needed = self.plan.at + (self.plan.kind == "flip") if self.plan.half == "request" else 0
        return framing.kind != "length" or framing.length >= needed


class _Cut(Exception):
    """Both sides get RST."""


class HttpProxy:
    """A reverse proxy on a free port; ``requests`` is its log."""

    def __init__(self, target_host: str, target_port: int, *, listen: str = "127.0.0.1") -> None:
        self.host = listen
        self.requests: list[Exchange] = []
        self.connections = 0
        self._target = (target_host, target_port)
        self._faults: list[RequestFault] = []
        listener = listen_at(listen, 0)
        self.port: int = listener.getsockname()[1]
        self._loop = LoopThread()
        self._server = self._loop.run(asyncio.start_server(self._serve, sock=listener, limit=1024 * 1024))

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all connections, and the thread."""
        self._loop.call(self._server.close)
        self._loop.end()

    # What a test arms.

    def answer(self, answer: Answer, **which: Unpack[Filter]) -> RequestFault:
        """Answer in the server's place; the request does not get there.

        A client that waits for "100 Continue" gets the answer in its place and its connection ends, as servers do it.
        """
        return self._arm(f"answer {answer.status}", _Plan(forward=False, answer=answer), which)

    def lose_answer(self, answer: Answer | None = None, **which: Unpack[Filter]) -> RequestFault:
        """Have the server do the work, and answer something else; without an answer, reset the connection."""
        plan = _Plan(answer=answer, lose=answer is None)
        return self._arm(f"lose the answer, {answer.status if answer else 'reset'}", plan, which)

    def error_in_200(self, error: Answer, *, forward: bool = False, **which: Unpack[Filter]) -> RequestFault:
        """Answer 200 with the body of an error, as S3 may end a CompleteMultipartUpload or a CopyObject."""
        answer = type(error)(200, error.body, error.headers)
        return self._arm("error in 200", _Plan(forward=forward, answer=answer), which)

    def cut_request(self, after_bytes: int, **which: Unpack[Filter]) -> RequestFault:
        """Reset both sides once the server has so many bytes of the body."""
        return self._arm(f"cut the request at {after_bytes}", _Plan("cut", "request", after_bytes), which)

    def cut_answer(self, after_bytes: int, **which: Unpack[Filter]) -> RequestFault:
        """Reset both sides once the client has the head and so many bytes of the body."""
        return self._arm(f"cut the answer at {after_bytes}", _Plan("cut", "answer", after_bytes), which)

    def stall(
        self, half: Half = "answer", *, after_bytes: int = 0, seconds: float | None = None, **which: Unpack[Filter]
    ) -> RequestFault:
        """Hold up one half of the exchange for a time, or until ``release()`` or ``restore()``.

        After 0 bytes means before the head: a request the server does not hear of, or an answer it has given.
        """
        plan = _Plan("stall", half, after_bytes, seconds)
        return self._arm(f"stall the {half} at {after_bytes}", plan, which)

    def flip_request(self, at_byte: int, **which: Unpack[Filter]) -> RequestFault:
        """Turn over one bit of a byte of the body, counted from 0."""
        return self._arm(f"flip the request at {at_byte}", _Plan("flip", "request", at_byte), which)

    def flip_answer(self, at_byte: int, **which: Unpack[Filter]) -> RequestFault:
        """Turn over one bit of a byte of the answer's body, counted from 0."""
        return self._arm(f"flip the answer at {at_byte}", _Plan("flip", "answer", at_byte), which)

    def swap_answer(self, swap: Callable[[bytes], bytes], **which: Unpack[Filter]) -> RequestFault:
        """Pass on another body under the server's head; Content-Length follows it."""
        return self._arm("swap the answer", _Plan(swap=swap), which)

    def retarget(self, port: int, host: str | None = None) -> None:
        """Send new requests elsewhere."""
        self._target = (host or self._target[0], port)

    def restore(self) -> None:
        """Disarm everything, and release what is held up."""
        for fault in self._faults:
            fault.disarm()
            fault.release()

    def expect_all_hit(self) -> None:
        """Fail if a fault that was ever armed here did not happen as often as it was armed for."""
        expect_hits(self._faults)

    # What the loop's thread does.

    def _arm(self, told_as: str, plan: _Plan, which: Filter) -> RequestFault:
        fault = RequestFault(self._loop, told_as, plan, which)
        self._loop.call(lambda: self._faults.append(fault))
        return fault

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        client = Side(reader, writer)
        try:
            while await self._exchange(client):
                pass
            await client.close()
        except (_Cut, OSError, Closed, asyncio.CancelledError):
            pass
        finally:
            client.abort()  # what befell the server's side befalls the client, and so does the end of the proxy

    async def _exchange(self, client: Side) -> bool:
        """Pass one request and its answer; say whether the client's connection goes on."""
        head = await read_head(client.reader, at_rest=True)
        if head is None:
            return False
        method, target = head.request_line
        record = Exchange(method, target)
        self.requests.append(record)
        due = [fault for fault in self._faults if fault.due(head)]
        fault = due[0] if due else None
        if fault is not None:
            fault.take()
        passage = _Passage(client, head, record, fault)
        try:
            if not passage.plan.forward:
                return await passage.answer_in_place()
            return await passage.forward(self._target)
        finally:
            if fault is not None and not passage.is_hit:
                fault.give_back()


class _Passage:
    """One request on its way, and what befalls it."""

    def __init__(self, client: Side, head: Head, record: Exchange, fault: RequestFault | None) -> None:
        self.client = client
        self.head = head
        self.record = record
        self.fault = fault
        self.plan = fault.plan if fault is not None else _Plan()
        self.is_hit = False
        self.may_send = not head.expects_continue

    async def answer_in_place(self) -> bool:
        """Answer without the server, after the body unless the client waits to be told to send it."""
        if self.may_send:
            async for piece, is_payload in body_of(self.client.reader, self.head.request_framing):
                self.record.bytes_up += len(piece) if is_payload else 0
        return await self._answer_otherwise(keep_alive=self.may_send)

    async def _answer_otherwise(self, *, keep_alive: bool) -> bool:
        self._hit()
        answer = self.plan.answer
        if answer is None:
            raise _Cut
        self.record.status = answer.status
        self.record.bytes_down = len(answer.body) if self.record.method != "HEAD" else 0
        await self.client.send(answer.to_wire(self.record.method, keep_alive=keep_alive))
        return keep_alive

    async def forward(self, target: tuple[str, int]) -> bool:
        """Pass the request on over a connection of its own, and the answer back, both at once."""
        if self._stalls_before("request"):
            await self._stall()
        server = Side(*await asyncio.open_connection(*target, limit=1024 * 1024))
        sending = asyncio.create_task(self._send(server))
        answering = asyncio.create_task(self._answer(server, target))
        try:
            await asyncio.wait([sending, answering], return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
            keep_alive = await answering
            if not self.may_send:
                return False
            await sending
            return keep_alive
        finally:
            sending.cancel()
            answering.cancel()
            await asyncio.gather(sending, answering, return_exceptions=True)
            server.abort()

    async def _send(self, server: Side) -> None:
        sink: Side | None = server
        await server.send(self.head.raw)
        async for piece, count in self._befalling(
            body_of(self.client.reader, self.head.request_framing), server, "request"
        ):
            self.may_send = True
            self.record.bytes_up += count
            # A server that has answered early stops to read; the client is heard out all the same.
            try:
                if sink is not None:
                    await sink.send(piece)
            except OSError:
                sink = None

    async def _answer(self, server: Side, target: tuple[str, int]) -> bool:
        while (head := await read_head(server.reader)).is_interim:
            self.may_send = True
            await self.client.send(head.raw)
        head = head.pointing_at("{}:{}".format(*target), self.head.headers.get("host", ""))
        framing = head.answer_framing(self.record.method)
        body = body_of(server.reader, framing)
        if self._stalls_before("answer"):
            await self._stall()
        keep_alive = framing.ends_by_itself and not (head.closes or self.head.closes)
        if self.plan.answer is not None or self.plan.lose:
            async for _ in body:
                pass
            return await self._answer_otherwise(keep_alive=True)
        self.record.status = head.status
        if self.plan.swap is not None:
            content = self.plan.swap(b"".join([piece async for piece, is_payload in body if is_payload]))
            self._hit()
            self.record.bytes_down = len(content)
            await self.client.send(head.with_length(len(content)) + content)
        else:
            await self.client.send(head.raw)
            async for piece, count in self._befalling(body, self.client, "answer"):
                self.record.bytes_down += count
                await self.client.send(piece)
        return keep_alive

    async def _befalling(
        self, body: AsyncIterator[tuple[bytes, bool]], sink: Side, half: Half
    ) -> AsyncIterator[tuple[bytes, int]]:
        """Yield what is to be sent, and how much of the body it is; the fault strikes between or in the pieces."""
        plan = self.plan if self.plan.half == half else _Plan()
        seen = 0
        if plan.kind == "cut" and plan.at == 0:
            await self._cut(sink)
        async for piece, is_payload in body:
            count = len(piece) if is_payload else 0
            here = plan.at - seen
            seen += count
            if plan.kind == "flip" and 0 <= here < count:
                self._hit()
                yield piece[:here] + bytes([piece[here] ^ 0x10]) + piece[here + 1 :], count
            elif plan.kind in {"cut", "stall"} and 0 < here <= count:
                yield piece[:here], here
                await (self._cut(sink) if plan.kind == "cut" else self._stall())
                yield piece[here:], count - here
            else:
                yield piece, count

    def _stalls_before(self, half: Half) -> bool:
        return (self.plan.kind, self.plan.half, self.plan.at) == ("stall", half, 0)

    async def _stall(self) -> None:
        self._hit()
        assert self.fault is not None
        with suppress(TimeoutError):
            await asyncio.wait_for(self.fault.released.wait(), self.plan.seconds)

    async def _cut(self, sink: Side) -> None:
        await sink.delivered()
        self._hit()
        raise _Cut

    def _hit(self) -> None:
        assert self.fault is not None
        self.is_hit = True
        self.record.broken_by = self.fault.told_as
        self.fault.hit()

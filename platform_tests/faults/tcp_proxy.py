"""Relays between a client and a real server that break the wire when a test says so.

::

    with TcpProxy("127.0.0.1", server.port) as proxy:
        cut = proxy.cut(after_bytes=1_000_000, direction="up")
        ...                                  # talk to 127.0.0.1:proxy.port
        proxy.expect_all_hit()               # a fault that never happened fails the test

"up" is from the client to the server. A fault counts the bytes of its direction, over all connections together, from
the moment it is armed, and hits the connection that carries the byte. With ``times`` above 1 the count begins again
after each hit; ``times=None`` is for ever. Faults can be armed side by side, and at any time.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from platform_tests.faults.arming import Fault, LoopThread, delivered, expect_hits, listen_at, reset_at_close

if TYPE_CHECKING:
    from collections.abc import Sequence

Direction = Literal["up", "down"]
_BLOCK_BYTES = 256 * 1024
_SLICES_PER_SECOND = 20


class WireFault(Fault):
    """A fault at a byte of one direction."""

    def __init__(
        self, loop: LoopThread, kind: Literal["cut", "stall", "flip"], direction: Direction, at: int, times: int | None
    ) -> None:
        super().__init__(loop, f"{kind} {direction} at {at} bytes", times)
        self.kind = kind
        self.direction = direction
        self.at = at
        self.seen = 0
        self.reset = True


@dataclass(eq=False)
class _Route:
    """A port that listens, and where its connections go."""

    listener: socket.socket
    host: str
    port: int


class _Cut(Exception):
    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self.reset = reset


class TcpProxy:
    """A relay; ``connections``, ``bytes_up`` and ``bytes_down`` count from its start."""

    def __init__(
        self, target_host: str, target_port: int, *, listen: str = "127.0.0.1", same_ports: Sequence[int] = ()
    ) -> None:
        """Relay a free port of ``listen`` to the target, or each of ``same_ports`` to the same port there."""
        self.host = listen
        self.connections = 0
        self.bytes_up = 0
        self.bytes_down = 0
        self._faults: list[WireFault] = []
        self._hang_ups: list[Fault] = []
        self._bytes_per_second: int | None = None
        self._relays: set[asyncio.Task[None]] = set()
        self._routes: list[_Route] = []
        try:
            for port in same_ports or [0]:
                self._routes.append(_Route(listen_at(listen, port), target_host, port or target_port))
        except OSError:
            for route in self._routes:
                route.listener.close()
            raise
        self.port: int = self._routes[0].listener.getsockname()[1]
        self._loop = LoopThread()
        self._loop.call(self._accept_all)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all connections by RST, and the thread."""
        self._loop.call(self._stop_listening)
        self._loop.end()
        for route in self._routes:
            route.listener.close()

    # What a test arms.

    def cut(
        self, *, after_bytes: int, direction: Direction = "up", reset: bool = True, times: int | None = 1
    ) -> WireFault:
        """End a connection once exactly so many bytes were delivered; with 0, before the next byte.

        With ``reset`` both sides get RST. Without, both see an orderly end (FIN) and what they still send is swallowed:
        the sender may think that everything arrived.
        """
        fault = WireFault(self._loop, "cut", direction, after_bytes, times)
        fault.reset = reset
        return self._arm(fault)

    def stall(self, *, after_bytes: int, direction: Direction = "up", times: int | None = 1) -> WireFault:
        """Hold up one direction of a connection after so many bytes, until ``release()`` or ``restore()``.

        The end of the other side does not pass either: the server believes in the connection, and on release gets the
        bytes that were on the way, however late that is.
        """
        return self._arm(WireFault(self._loop, "stall", direction, after_bytes, times))

    def flip(self, *, at_byte: int, direction: Direction = "up", times: int | None = 1) -> WireFault:
        """Turn over one bit of the byte with this number; the first is 0."""
        return self._arm(WireFault(self._loop, "flip", direction, at_byte, times))

    def slow(self, bytes_per_second: int) -> None:
        """Limit each direction of each connection."""
        self._bytes_per_second = bytes_per_second

    def refuse(self) -> None:
        """Stop listening: new connections get "connection refused"; open ones go on."""
        self._loop.call(self._stop_listening)

    def hang_up(self, *, times: int | None = 1) -> Fault:
        """Accept new connections and reset them at once."""
        fault = Fault(self._loop, "hang up", times)
        self._loop.call(lambda: self._hang_ups.append(fault))
        return fault

    def drop(self) -> int:
        """Reset every open connection; return how many there were."""
        return self._loop.run(self._drop())

    def retarget(self, port: int, host: str | None = None) -> None:
        """Send new connections elsewhere."""
        for route in self._routes:
            route.port = port
            route.host = host or route.host

    def restore(self) -> None:
        """Disarm everything, release what is held up, and listen again; connections that were ended stay ended."""
        self._bytes_per_second = None
        for fault in [*self._faults, *self._hang_ups]:
            fault.disarm()
            fault.release()
        self._loop.call(self._accept_all)

    def expect_all_hit(self) -> None:
        """Fail if a fault that was ever armed here did not happen as often as it was armed for."""
        expect_hits([*self._faults, *self._hang_ups])

    @property
    def open_connections(self) -> int:
        """How many there are now."""
        return len(self._relays)

    # What the loop's thread does.

    def _arm(self, fault: WireFault) -> WireFault:
        self._loop.call(lambda: self._faults.append(fault))
        return fault

    def _accept_all(self) -> None:
        for route in self._routes:
            route.listener.listen(128)
            self._loop.loop.add_reader(route.listener, self._accept, route)

    def _stop_listening(self) -> None:
        for route in self._routes:
            if self._loop.loop.remove_reader(route.listener):
                route.listener.shutdown(socket.SHUT_RDWR)

    def _accept(self, route: _Route) -> None:
        try:
            client, _ = route.listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        client.setblocking(False)
        self.connections += 1
        hang_up = next((fault for fault in self._hang_ups if fault.armed), None)
        if hang_up is not None:
            hang_up.take()
            reset_at_close(client)
            client.close()
            hang_up.hit()
            return
        relay = self._loop.loop.create_task(self._relay(client, (route.host, route.port)))
        self._relays.add(relay)
        relay.add_done_callback(self._relays.discard)
        relay.add_done_callback(lambda _: client.close())  # a task that was cancelled before it began closes nothing

    async def _drop(self) -> int:
        relays = list(self._relays)
        for relay in relays:
            relay.cancel()
        await asyncio.gather(*relays, return_exceptions=True)
        return len(relays)

    async def _relay(self, client: socket.socket, target: tuple[str, int]) -> None:
        server = socket.socket()
        server.setblocking(False)
        pumps: list[asyncio.Task[None]] = []
        try:
            for side in (client, server):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                reset_at_close(side)
            await self._loop.loop.sock_connect(server, target)
            pumps.append(asyncio.create_task(self._pump("up", client, server)))
            pumps.append(asyncio.create_task(self._pump("down", server, client)))
            await asyncio.gather(*pumps)
            _end_orderly(client, server)
        except _Cut as cut:
            if not cut.reset:
                await _cancel(pumps)
                _end_orderly(client, server)
                await asyncio.gather(*(_swallow(side) for side in (client, server)))
        except OSError:
            pass  # one side reset it, or the target refuses: the other side gets RST too
        finally:
            try:
                await _cancel(pumps)
            finally:  # the end of the proxy may cancel this too
                client.close()
                server.close()

    async def _pump(self, direction: Direction, source: socket.socket, sink: socket.socket) -> None:
        buffer = bytearray(_BLOCK_BYTES)
        loop = self._loop.loop
        while count := await loop.sock_recv_into(source, buffer):
            rest = memoryview(buffer)[:count]
            while rest:
                rate = self._bytes_per_second
                piece = rest[: max(1, rate // _SLICES_PER_SECOND)] if rate else rest
                passing, fault = self._take(direction, piece)
                await loop.sock_sendall(sink, rest[:passing])
                rest = rest[passing:]
                if rate:
                    await asyncio.sleep(passing / rate)
                if fault is not None:
                    await _befall(fault, sink)
        sink.shutdown(socket.SHUT_WR)

    def _take(self, direction: Direction, piece: memoryview) -> tuple[int, WireFault | None]:
        """Say how many bytes pass before what happens; count them, and flip what is to be flipped in them."""
        faults = [fault for fault in self._faults if fault.armed and fault.direction == direction]
        ends = [fault for fault in faults if fault.kind != "flip" and fault.at - fault.seen <= len(piece)]
        end = min(ends, key=lambda fault: fault.at - fault.seen, default=None)
        passing = end.at - end.seen if end is not None else len(piece)
        for fault in faults:
            fault.seen += passing
            while fault.kind == "flip" and fault.armed and fault.seen > fault.at:
                fault.seen -= fault.at + 1
                piece[passing - fault.seen - 1] ^= 0x10
                fault.take()
                fault.hit()
        if end is not None:
            end.seen = 0
            end.take()
        if direction == "up":
            self.bytes_up += passing
        else:
            self.bytes_down += passing
        return passing, end


async def _befall(fault: WireFault, sink: socket.socket) -> None:
    await delivered(sink)
    fault.hit()
    if fault.kind == "stall":
        await fault.released.wait()
        return
    raise _Cut(reset=fault.reset)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _end_orderly(*sides: socket.socket) -> None:
    for side in sides:
        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
        try:
            side.shutdown(socket.SHUT_WR)
        except OSError:
            continue  # it has gone already


async def _swallow(side: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    buffer = bytearray(_BLOCK_BYTES)
    try:
        while await loop.sock_recv_into(side, buffer):
            pass
    except OSError:
        return


class FtpProxy:
    """Relays of an FTP server's control port (``control``) and of its passive ports (``data``), for TLS too.

    The control connection comes in at a free port of ``listen``, an address of its own on the loopback, where each
    passive port is relayed 1:1. A client that connects to the peer's address and the port of the PASV answer, as
    ftplib does, comes here. Faults are armed on ``control`` and ``data``. The server's range of passive ports must be
    small and known, and its certificate must name ``listen``. One proxy at a time listens for a server at an address.
    """

    def __init__(
        self,
        control_port: int,
        passive_ports: Sequence[int],
        *,
        target_host: str = "127.0.0.1",
        listen: str = "127.0.0.2",
    ) -> None:
        self.data = TcpProxy(target_host, 0, listen=listen, same_ports=passive_ports)
        try:
            self.control = TcpProxy(target_host, control_port, listen=listen)
        except OSError:
            self.data.close()
            raise
        self.host = listen
        self.port = self.control.port

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.control.close()
        self.data.close()

    def refuse(self) -> None:
        """Refuse new control connections; the passive ports go on."""
        self.control.refuse()

    def restore(self) -> None:
        self.control.restore()
        self.data.restore()

    def expect_all_hit(self) -> None:
        self.control.expect_all_hit()
        self.data.expect_all_hit()

"""What the fault proxies share: an event loop in a thread, and faults that tell whether they happened."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import termios
import threading
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

_T = TypeVar("_T")
_ANSWER_SECONDS = 30
_DELIVER_SECONDS = 2


class LoopThread:
    """An event loop in a thread; its end cancels what still runs there."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[None, None, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(_ANSWER_SECONDS)

    def call(self, function: Callable[[], _T]) -> _T:
        async def work() -> _T:
            return function()

        return self.run(work())

    def end(self) -> None:
        self.run(_cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(_ANSWER_SECONDS)
        self.loop.close()


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
    await asyncio.sleep(0.01)  # transports close their sockets in a later turn than they are told to


class Fault:
    """Something armed: how often it happened, and what ends it."""

    def __init__(self, loop: LoopThread, told_as: str, times: int | None) -> None:
        self._loop = loop
        self.told_as = told_as
        self._happened = threading.Condition()
        self._disarmed = False
        self._taken = 0
        self.times = times
        self.hits = 0
        self.released = asyncio.Event()

    def __repr__(self) -> str:
        return f"<{self.told_as}: {self.hits} hits of {'any number' if self.times is None else self.times}>"

    @property
    def armed(self) -> bool:
        """Whether it will happen (again)."""
        return not self._disarmed and (self.times is None or self._taken < self.times)

    def take(self) -> None:
        """Begin one: for the proxies, which end it with ``hit`` or ``give_back``."""
        self._taken += 1
        self.released.clear()

    def give_back(self) -> None:
        """Let it happen later: it came to nothing."""
        self._taken -= 1

    def hit(self) -> None:
        """Count one."""
        with self._happened:
            self.hits += 1
            self._happened.notify_all()

    def wait(self, *, hits: int = 1, seconds: float = 20) -> None:
        """Wait until it happened."""
        with self._happened:
            happened = self._happened.wait_for(lambda: self.hits >= hits, seconds)
        assert happened, f"it did not happen in {seconds} s: {self}"

    def disarm(self) -> None:
        """Let it happen no more."""
        self._disarmed = True

    def release(self) -> None:
        """Let go what it holds up: bytes that waited flow on."""
        self._loop.call(self.released.set)


def expect_hits(faults: Iterable[Fault]) -> None:
    """Fail if a fault happened less often than it was armed for, or never."""
    missed = [fault for fault in faults if fault.hits < (fault.times or 1)]
    assert not missed, f"faults that did not happen: {missed}"


def reset_at_close(connection: socket.socket) -> None:
    """Have the close send RST in place of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class _HasDescriptor(Protocol):
    def fileno(self) -> int: ...


async def delivered(connection: _HasDescriptor) -> None:
    """Wait until the other side's kernel has all that was sent: a reset throws away what it has not."""
    for _ in range(_DELIVER_SECONDS * 1000):
        if (
            connection.fileno() < 0
            or not struct.unpack("i", fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]
        ):
            return
        await asyncio.sleep(0.001)


def listen_at(host: str, port: int) -> socket.socket:
    """Listen at a port, or at a free one for 0.

    A socket that was bound to 0 loses its port when it stops to listen, and one that asked for a number keeps it.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        # asyncio sets TCP_NODELAY only where the protocol was named: else each answer of two pieces takes 40 ms.
        listener = socket.socket(proto=socket.IPPROTO_TCP)
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(probe.getsockname())
        except OSError:
            listener.close()
            raise
    listener.listen(128)
    return listener

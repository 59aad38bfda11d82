"""An HTTP server of the tests that stands before another one: it logs, checks, and fails on demand.

Threads and sockets of the standard library instead of ASGI: cutting a connection needs the socket, which ASGI hides.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_BLOCK_BYTES = 64 * 1024


@dataclass
class Request:
    """A request as it came; ``target`` is the path and query byte for byte. ``is_cut`` where the body broke off."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    is_cut: bool = False

    def header(self, name: str) -> str:
        """Return a header whatever its case, or an empty text."""
        return next((value for found, value in self.headers.items() if found.lower() == name.lower()), "")

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query, True).items()}


@dataclass
class Answer:
    """What goes back; each line of a header's value is sent as a header of its own."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """One request in the log, with the status that the client was told; 0 where the connection was cut."""

    method: str
    target: str
    headers: Mapping[str, str]
    body_bytes: int
    status: int


@dataclass
class Fault:
    """What becomes of the next ``times`` requests of a method whose decoded target holds ``path``."""

    method: str
    path: str
    times: int
    status: int | None = None
    reason: str = "backendError"
    cut_after_bytes: int | None = None
    loses_answer: bool = False
    flips_request: bool = False
    flips_answer: bool = False


@dataclass
class Front:
    """The running server. ``work`` answers a request; ``fail`` asks for faults; ``requests`` is the log."""

    port: int = 0
    requests: list[Seen] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fail(self, method: str, path: str = "", *, times: int = 1, **how: Any) -> None:
        """Ask for a fault: status=503, cut_after_bytes=100_000, loses_answer=True, flips_request=True, .."""
        self.faults.append(Fault(method, path, times, **how))

    def reset(self) -> None:
        """Forget faults and the log."""
        self.faults.clear()
        self.requests.clear()

    def fault_of(self, method: str, target: str) -> Fault | None:
        decoded = unquote(target)
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and fault.method in {"", method} and fault.path in decoded:
                    fault.times -= 1
                    return fault
        return None


def flipped(content: bytes, at: int) -> bytes:
    """Return the bytes with one bit turned."""
    changed = bytearray(content)
    changed[at] ^= 1
    return bytes(changed)


def json_answer(status: int, value: object) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json; charset=UTF-8"})


def forward(port: int, request: Request, *, drop: frozenset[str] = frozenset()) -> Answer:
    """Send a request on as it is, path bytes and Host header too, and return the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        has_host = any(name.lower() == "host" for name in request.headers)
        connection.putrequest(request.method, request.target, skip_host=has_host, skip_accept_encoding=True)
        hops = {"connection", "transfer-encoding", "content-length", "expect"} | drop
        for name, value in request.headers.items():
            if name.lower() not in hops:
                connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(request.body)))
        connection.endheaders(request.body)
        answer = connection.getresponse()
        body = answer.read()
        headers = {
            name: value
            for name, value in answer.getheaders()
            if name.lower() not in {"connection", "transfer-encoding", "date"}
            and (name.lower() != "content-length" or request.method == "HEAD")
        }
        return Answer(answer.status, body, headers)
    finally:
        connection.close()


@contextmanager
def serving(front: Front, work: Callable[[Request], Answer]) -> Iterator[None]:
    """Serve on a free port of 127.0.0.1 until the block ends."""

    class Handler(_Handler):
        pass

    Handler.front, Handler.work = front, staticmethod(work)
    server = _Server(("127.0.0.1", 0), Handler)
    front.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that go away: killed ones do."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    front: Front
    work: Callable[[Request], Answer]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Write no log to the terminal."""

    def handle_expect_100(self) -> bool:
        """Let the client send its body now, not when the buffer of the answer is full: boto3 waits a second."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def _any(self) -> None:
        fault = self.front.fault_of(self.command, self.path)
        headers = dict(self.headers.items())
        body = self._body(fault.cut_after_bytes if fault else None)
        request = Request(self.command, self.path, headers, body)
        if fault is None:
            self._answer(request, type(self).work(request))
            return
        if fault.cut_after_bytes is not None:
            request.is_cut = True
            if self.command == "PUT":
                type(self).work(request)
            self._log(request, 0)
            self._cut()
        elif fault.status is not None:
            self._answer(request, json_answer(fault.status, error_body(fault.status, "asked to fail", fault.reason)))
        elif fault.loses_answer:
            type(self).work(request)
            self._answer(request, json_answer(500, error_body(500, "Internal Error")))
        elif fault.flips_request:
            request.body = flipped(body, max(0, len(body) - 200))
            self._answer(request, type(self).work(request))
        else:
            answer = type(self).work(request)
            if fault.flips_answer:
                answer.body = flipped(answer.body, len(answer.body) // 2)
            self._answer(request, answer)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = _any  # noqa: N815

    def _body(self, limit: int | None) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        size = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(size if limit is None else min(size, limit))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def _cut(self) -> None:
        # Bytes that nobody read make the kernel send a reset.
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, request: Request, answer: Answer) -> None:
        self._log(request, answer.status)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            for line in value.split("\n"):
                self.send_header(name, line)
        if not any(name.lower() == "content-length" for name in answer.headers):
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    def _log(self, request: Request, status: int) -> None:
        seen = Seen(request.method, request.target, request.headers, len(request.body), status)
        self.front.requests.append(seen)


def error_body(status: int, message: str, reason: str = "backendError") -> dict[str, object]:
    """Google's JSON of an error."""
    one = {"message": message, "domain": "global", "reason": reason}
    return {"error": {"code": status, "message": message, "errors": [one]}}

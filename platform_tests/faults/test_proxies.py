"""The fault proxies do what they say: they are the tests' measuring tools."""

from __future__ import annotations

import errno
import http.client
import http.server
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from platform_tests.faults.answers import GOOGLE_BACKEND_ERROR, INTERNAL_ERROR, SLOW_DOWN
from platform_tests.faults.full_disk import full_disk
from platform_tests.faults.http_proxy import HttpProxy
from platform_tests.faults.tcp_proxy import FtpProxy, TcpProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAYLOAD = bytes(range(256)) * 1024


class Sink:
    """A server that keeps what each connection sends and how it ends, and with ``echo`` sends it back."""

    def __init__(self, *, echo: bool = False, port: int = 0) -> None:
        self.got: list[bytes] = []
        self.ends: list[str] = []
        self._echo = echo
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._start(self._serve, self._listener.accept()[0])

    def _serve(self, connection: socket.socket) -> None:
        number = len(self.got)
        self.got.append(b"")
        end = "orderly"
        with connection:
            try:
                while block := connection.recv(65536):
                    self.got[number] += block
                    if self._echo:
                        connection.sendall(block)
            except OSError:
                end = "reset"
        self.ends.append(end)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)


@contextmanager
def sink(*, echo: bool = False, port: int = 0) -> Iterator[Sink]:
    server = Sink(echo=echo, port=port)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def echo() -> Iterator[Sink]:
    with sink(echo=True) as server:
        yield server


@pytest.fixture
def silent() -> Iterator[Sink]:
    with sink() as server:
        yield server


@pytest.fixture
def relay(echo: Sink) -> Iterator[TcpProxy]:
    with TcpProxy("127.0.0.1", echo.port) as proxy:
        yield proxy


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def connected(proxy: TcpProxy) -> socket.socket:
    return socket.create_connection((proxy.host, proxy.port), timeout=10)


def send_and_end(connection: socket.socket, payload: bytes) -> None:
    connection.sendall(payload)
    connection.shutdown(socket.SHUT_WR)


def read_all(connection: socket.socket) -> bytes:
    found = b""
    while block := connection.recv(65536):
        found += block
    return found


def read_until_reset(read: Callable[[], bytes]) -> bytes:
    found = b""
    try:
        while block := read():
            found += block
    except ConnectionError:
        return found
    return pytest.fail("an end like any other")


def exchange(proxy: TcpProxy, payload: bytes) -> bytes:
    """Send while somebody reads: an echo of more than the buffers would block itself."""
    with connected(proxy) as connection:
        with ThreadPoolExecutor(1) as sender:
            sending = sender.submit(send_and_end, connection, payload)
            found = read_all(connection)
        sending.result()
        return found


def test_a_relay_without_faults_changes_nothing_and_counts(relay: TcpProxy) -> None:
    assert exchange(relay, PAYLOAD) == PAYLOAD
    assert (relay.connections, relay.bytes_up, relay.bytes_down) == (1, len(PAYLOAD), len(PAYLOAD))
    wait_until(lambda: relay.open_connections == 0)


def test_a_cut_delivers_exactly_its_bytes_and_resets_both_sides(silent: Sink) -> None:
    with TcpProxy("127.0.0.1", silent.port) as proxy, connected(proxy) as connection:
        connection.sendall(b"before")
        wait_until(lambda: silent.got == [b"before"])
        proxy.cut(after_bytes=100_003)
        with suppress(ConnectionError):
            connection.sendall(PAYLOAD)

        with pytest.raises(ConnectionError):
            connection.recv(1)
        wait_until(lambda: silent.ends == ["reset"])
        assert silent.got == [b"before" + PAYLOAD[:100_003]]
        proxy.expect_all_hit()


def test_a_cut_without_reset_looks_like_an_end_to_both(silent: Sink) -> None:
    with TcpProxy("127.0.0.1", silent.port) as proxy, connected(proxy) as connection:
        proxy.cut(after_bytes=1000, reset=False)
        send_and_end(connection, PAYLOAD)

        assert read_all(connection) == b""
        wait_until(lambda: silent.ends == ["orderly"])
        assert silent.got == [PAYLOAD[:1000]]


def test_a_cut_of_the_way_down_leaves_the_client_with_the_first_bytes(relay: TcpProxy) -> None:
    relay.cut(after_bytes=10, direction="down")
    with connected(relay) as connection:
        connection.sendall(b"0123456789abc")
        assert read_until_reset(lambda: connection.recv(100)) == b"0123456789"


def test_cuts_happen_as_often_as_they_are_armed_for(relay: TcpProxy) -> None:
    fault = relay.cut(after_bytes=0, times=2)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            exchange(relay, b"x" * 100)

    assert exchange(relay, b"x") == b"x"
    assert (fault.hits, fault.armed) == (2, False)


def test_a_fault_that_did_not_happen_fails_the_test(relay: TcpProxy) -> None:
    relay.cut(after_bytes=100)
    exchange(relay, b"too little")

    with pytest.raises(AssertionError, match="cut up at 100 bytes: 0 hits of 1"):
        relay.expect_all_hit()


def test_a_stall_holds_the_bytes_until_it_is_released(silent: Sink) -> None:
    with TcpProxy("127.0.0.1", silent.port) as proxy, connected(proxy) as connection:
        fault = proxy.stall(after_bytes=5)
        send_and_end(connection, b"0123456789")
        fault.wait()

        wait_until(lambda: silent.got == [b"01234"])
        assert silent.ends == []
        fault.release()
        wait_until(lambda: silent.ends == ["orderly"])
        assert silent.got == [b"0123456789"]


def test_bytes_of_a_client_that_gave_up_arrive_late_when_a_stall_is_released(silent: Sink) -> None:
    with TcpProxy("127.0.0.1", silent.port) as proxy:
        fault = proxy.stall(after_bytes=0)
        with connected(proxy) as connection:
            connection.sendall(b"late")
            fault.wait()
        with connected(proxy) as second:
            send_and_end(second, b"in time")
            wait_until(lambda: b"in time" in silent.got)
        assert b"late" not in silent.got
        proxy.restore()
        wait_until(lambda: b"late" in silent.got)


def test_a_stall_of_the_way_down_lets_the_way_up_flow(relay: TcpProxy, echo: Sink) -> None:
    fault = relay.stall(after_bytes=0, direction="down")
    with connected(relay) as connection:
        connection.sendall(b"question")
        wait_until(lambda: echo.got == [b"question"])
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        fault.release()
        connection.settimeout(10)
        assert connection.recv(100) == b"question"


def test_a_flip_changes_one_bit_of_one_byte(relay: TcpProxy) -> None:
    relay.flip(at_byte=70_001, direction="down")
    found = exchange(relay, PAYLOAD)
    wrong = [at for at in range(len(PAYLOAD)) if found[at] != PAYLOAD[at]]

    assert wrong == [70_001]
    assert (found[70_001] ^ PAYLOAD[70_001]).bit_count() == 1
    relay.expect_all_hit()


def test_a_slow_wire_limits_the_rate(relay: TcpProxy) -> None:
    relay.slow(100_000)
    begun = time.monotonic()
    assert exchange(relay, b"x" * 30_000) == b"x" * 30_000

    assert 0.25 < time.monotonic() - begun < 5


def test_refused_connections_end_at_once_and_open_ones_go_on(relay: TcpProxy) -> None:
    with connected(relay) as connection:
        connection.sendall(b"a")
        assert connection.recv(1) == b"a"
        relay.refuse()
        relay.refuse()
        with pytest.raises(ConnectionRefusedError):
            connected(relay)
        connection.sendall(b"b")
        assert connection.recv(1) == b"b"

    relay.restore()
    assert exchange(relay, b"again") == b"again"


def test_connections_can_be_accepted_and_hung_up(relay: TcpProxy) -> None:
    fault = relay.hang_up()
    with pytest.raises(ConnectionError):
        exchange(relay, b"x")

    assert exchange(relay, b"x") == b"x"
    assert fault.hits == 1


def test_all_open_connections_can_be_dropped(relay: TcpProxy) -> None:
    with connected(relay) as one, connected(relay) as other:
        wait_until(lambda: relay.open_connections == 2)
        assert relay.drop() == 2
        for connection in (one, other):
            with pytest.raises(ConnectionError):
                connection.recv(1)


def test_new_connections_can_be_sent_to_another_server(relay: TcpProxy, silent: Sink) -> None:
    assert exchange(relay, b"first") == b"first"
    relay.retarget(silent.port)

    assert exchange(relay, b"second") == b""
    assert silent.got == [b"second"]


def test_a_server_that_is_down_resets_the_client(relay: TcpProxy, echo: Sink) -> None:
    relay.retarget(1)
    with pytest.raises(ConnectionError):
        exchange(relay, b"x")

    relay.retarget(echo.port)
    assert exchange(relay, b"x") == b"x"


def test_passive_ports_are_relayed_one_to_one_at_another_address(echo: Sink) -> None:
    with sink(echo=True) as one, sink(echo=True) as two:
        with FtpProxy(echo.port, [one.port, two.port]) as proxy:
            proxy.data.cut(after_bytes=3)
            assert exchange(proxy.control, b"control") == b"control"
            with socket.create_connection((proxy.host, two.port), timeout=10) as connection:
                connection.sendall(b"data")
                read_until_reset(lambda: connection.recv(100))
            proxy.expect_all_hit()
            assert one.got == []
        assert two.got == [b"dat"]


# HTTP.


class Store(http.server.BaseHTTPRequestHandler):
    """Keeps bodies by their path; what it was asked, raw, is in the server's ``asked``."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_PUT(self) -> None:
        self._kept[self.path] = self._body()
        self._answer(200, b"stored")

    def do_GET(self) -> None:
        self._answer(200, self._kept.get(self.path, PAYLOAD), chunked="chunked" in self.path)

    def do_HEAD(self) -> None:
        self._answer(200, PAYLOAD)

    def do_DELETE(self) -> None:
        self._note()
        self.send_response(204)
        self.end_headers()

    def do_POST(self) -> None:
        self._body()
        _, port, *_ = self.connection.getsockname()
        self._answer(200, b"", headers={"Location": f"http://127.0.0.1:{port}/session"})

    def handle_expect_100(self) -> bool:
        if "refused" in self.path:
            self._note()
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            return False
        return super().handle_expect_100()

    @property
    def _kept(self) -> dict[str, bytes]:
        kept: dict[str, bytes] = self.server.kept  # type: ignore[attr-defined]
        return kept

    def _note(self) -> None:
        self.server.asked.append((self.raw_requestline, str(self.headers)))  # type: ignore[attr-defined]

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self._noted(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return self._noted(body)

    def _noted(self, body: bytes) -> bytes:
        self._note()
        self.server.bodies.append(body)  # type: ignore[attr-defined]
        return body

    def _answer(
        self, status: int, body: bytes, *, chunked: bool = False, headers: dict[str, str] | None = None
    ) -> None:
        if self.command in {"GET", "HEAD"}:
            self._note()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(body)))))
        self.end_headers()
        if self.command == "HEAD":
            return
        for block in (body[:1000], body[1000:], b"") if chunked else (body,):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block) if chunked else block)


@pytest.fixture
def store() -> Iterator[Any]:
    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = False  # joined at the end

        def handle_error(self, *_: object) -> None:
            server.errors.append("cut")

    server: Any = Server(("127.0.0.1", 0), Store)
    server.kept, server.asked, server.bodies, server.errors = {}, [], [], []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture
def proxy(store: Any) -> Iterator[HttpProxy]:
    with HttpProxy("127.0.0.1", store.server_address[1]) as found:
        yield found


@pytest.fixture
def client(proxy: HttpProxy) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(proxy.host, proxy.port, timeout=10)
    yield connection
    connection.close()


def ask(
    client: http.client.HTTPConnection, method: str, target: str, body: Any = None, **headers: str
) -> tuple[int, bytes]:
    client.request(method, target, body=body, headers=headers)
    answer = client.getresponse()
    return answer.status, answer.read()


def test_requests_and_answers_pass_on_one_connection_and_are_logged(
    proxy: HttpProxy, client: http.client.HTTPConnection, store: Any
) -> None:
    assert ask(client, "PUT", "/b/k?partNumber=1", PAYLOAD) == (200, b"stored")
    assert ask(client, "GET", "/b/k?partNumber=1") == (200, PAYLOAD)
    assert ask(client, "GET", "/chunked") == (200, PAYLOAD)
    assert ask(client, "HEAD", "/b/k") == (200, b"")
    assert ask(client, "DELETE", "/b/k") == (204, b"")
    assert ask(client, "PUT", "/parts", iter([b"one", b"two" * 1000])) == (200, b"stored")

    assert store.kept["/parts"] == b"one" + b"two" * 1000
    assert proxy.connections == 1
    first = proxy.requests[0]
    assert (first.method, first.target, first.status) == ("PUT", "/b/k?partNumber=1", 200)
    assert (first.bytes_up, first.bytes_down, proxy.requests[-1].bytes_up) == (len(PAYLOAD), 6, 3003)


def test_heads_pass_byte_for_byte(proxy: HttpProxy, store: Any) -> None:
    request = b"GET /a%2Fb/%7Ec?x=%20+&X-Amz-Sig=a%2F== HTTP/1.1\r\nHost: s3.Example:99\r\nX-aMz-Thing:  a  b\r\n\r\n"
    with socket.create_connection((proxy.host, proxy.port), timeout=10) as connection:
        connection.sendall(request)
        assert connection.recv(15) == b"HTTP/1.1 200 OK"

    line, headers = store.asked[0]
    assert line == b"GET /a%2Fb/%7Ec?x=%20+&X-Amz-Sig=a%2F== HTTP/1.1\r\n"
    assert "Host: s3.Example:99\n" in headers
    assert "X-aMz-Thing: " in headers


def expecting(proxy: HttpProxy, target: str) -> socket.socket:
    connection = socket.create_connection((proxy.host, proxy.port), timeout=10)
    head = f"PUT {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    connection.sendall(head.encode())
    return connection


def test_a_client_that_waits_for_100_continue_gets_it_from_the_server(proxy: HttpProxy, store: Any) -> None:
    with expecting(proxy, "/k") as connection:
        assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"01234")
        assert connection.recv(15) == b"HTTP/1.1 200 OK"

    assert store.bodies == [b"01234"]


def test_an_early_answer_in_place_of_100_continue_ends_the_connection(proxy: HttpProxy) -> None:
    with expecting(proxy, "/refused") as connection:
        assert b" 403 " in read_all(connection).splitlines()[0]


def test_a_fault_answers_a_waiting_client_in_place_of_100_continue(proxy: HttpProxy, store: Any) -> None:
    proxy.answer(SLOW_DOWN)
    with expecting(proxy, "/k") as connection:
        answer = read_all(connection)

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"<Code>SlowDown</Code>" in answer
    assert store.asked == []


def test_an_answer_hits_the_nth_match_only_and_reaches_no_server(
    proxy: HttpProxy, client: http.client.HTTPConnection, store: Any
) -> None:
    fault = proxy.answer(SLOW_DOWN, method="PUT", path=r"partNumber=\d", nth=2, times=2)
    statuses = [ask(client, "PUT", f"/k?partNumber={number}", b"x" * 70_000)[0] for number in range(1, 5)]
    assert ask(client, "GET", "/k?partNumber=2")[0] == 200

    assert statuses == [200, 503, 503, 200]
    assert (len(store.bodies), fault.hits, fault.matched, proxy.connections) == (2, 2, 4, 1)
    proxy.expect_all_hit()


def test_an_answer_to_head_has_no_body(proxy: HttpProxy, client: http.client.HTTPConnection) -> None:
    proxy.answer(GOOGLE_BACKEND_ERROR, method="HEAD")

    assert ask(client, "HEAD", "/k") == (503, b"")
    assert ask(client, "GET", "/k") == (200, PAYLOAD)


def test_a_lost_answer_comes_after_the_work(proxy: HttpProxy, client: http.client.HTTPConnection, store: Any) -> None:
    proxy.lose_answer(INTERNAL_ERROR, method="PUT", path="^/error$")
    proxy.lose_answer(method="PUT", path="^/reset$")
    assert ask(client, "PUT", "/error", b"1") == (500, INTERNAL_ERROR.body)
    with pytest.raises(ConnectionError):
        ask(client, "PUT", "/reset", b"2")

    wait_until(lambda: store.kept == {"/error": b"1", "/reset": b"2"})
    proxy.expect_all_hit()


@pytest.mark.parametrize("forward", [False, True])
def test_an_error_can_come_in_a_200(
    proxy: HttpProxy, client: http.client.HTTPConnection, store: Any, *, forward: bool
) -> None:
    proxy.error_in_200(INTERNAL_ERROR, forward=forward, path="uploadId")

    assert ask(client, "PUT", "/k?uploadId=1", b"x") == (200, INTERNAL_ERROR.body)
    assert len(store.bodies) == forward


def test_a_cut_request_leaves_the_server_with_the_first_bytes(
    proxy: HttpProxy, client: http.client.HTTPConnection, store: Any
) -> None:
    proxy.cut_request(100_001, method="PUT")
    with pytest.raises(ConnectionError):
        ask(client, "PUT", "/k", PAYLOAD)

    wait_until(lambda: store.errors)
    assert store.kept == {}
    assert proxy.requests[0].status is None
    assert (proxy.requests[0].broken_by or "").startswith("cut the request at 100001")
    proxy.expect_all_hit()
    assert ask(client, "PUT", "/k", PAYLOAD)[0] == 200


@pytest.mark.parametrize("path", ["/k", "/chunked"])
def test_a_cut_answer_leaves_the_client_with_the_first_bytes(
    proxy: HttpProxy, client: http.client.HTTPConnection, path: str
) -> None:
    proxy.cut_answer(70_001, method="GET")
    client.request("GET", path)
    answer = client.getresponse()
    with answer:
        assert read_until_reset(lambda: answer.read1(4096)) == PAYLOAD[:70_001]


def test_flips_change_one_byte_of_one_body(proxy: HttpProxy, client: http.client.HTTPConnection, store: Any) -> None:
    proxy.flip_request(70_001, method="PUT")
    proxy.flip_answer(1000, path="^/chunked$")
    ask(client, "PUT", "/k", PAYLOAD)
    _, found = ask(client, "GET", "/chunked")

    assert [at for at in range(len(PAYLOAD)) if store.kept["/k"][at] != PAYLOAD[at]] == [70_001]
    assert [at for at in range(len(PAYLOAD)) if found[at] != PAYLOAD[at]] == [1000]
    proxy.expect_all_hit()


def test_a_stalled_answer_waits_until_it_is_released_though_the_work_is_done(
    proxy: HttpProxy, client: http.client.HTTPConnection, store: Any
) -> None:
    fault = proxy.stall("answer", method="PUT")
    client.request("PUT", "/k", body=b"x")
    fault.wait()
    wait_until(lambda: store.kept == {"/k": b"x"})
    assert proxy.requests[0].status is None
    fault.release()

    assert client.getresponse().read() == b"stored"


def test_a_stalled_request_is_not_heard_of_before_its_time(
    proxy: HttpProxy, client: http.client.HTTPConnection, store: Any
) -> None:
    fault = proxy.stall("request", seconds=0.2)
    client.request("PUT", "/k", body=b"x")
    fault.wait()
    assert store.asked == []

    assert client.getresponse().read() == b"stored"


def test_a_request_stalled_in_its_body_goes_on_when_everything_is_restored(
    proxy: HttpProxy, client: http.client.HTTPConnection, store: Any
) -> None:
    fault = proxy.stall("request", after_bytes=1000)
    client.request("PUT", "/k", body=PAYLOAD)
    fault.wait()
    assert store.kept == {}
    proxy.restore()

    assert client.getresponse().read() == b"stored"
    assert store.kept == {"/k": PAYLOAD}


def test_an_answer_can_be_swapped(proxy: HttpProxy, client: http.client.HTTPConnection) -> None:
    proxy.swap_answer(lambda body: body[:10] + b"!", path="^/chunked$")

    assert ask(client, "GET", "/chunked") == (200, PAYLOAD[:10] + b"!")
    assert ask(client, "GET", "/chunked") == (200, PAYLOAD)


def test_a_location_at_the_server_is_turned_to_the_proxy(proxy: HttpProxy, client: http.client.HTTPConnection) -> None:
    client.request("POST", "/upload", body=b"x")
    answer = client.getresponse()
    answer.read()

    assert answer.headers["Location"] == f"{proxy.url}/session"


def test_a_request_fault_that_found_too_short_a_body_stays_armed(
    proxy: HttpProxy, client: http.client.HTTPConnection
) -> None:
    fault = proxy.cut_request(10)
    ask(client, "PUT", "/k", b"short")
    ask(client, "PUT", "/k", iter([b"short"]))

    wait_until(lambda: (fault.hits, fault.armed) == (0, True))
    with pytest.raises(AssertionError, match="did not happen"):
        proxy.expect_all_hit()


def test_a_server_that_is_down_resets_the_client_of_http(proxy: HttpProxy, client: http.client.HTTPConnection) -> None:
    proxy.retarget(1)

    with pytest.raises(ConnectionError):
        ask(client, "GET", "/k")


def test_a_proxy_ends_while_requests_and_connections_hang(store: Any) -> None:
    with HttpProxy("127.0.0.1", store.server_address[1]) as proxy:
        fault = proxy.stall("answer")
        client = http.client.HTTPConnection(proxy.host, proxy.port, timeout=10)
        client.request("GET", "/k")
        fault.wait()

    with pytest.raises(ConnectionError):
        client.getresponse()
    client.close()


def test_a_full_disk_fills_and_can_be_freed() -> None:
    with full_disk(2) as disk:
        disk.fill(leave_bytes=8192)
        with pytest.raises(OSError, match=r"No space left") as caught:
            (disk.folder / "file").write_bytes(bytes(1_000_000))
        assert caught.value.errno == errno.ENOSPC
        disk.free()
        (disk.folder / "file").write_bytes(bytes(1_000_000))
        held = (disk.folder / "file").open("rb")
    held.close()
    assert not disk.folder.exists()

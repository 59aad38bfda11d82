"""One connection to an FTP server: login, TLS, and the bytes of transfers. Errors are ftplib's and the system's."""

from __future__ import annotations

import ftplib
import socket
import ssl
from typing import TYPE_CHECKING, Any, BinaryIO

from offramp.destinations.ftp.place import refused_name
from offramp.destinations.network import connected, load_authorities
from offramp.domain.errors import DestinationClosed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from offramp.destinations.ftp.place import FtpPlace

BLOCK_BYTES = 256 * 1024
# How long a server may take to end TLS, or to give its reason, once the bytes are through.
_END_SECONDS = 5.0
_NOT_OFFERED = {"500", "501", "502", "503", "504", "530", "534", "536"}


class CutShort(OSError):
    """The data connection ended without the end of TLS: bytes may be missing."""


class FtpClient(ftplib.FTP):
    """ftplib's client with features, odd bytes in replies, an own active address, and no secret in a reply."""

    sock: Any  # an SSLSocket has more than typeshed says here

    def __init__(self, place: FtpPlace) -> None:
        super().__init__(timeout=place.timeout_seconds, encoding=place.encoding)
        self.place = place
        self.features: set[str] = set()
        self.base = "/"
        self._secret = ""
        self.set_pasv(place.is_passive)

    def path(self, name: str) -> str:
        """Return the absolute path of a name; all commands take these, since LIST has to change the folder."""
        return f"{self.base}/{name}".rstrip("/") or "/"

    def open(self) -> None:
        """Connect, log in and learn what the server can do."""
        place = self.place
        self.sock = connected(place.host, place.port, place.timeout_seconds)
        # While a long transfer runs, this connection is quiet: firewalls would forget it.
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.host, self.port, self.af = place.host, place.port, self.sock.family
        self._listen()
        self.welcome = self.getresp()
        self._secure()
        self._log_in()
        try:
            reply = self.sendcmd("FEAT")
        except ftplib.error_perm:
            reply = ""
        self.features = {line.split()[0].upper() for line in reply.split("\n") if line.startswith(" ") and line.strip()}
        if place.encoding.lower().replace("-", "") == "utf8":
            self.try_command("OPTS UTF8 ON")
        self.voidcmd("TYPE I")
        here = "" if place.directory.startswith("/") else f"{self.pwd().rstrip('/')}/"
        self.base = f"{here}{place.directory}".rstrip("/")

    def try_command(self, command: str) -> bool:
        """Send a command and say whether the server did it; a refusal is no error."""
        try:
            self.voidcmd(command)
        except ftplib.error_perm:
            return False
        return True

    def getmultiline(self) -> str:
        """Read a reply, with a password that the server quotes taken out of it."""
        reply = super().getmultiline()
        return reply[:4] + reply[4:].replace(self._secret, "***") if self._secret else reply

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[Any, int | None]:
        """Open a data connection.

        Without TCP_NODELAY the end of TLS waits 40 ms behind the last bytes for their acknowledgement.
        """
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321 - ftplib's TLS client would wrap it
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return conn, size

    def makeport(self) -> socket.socket:
        """Listen for the server's data connection and tell it where."""
        listener = socket.create_server(("", 0), family=self.af, backlog=1)
        try:
            port = listener.getsockname()[1]
            host = self.place.active_address or self.sock.getsockname()[0]
            if ":" in host:
                self.sendeprt(host, port)
            else:
                self.sendport(host, port)
            listener.settimeout(self.place.timeout_seconds)
        except BaseException:
            listener.close()
            raise
        return listener

    def drop(self) -> None:
        """Close without a word: the connection is broken, or in the middle of something."""
        self.close()

    def leave(self) -> None:
        """Say goodbye, and close whatever the server answers."""
        try:
            self.sock.settimeout(_END_SECONDS)
            self.quit()
        except (ftplib.Error, OSError, EOFError):
            pass
        finally:
            self.close()

    def _secure(self) -> None:
        """Do nothing: this is plain FTP."""

    def _listen(self) -> None:
        # Greetings and errors come in whatever the server's administrator typed; they are only shown.
        self.file = self.sock.makefile("r", encoding=self.encoding, errors="backslashreplace")

    def _log_in(self) -> None:
        password = self.place.password.get_secret_value() if self.place.password else ""
        told = {"user name": self.place.username, "password": password, "directory": self.place.directory}
        for what, text in told.items():
            if (fault := refused_name(text, self.encoding)) is not None:
                raise DestinationClosed(
                    f"the {what} cannot be sent: {fault}",
                    where=self.place.address,
                    todo="check how it was stored: a file with a secret often ends in a line break",
                )
        self._secret = password
        try:
            # ftplib's TLS client would ask for TLS here by itself; that has been done.
            ftplib.FTP.login(self, self.place.username, password)  # noqa: S321 - plain FTP only where tls is off
        finally:
            self._secret = ""


class TlsFtpClient(FtpClient, ftplib.FTP_TLS):
    """Explicit TLS on both channels, the certificate verified, the control channel's session used for the data."""

    def __init__(self, place: FtpPlace) -> None:
        super().__init__(place)
        self.context = _context(place)

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[Any, int | None]:
        """Open a data connection that proves to belong to this control connection, and protect it.

        vsftpd answers 522 otherwise. In TLS 1.3 a session comes as a ticket after the handshake and is noticed with
        the first reply that is read; by now the login was read, so ``sock.session`` is one that can be resumed
        (OpenSSL 3.0 on both sides, TLS 1.2 and 1.3, vsftpd 3.0.3 and pyftpdlib 2.2). OpenSSL servers let a ticket
        be used again.
        """
        conn, size = super().ntransfercmd(cmd, rest)
        session = self.sock.session
        # By default an end of TCP without an end of TLS looks like a normal end: a cut would not show.
        return self.context.wrap_socket(
            conn, server_hostname=self.host, session=session, suppress_ragged_eofs=False
        ), size

    def _secure(self) -> None:
        try:
            self.auth()
            self._listen()
            self.prot_p()
        except ftplib.error_perm as error:
            if str(error)[:3] not in _NOT_OFFERED:
                raise
            raise DestinationClosed(
                f"the server {self.place.address} does not offer TLS; nothing was sent to it",
                expected="AUTH TLS and PROT P",
                found=str(error),
                todo="have TLS switched on at the server; or, where the network is trusted, set tls: off",
            ) from error


def open_client(place: FtpPlace) -> FtpClient:
    """Return a connection that is logged in."""
    client = TlsFtpClient(place) if place.tls else FtpClient(place)
    try:
        client.open()
    except BaseException:
        client.drop()
        raise
    return client


def store(client: FtpClient, command: str, source: BinaryIO, sent: Callable[[int], None], rest: int | None) -> None:
    """Send the rest of a file with STOR or APPE. A reply of success proves nothing yet."""
    conn = client.transfercmd(command, rest)
    try:
        with conn:
            while block := source.read(BLOCK_BYTES):
                conn.sendall(block)
                sent(len(block))
            _end_tls(conn)
    except OSError as broken:
        # The server often says on the other channel why it hung up: a full disk, a quota.
        client.sock.settimeout(min(_END_SECONDS, client.place.timeout_seconds))
        try:
            client.voidresp()
        except (OSError, EOFError):
            raise broken from None
        raise
    client.voidresp()


def retrieve(client: FtpClient, command: str) -> Iterator[bytes]:
    """Yield what the server sends. CutShort at the end where TLS was not ended; all bytes were given by then."""
    conn = client.transfercmd(command)
    is_cut = False
    with conn:
        while True:
            try:
                block = conn.recv(BLOCK_BYTES)
            except ssl.SSLEOFError:
                is_cut = True
                break
            if not block:
                break
            yield block
        _end_tls(conn)
    client.voidresp()
    if is_cut:
        raise CutShort("the server ended the data connection without ending TLS")


def _end_tls(conn: socket.socket) -> None:
    """Say that all was sent, so that the server can tell an end from a cut, and hear the same from it."""
    if not isinstance(conn, ssl.SSLSocket):
        return
    conn.settimeout(min(_END_SECONDS, conn.gettimeout() or _END_SECONDS))
    try:
        conn.unwrap()
    except OSError:
        # Ours is out. Servers that just close, or wait for us to do so, are known by the size that they tell.
        return


def _context(place: FtpPlace) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if place.ca_file is not None:
        load_authorities(context, place.ca_file)
    return context

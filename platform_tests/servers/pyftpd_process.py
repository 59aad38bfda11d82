"""The process of the pyftpdlib server: one port per kind of server that is met outside. Started by pyftpd.py.

It takes on standard input, as one line of JSON: root, folder of certificates, password, accounts and passive ports. It
answers with the ports. The tests themselves never import this: pyftpdlib warns at import that asyncore is deprecated.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.exceptions import FilesystemError
from pyftpdlib.filesystems import AbstractedFS
from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

if TYPE_CHECKING:
    from collections.abc import Iterator

_QUOTA_BYTES = 1_000_000


class _NoOverwrite(AbstractedFS):  # type: ignore[misc]
    """Refuses to rename over a file, as IIS and others do."""

    def rename(self, src: str, dst: str) -> None:
        if self.lexists(dst):
            message = "Cannot create a file when that file already exists"
            raise FilesystemError(message)
        super().rename(src, dst)


class _Full(DTPHandler):  # type: ignore[misc]
    """Ends an upload at a quota."""

    def handle_read_event(self) -> None:
        super().handle_read_event()
        if self.receive and self.tot_bytes_received > _QUOTA_BYTES:
            self._resp = ("552 Quota exceeded.", None)
            self.close()


class _HangsUp(DTPHandler):  # type: ignore[misc]
    """Drops everything in the middle of an upload."""

    def handle_read_event(self) -> None:
        super().handle_read_event()
        if self.receive and self.tot_bytes_received > _QUOTA_BYTES:
            self.cmd_channel.close()


class _Dos(AbstractedFS):  # type: ignore[misc]
    """Lists as IIS does."""

    def format_list(self, basedir: str, listing: list[str], **_others: Any) -> Iterator[bytes]:
        for name in listing:
            path = Path(basedir, name)
            kind = f"      {'<DIR>':<14}" if path.is_dir() else f"{path.stat().st_size:>20}"
            yield f"11-22-26  02:10PM {kind} {name}\r\n".encode()


class _Strange(AbstractedFS):  # type: ignore[misc]
    """Lists in a form of its own."""

    def format_list(self, basedir: str, listing: list[str], **_others: Any) -> Iterator[bytes]:
        for name in listing:
            yield f"{name} ({Path(basedir, name).stat().st_size})\r\n".encode()


class _NoCloseNotify(TLS_DTPHandler):  # type: ignore[misc]
    """Ends the data connection without ending TLS first."""

    def _do_ssl_shutdown(self) -> None:
        super(TLS_DTPHandler, self)._do_ssl_shutdown() if self.receive else DTPHandler.close(self)

    def close(self) -> None:
        DTPHandler.close(self)


class _QuotesThePassword(FTPHandler):  # type: ignore[misc]
    """Repeats what it was sent when a login fails, as servers in a debugging mood do."""

    def ftp_PASS(self, line: str) -> None:  # noqa: N802 - pyftpdlib finds a command by this name
        self.respond(f"530 I do not take 'PASS {line}' from you.")


class _ForgetsRest(FTPHandler):  # type: ignore[misc]
    """Says yes to REST and begins at the start all the same."""

    def ftp_REST(self, line: str) -> None:  # noqa: N802
        self.respond(f"350 Restarting at position {line}.")


def _without(*commands: str) -> dict[str, Any]:
    return {"proto_cmds": {name: told for name, told in FTPHandler.proto_cmds.items() if name not in commands}}


class _Handlers:
    """A class per variant; each needs its own, since pyftpdlib keeps settings on the class."""

    made: ClassVar[dict[str, type]] = {}

    @classmethod
    def add(cls, name: str, base: type, **attributes: Any) -> None:
        cls.made[name] = type(name, (base,), attributes)


def _handlers(certificates: Path) -> dict[str, type]:
    add = _Handlers.add
    tls = {"tls_control_required": True, "tls_data_required": True}
    add("plain", FTPHandler)
    add("ipv6", FTPHandler)
    for name in ("server", "wrong_host", "expired"):
        pem = str(certificates / f"{name}.pem")
        add("tls" if name == "server" else name, TLS_FTPHandler, certfile=pem, **tls)
    server = str(certificates / "server.pem")
    add("no_close_notify", TLS_FTPHandler, certfile=server, dtp_handler=_NoCloseNotify, **tls)
    add("no_rename_over", FTPHandler, abstracted_fs=_NoOverwrite)
    add("no_mlsd", FTPHandler, **_without("MLSD", "MLST"))
    add("no_size", FTPHandler, **_without("SIZE"))
    add("dos", FTPHandler, abstracted_fs=_Dos, **_without("MLSD", "MLST", "SIZE"))
    add("strange", FTPHandler, abstracted_fs=_Strange, **_without("MLSD", "MLST"))
    add("hangs_up", FTPHandler, dtp_handler=_HangsUp)
    add("no_size_no_mlsd", FTPHandler, **_without("SIZE", "MLSD", "MLST"))
    add("no_rest", FTPHandler, **_without("REST"))
    add("forgets_rest", _ForgetsRest)
    add("quota", FTPHandler, dtp_handler=_Full)
    add("quotes_password", _QuotesThePassword)
    add("impatient", FTPHandler, timeout=1)
    add("masquerading", FTPHandler, masquerade_address="192.0.2.1")
    add("old_text", FTPHandler, banner="Gr\xfc\xdfe", encoding="latin-1", unicode_errors="replace")
    return _Handlers.made


def _serve(asked: dict[str, Any]) -> None:
    accounts = DummyAuthorizer()
    for name, rights in asked["accounts"].items():
        accounts.add_user(name, asked["password"], asked["root"], perm=rights)
    FTPHandler.passive_ports = asked["passive_ports"]
    loop = IOLoop()
    ports = {}
    for name, handler in _handlers(Path(asked["certificates"])).items():
        handler.authorizer = accounts
        handler.auth_failed_timeout = 0
        address = "::1" if name == "ipv6" else "127.0.0.1"
        server = FTPServer((address, 0), handler, ioloop=loop)
        ports[name] = server.socket.getsockname()[1]
    print(json.dumps(ports), flush=True)  # noqa: T201 - read by pyftpd.py
    # A test run that was killed takes its server along: standard input ends with it.
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    loop.loop()


if __name__ == "__main__":
    _serve(json.loads(sys.stdin.readline()))

"""A throwaway vsftpd on free ports of 127.0.0.1: with TLS and session reuse required, and plain.

Logins are anonymous with every right to write, so that neither a system user nor PAM is needed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from platform_tests.servers import programs
from platform_tests.servers.certificates import Certificates, make_certificates
from platform_tests.servers.passive_ports import free_passive_ports
from platform_tests.servers.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 20
# vsftpd refuses a root that its user may write to, so files go to a folder below it.
WRITABLE = "files"
_SETTINGS = {
    "listen": "YES", "listen_ipv6": "NO", "listen_address": "127.0.0.1", "background": "NO", "tcp_wrappers": "NO",
    "anonymous_enable": "YES", "local_enable": "NO", "no_anon_password": "NO", "ftp_username": "ftp",
    "write_enable": "YES", "anon_upload_enable": "YES", "anon_mkdir_write_enable": "YES",
    "anon_other_write_enable": "YES", "anon_world_readable_only": "NO", "anon_umask": "022",
    "delay_failed_login": "0", "session_support": "NO", "xferlog_enable": "NO",
    # Neither the sandbox nor the network namespace can be made inside every container.
    "seccomp_sandbox": "NO", "isolate_network": "NO", "isolate": "NO",
}  # fmt: skip
_TLS = {
    "ssl_enable": "YES", "allow_anon_ssl": "YES", "force_anon_logins_ssl": "YES", "force_anon_data_ssl": "YES",
    "require_ssl_reuse": "YES", "ssl_ciphers": "HIGH", "strict_ssl_read_eof": "YES",
}  # fmt: skip


@dataclass(frozen=True)
class VsftpdServer:
    """Two running servers over one root: ``tls_port`` requires TLS, ``plain_port`` knows none.

    Both take their data connections at ``passive_ports``.
    """

    tls_port: int
    plain_port: int
    root: Path
    certificates: Certificates
    passive_ports: tuple[int, ...]

    @property
    def writable(self) -> Path:
        """The only folder that the account may write to: ``/files`` for a client."""
        return self.root / WRITABLE


@contextmanager
def run() -> Iterator[VsftpdServer]:
    """Run both servers and end them by their own pids."""
    program = programs.vsftpd() or pytest.fail("no vsftpd: run platform_tests/servers/install")
    if os.geteuid() != 0:
        pytest.fail("vsftpd must be started by root: run these tests as root, as CI does")
    folder = Path(tempfile.mkdtemp(prefix="offramp-vsftpd-"))
    folder.chmod(0o755)
    for name in ("root", "empty", f"root/{WRITABLE}"):
        (folder / name).mkdir(mode=0o755)
    account = pwd.getpwnam("ftp")
    os.chown(folder / "root" / WRITABLE, account.pw_uid, account.pw_gid)
    certificates = make_certificates(folder)
    passive = free_passive_ports()
    own = {
        "anon_root": folder / "root", "secure_chroot_dir": folder / "empty",
        "pasv_min_port": passive[0], "pasv_max_port": passive[-1],
    }  # fmt: skip
    tls = {**_TLS, "rsa_cert_file": certificates.server, "rsa_private_key_file": certificates.server}
    try:
        with ExitStack() as running:
            tls_port = running.enter_context(_serve(program, folder / "tls.conf", {**_SETTINGS, **own, **tls}))
            plain_port = running.enter_context(_serve(program, folder / "plain.conf", {**_SETTINGS, **own}))
            yield VsftpdServer(tls_port, plain_port, folder / "root", certificates, passive)
    finally:
        shutil.rmtree(folder)


@contextmanager
def _serve(program: str, path: Path, settings: dict[str, object]) -> Iterator[int]:
    port = free_port()
    lines = {**settings, "listen_port": port}
    path.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    log = path.with_suffix(".log").open("wb")
    server = subprocess.Popen([program, path], stdout=log, stderr=log, cwd="/", start_new_session=True)
    try:
        _wait_until_it_answers(port, server, path.with_suffix(".log"))
        yield port
    finally:
        # Its children serve one connection each; they end with the parent's process group.
        os.killpg(server.pid, 9)
        server.wait(START_SECONDS)
        log.close()


def _wait_until_it_answers(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as client:
                greeting = client.recv(3)
        except OSError:
            greeting = b""
        if greeting == b"220":
            return
        if server.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"vsftpd does not start: {log.read_text()} {greeting!r}")
        time.sleep(0.05)

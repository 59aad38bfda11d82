"""A throwaway pyftpdlib server in a process of its own, with one port per kind of server that is met outside."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from platform_tests.servers.certificates import Certificates, make_certificates
from platform_tests.servers.passive_ports import free_passive_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "offramp"
PASSWORD = "s3cret pass:word@1"  # noqa: S105 - a throwaway server
# e: enter, l: list, r: read, a: append, d: delete, f: rename, m: make folders, w: write.
ACCOUNTS = {
    USER: "elradfmw",
    "no_delete": "elrafmw",
    "no_mkdir": "elradfw",
    "no_rename": "elradmw",
    "no_list": "eradfmw",
    "read_only": "elr",
}


@dataclass(frozen=True)
class PyftpdServer:
    """A running server over one root. ``ports`` holds a port per variant, named in pyftpd_process.py.

    All take their data connections at ``passive_ports``; only where none of these is free, elsewhere.
    """

    ports: dict[str, int]
    root: Path
    certificates: Certificates
    pid: int
    passive_ports: tuple[int, ...]


@contextmanager
def run() -> Iterator[PyftpdServer]:
    """Run the server and end it by its own pid."""
    folder = Path(tempfile.mkdtemp(prefix="offramp-pyftpd-"))
    root = folder / "root"
    root.mkdir()
    certificates = make_certificates(folder)
    program = Path(__file__).with_name("pyftpd_process.py")
    passive = free_passive_ports()
    asked = {
        "root": str(root), "certificates": str(folder), "password": PASSWORD, "accounts": ACCOUNTS,
        "passive_ports": passive,
    }  # fmt: skip
    try:
        with (
            (folder / "log").open("wb") as log,
            subprocess.Popen(
                [sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            ) as server,
        ):
            assert server.stdin is not None
            assert server.stdout is not None
            try:
                server.stdin.write(json.dumps(asked).encode() + b"\n")
                server.stdin.flush()
                told = server.stdout.readline()
                assert told, f"pyftpdlib does not start: {(folder / 'log').read_text()}"
                yield PyftpdServer(json.loads(told), root, certificates, server.pid, passive)
            finally:
                server.kill()
    finally:
        shutil.rmtree(folder)

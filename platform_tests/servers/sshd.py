"""A throwaway OpenSSH server for SFTP on a free port of 127.0.0.1, with a server of its own for every odd setting."""

from __future__ import annotations

import getpass
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from platform_tests.servers import programs
from platform_tests.servers.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 20
HOST_KEY_TYPES = ("ed25519", "ecdsa", "rsa")


@dataclass(frozen=True)
class SshServer:
    """A running server that lets this user in by a key, and the folder of its files."""

    port: int
    folder: Path
    pid: int
    host_keys: tuple[str, ...]

    @property
    def username(self) -> str:
        return getpass.getuser()

    @property
    def private_key(self) -> str:
        """The text of the key that the server lets in."""
        return (self.folder / "client").read_text()

    @property
    def files(self) -> Path:
        """A folder for deliveries."""
        return self.folder / "files"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def fingerprint(self, kind: str | None = None) -> str:
        """What an administrator would read out: asked of ssh-keygen and not of the driver."""
        return _keygen("-lf", self.folder / f"host_{kind or self.host_keys[0]}.pub").split()[1]

    def public_key(self, kind: str | None = None) -> str:
        return " ".join((self.folder / f"host_{kind or self.host_keys[0]}.pub").read_text().split()[:2])

    def sessions(self) -> list[psutil.Process]:
        """The processes that serve one connection each."""
        return psutil.Process(self.pid).children()

    def cut_sessions(self) -> None:
        """Break every connection, as a network that fails does."""
        for process in psutil.Process(self.pid).children(recursive=True):
            process.kill()


def _sshd() -> str:
    found = programs.sshd() or pytest.fail("no OpenSSH server: run platform_tests/servers/install")
    return str(found)


def _keygen(*arguments: str | Path) -> str:
    return subprocess.run(["ssh-keygen", *arguments], check=True, capture_output=True, text=True).stdout


def new_key(path: Path, kind: str = "ed25519", passphrase: str = "", form: str = "RFC4716") -> str:
    """Make a key pair and return the private one's text."""
    _keygen("-q", "-t", kind, "-N", passphrase, "-m", form, "-C", "test", "-f", path)
    return path.read_text()


@contextmanager
def run(
    *settings: str, port: int | None = None, host_keys: tuple[str, ...] = HOST_KEY_TYPES[:2], sftp: str | None = ""
) -> Iterator[SshServer]:
    """Run a server with further lines of sshd_config and options of its SFTP server, and end it by its own pid.

    Its own settings go after the given ones, since sshd takes the first of each. With ``sftp`` None it has no SFTP.
    """
    folder = Path(tempfile.mkdtemp(prefix="offramp-sshd-"))
    folder.chmod(0o755)
    (folder / "files").mkdir()
    new_key(folder / "client")
    for kind in host_keys:
        new_key(folder / f"host_{kind}", kind)
    (folder / "client.pub").rename(folder / "authorized_keys")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(parents=True, exist_ok=True)
    try:
        # The free port may be taken by another worker before the server binds it.
        for _ in range(5):
            chosen = port or free_port()
            process = _start(folder, chosen, [*settings, *_settings(folder, host_keys, sftp)])
            if process is not None:
                break
        else:
            pytest.fail(f"sshd does not start: {(folder / 'log').read_text()}")
        try:
            yield SshServer(chosen, folder, process.pid, host_keys)
        finally:
            _end(process)
    finally:
        shutil.rmtree(folder)


def _settings(folder: Path, host_keys: tuple[str, ...], sftp: str | None) -> list[str]:
    return [
        *(f"HostKey {folder}/host_{kind}" for kind in host_keys),
        f"AuthorizedKeysFile {folder}/authorized_keys",
        f"PidFile {folder}/pid",
        "ListenAddress 127.0.0.1",
        "PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin yes",
        "StrictModes no", "UsePAM no", "UseDNS no", "PrintMotd no", "LogLevel VERBOSE",
        # Runs of the suite open hundreds of connections.
        "MaxStartups 200:30:400", "MaxSessions 50", "LoginGraceTime 60",
        *([] if sftp is None else [f"Subsystem sftp internal-sftp {sftp}"]),
    ]  # fmt: skip


def _start(folder: Path, port: int, settings: list[str]) -> subprocess.Popen[bytes] | None:
    config = folder / "sshd_config"
    config.write_text("\n".join([*settings, f"Port {port}", ""]))
    log = folder / "log"
    log.touch()
    process = subprocess.Popen([_sshd(), "-D", "-f", config, "-E", log], cwd="/", stdin=subprocess.DEVNULL)
    deadline = time.monotonic() + START_SECONDS
    while "Server listening on 127.0.0.1" not in log.read_text():
        if process.poll() is not None:
            return None
        if time.monotonic() > deadline:
            process.kill()
            process.wait()
            return None
        time.sleep(0.01)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    sessions = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.send_signal(signal.SIGTERM)
    process.wait(START_SECONDS)
    # Not waited for: they are the children of another process by now, which may take its time to reap them.
    for session in sessions:
        with suppress(psutil.NoSuchProcess):
            session.kill()


@dataclass(frozen=True)
class Account:
    """A throwaway user of this machine with a password."""

    name: str
    password: str


@contextmanager
def account() -> Iterator[Account]:
    """Create a user and remove it again. Only root can; others skip the test."""
    if os.geteuid() != 0:
        pytest.skip("a user with a password needs root")
    user = Account(f"offramp{secrets.token_hex(4)}", secrets.token_urlsafe(12))
    # Workers that add users at the same time wait for the lock of the password file.
    _until_unlocked("useradd", "--no-create-home", "--home-dir", "/", "--shell", "/bin/sh", user.name)
    try:
        _until_unlocked("chpasswd", text=f"{user.name}:{user.password}\n")
        yield user
    finally:
        uid = pwd.getpwnam(user.name).pw_uid
        for process in psutil.process_iter(["uids"]):
            if process.info["uids"] and process.info["uids"].real == uid:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        _until_unlocked("userdel", user.name)


def _until_unlocked(*command: str, text: str | None = None) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        if time.monotonic() > deadline:
            pytest.fail(f"{command[0]} failed: {done.stderr}")
        time.sleep(0.1)

"""Where the programs that the tests start are: one rule, for the tests and for ``install``.

Run as a script it prints the Debian packages that are missing; it needs nothing but Python.
"""

from __future__ import annotations

import shutil
from pathlib import Path

_OF_THE_SERVER = ("initdb", "postgres", "pg_basebackup")


def postgresql() -> Path | None:
    """Return the folder of a PostgreSQL server's programs: the one on the path, else Debian's newest."""
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((one for one in folders if all((one / name).exists() for name in _OF_THE_SERVER)), None)


def chromium() -> Path | None:
    """Return the browser on the path."""
    found = shutil.which("chromium")
    return Path(found) if found else None


def sshd() -> Path | None:
    """Return OpenSSH's server. It has to be called by its whole path."""
    return _of_system("sshd")


def vsftpd() -> Path | None:
    """Return the FTP server."""
    return _of_system("vsftpd")


def _of_system(name: str) -> Path | None:
    """Return a program of the system: on the path, or where Debian keeps servers and users' paths do not lead."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
    return Path(found) if found else None


def missing() -> list[str]:
    """Return the Debian packages to install."""
    found = {
        "postgresql": postgresql(), "chromium": chromium(), "openssh-server": sshd(), "vsftpd": vsftpd(),
    }  # fmt: skip
    return [package for package, program in found.items() if program is None]


if __name__ == "__main__":
    print(*missing())  # noqa: T201 - read by install

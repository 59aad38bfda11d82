"""One large file to an sshd of this machine: by the SFTP driver, and by OpenSSH's own ``sftp put``."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_tests.servers.sshd import SshServer

BYTES = 512 * 1024 * 1024
_BLOCK_BYTES = 16 * 1024 * 1024


def prepare(folder: Path) -> None:
    """Write the file that is sent: bytes that no layer can compress."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "large").open("wb") as file:
        for _ in range(BYTES // _BLOCK_BYTES):
            file.write(os.urandom(_BLOCK_BYTES))


def commands(folder: Path, server: SshServer) -> Mapping[str, list[str]]:
    """Return the command lines to measure in turn; each writes over the file of the one before."""
    key = folder / "client"
    shutil.copy(server.folder / "client", key)
    key.chmod(0o600)
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {server.public_key()}\n")
    (folder / "batch").write_text(f"put {folder / 'large'} {server.files / 'by_openssh'}\n")
    options = {
        "IdentityFile": key, "IdentitiesOnly": "yes", "UserKnownHostsFile": folder / "known_hosts", "Port": server.port,
        "HostKeyAlgorithms": "ssh-ed25519",
    }  # fmt: skip
    listed = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    ours = [sys.executable, "-m", "platform_tests.benchmarks.sftp_cases", "offramp", str(folder)]
    return {
        "offramp": [*ours, str(server.port), server.username, str(server.files)],
        "openssh sftp": ["sftp", "-q", "-b", str(folder / "batch"), *listed, f"{server.username}@127.0.0.1"],
    }


def offramp(folder: Path, port: str, username: str, directory: str) -> None:
    """Send the file with the driver, proved by its size, as ``sftp`` proves nothing more."""
    from pydantic import SecretStr

    from offramp.destinations.sftp.destination import SftpDestination
    from offramp.destinations.sftp.place import SftpPlace
    from offramp.domain.contents import Content

    place = SftpPlace(
        "127.0.0.1", username, int(port), private_key=SecretStr((folder / "client").read_text()),
        known_hosts=str(folder / "known_hosts"), directory=directory, reads_back=False,
    )  # fmt: skip
    destination = SftpDestination("benchmark", place)
    # The pipeline knows the sum since it wrote the file.
    pending = destination.put("by_offramp", Content(folder / "large", BYTES, ""), token=1)
    destination.commit(pending, over=destination.stat("by_offramp"))
    destination.close()


if __name__ == "__main__":
    offramp(Path(sys.argv[2]), *sys.argv[3:])

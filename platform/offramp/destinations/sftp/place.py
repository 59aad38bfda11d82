"""What reaches one folder of an SFTP server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class SftpPlace:
    """A folder of an SFTP server and what opens it.

    ``password`` also answers keyboard-interactive questions; with ``private_key`` (the text of an OpenSSH or PEM file)
    both are used where the server wants both. ``host_key`` holds fingerprints (``SHA256:...``) or public keys
    (``ssh-ed25519 AAAA...``), parted by commas; ``known_hosts`` is the path of a file of OpenSSH. One of the two is
    needed. ``directory`` may be relative to the folder the server logs in to. ``timeout_seconds`` limits each wait,
    not the whole of a call. With ``reads_back`` off an upload is proved by its size alone. At most ``connections``
    are open at a time; further callers wait.
    """

    host: str
    username: str
    port: int = 22
    password: SecretStr | None = None
    private_key: SecretStr | None = None
    private_key_passphrase: SecretStr | None = None
    host_key: str | None = None
    known_hosts: str | None = None
    directory: str = "/"
    timeout_seconds: float = 30
    reads_back: bool = True
    connections: int = 4

    @property
    def address(self) -> str:
        """Host and port, as people write them."""
        return f"{self.host}:{self.port}"

    def path(self, name: str) -> str:
        """Return where a name stands on the server; the empty name is the directory itself."""
        folder = self.directory.rstrip("/")
        if not folder:
            folder = "" if self.directory.startswith("/") else "."
        return f"{folder}/{name}" if name else folder or "/"


def least_rights(place: SftpPlace) -> str:
    """Return what the customer has to allow, in words to send."""
    reading = "read files (they are read back after each upload)" if place.reads_back else "look at files (stat)"
    return (
        f"SFTP user '{place.username}' on {place.address}, in the folder {place.path('')} and all below it: create "
        f"files and write them, {reading}, list folders, create folders, rename files within a folder, also over an "
        "existing one (posix-rename@openssh.com where the server has it), and delete files. Uploads have hidden names "
        "(.<name>.offramp-<number>.tmp) until they are whole. No shell, no forwarding, no rights elsewhere."
    )

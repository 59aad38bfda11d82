"""Where an FTP server is and how to speak with it, and which names and rights that takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from offramp.destinations.names import check_name
from offramp.domain.errors import DestinationRefused

if TYPE_CHECKING:
    from pydantic import SecretStr

# RFC 959: the command channel is Telnet, where this byte begins a command.
_TELNET = b"\xff"


@dataclass(frozen=True, slots=True)
class FtpPlace:
    """An FTP server, an account of it and a folder there.

    ``directory`` is absolute as the server shows it, or below the folder that a login begins in. ``tls`` is
    explicit TLS on port 21 (AUTH TLS, PROT P): the certificate and the host name are verified always, against the
    system's authorities and those in ``ca_file``. In active mode (not ``is_passive``) the server connects back, to
    ``active_address`` where this machine is seen under another address. ``reads_back`` reads every upload again;
    without it its size alone is compared. ``connections`` bounds those open at once: partners count them.
    """

    host: str
    port: int = 21
    username: str = "anonymous"
    password: SecretStr | None = None
    directory: str = "/"
    tls: bool = True
    ca_file: str | None = None
    is_passive: bool = True
    active_address: str | None = None
    timeout_seconds: float = 30
    reads_back: bool = True
    connections: int = 2
    encoding: str = "utf-8"

    @property
    def address(self) -> str:
        """What errors call the server."""
        return f"{'ftps' if self.tls else 'ftp'}://{self.host}:{self.port}"


def refused_name(name: str, encoding: str = "utf-8") -> str | None:
    """Say why a name, or other text of a command, cannot be carried by FTP; or None.

    A line break would end the command and begin another one of the name's choosing.
    """
    if any(mark in name for mark in "\r\n\0"):
        return "it holds a line break, which would end the FTP command"
    try:
        is_telnet = _TELNET in name.encode(encoding)
    except UnicodeEncodeError:
        return f"the server's encoding {encoding} cannot write it"
    return "it holds the byte 255, which FTP takes for a command" if is_telnet else None


def check_ftp_name(name: str, *, destination: str, encoding: str) -> None:
    """Refuse what every destination refuses and what FTP cannot carry. Raises DestinationRefused."""
    check_name(name, destination=destination)
    fault = refused_name(name, encoding)
    if fault is not None:
        raise DestinationRefused(
            f"destination '{destination}' cannot take this name: {fault}",
            expected=f"a name without line breaks, in {encoding}",
            found=repr(name),
            todo="change the option or the tenant that the name is made of",
        )


def least_rights(place: FtpPlace) -> str:
    """Say, for the customer's administrator, which rights the account needs and no more."""
    secure = (
        "Offer explicit TLS (AUTH TLS, PROT P) with a certificate for that host name; session reuse may be required.\n"
        if place.tls
        else "This place is set to plain FTP: password and files cross the network readable. Prefer TLS.\n"
    )
    if place.is_passive:
        data = "Passive mode: open the server's passive port range to us.\n"
    else:
        shown = place.active_address or "our address"
        data = f"Active mode: let the server connect from its data port to {shown}, ports 1024 to 65535.\n"
    reading = "RETR: every file is read back and compared." if place.reads_back else "RETR: to tell equal files apart."
    return (
        f"Account '{place.username}' at {place.host}, port {place.port}, on '{place.directory}' and below only:\n"
        "- list folders, hidden files too: MLSD and MLST, or LIST -a; SIZE; CWD\n"
        "- write, overwrite and go on with files: STOR, APPE, REST\n"
        f"- {reading}\n"
        "- rename, over an existing file too: RNFR, RNTO. A file gets its final name when it is whole\n"
        "- delete: DELE, for what broken runs left, and where the server does not rename over a file\n"
        "- make folders: MKD\n"
        f"Not needed: RMD, SITE, or anything outside '{place.directory}'.\n"
        f"Allow {place.connections} connections at once.\n"
        f"{secure}{data}"
    )

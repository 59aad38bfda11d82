"""What FTP servers, TLS and the network say, as errors that say what to do."""

from __future__ import annotations

import ftplib
import re
import socket
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from offramp.domain.errors import DestinationClosed, DestinationDown, DestinationRefused, DestinationUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offramp.destinations.ftp.place import FtpPlace
    from offramp.domain.errors import OfframpError

_LOGIN = {"331", "332", "430", "530", "532"}
_FULL = {"452", "552"}
# RFC 959: "local error in processing". vsftpd says it of a full disk.
_LOCAL_ERROR = "451"
# The session of TLS that a data connection must go on with is too old: servers keep them for 5 minutes to 2 hours.
_NO_REUSE = "522"
# Servers say 550 and 530 for much that passes; only the words tell.
_FULL_WORDS = re.compile(r"quota|no space|disk (is )?full|insufficient (storage|space)", re.IGNORECASE)
_BUSY_WORDS = re.compile(
    r"being used|in use|is locked|try again|too many|maximum number|busy|temporar|timed? ?out", re.IGNORECASE
)
# At login only a full house passes. "Try again" is said of wrong passwords too, and accounts are locked after a few.
_CROWDED_WORDS = re.compile(r"too many|maximum|in use|busy", re.IGNORECASE)
_FAILED_WORDS = re.compile(r"fail|attempt|\btries|wrong|invalid|incorrect|bad |password", re.IGNORECASE)
_DENIED_WORDS = re.compile(
    r"denied|privilege|permission|not permitted|not allowed|not authori[sz]ed|forbidden", re.IGNORECASE
)
_SHOWN_CHARACTERS = 300
_AGAIN = "run again; the parts stay staged"
_TODO = {
    "log in to": "check the user name, the password and that the account is open",
    "write": "give this account the right to write (STOR, APPE, REST) and to make folders (MKD) there",
    "make a folder for": "give this account the right to make folders (MKD) there, or make the folder for it",
    "rename": "give this account the right to rename (RNFR, RNTO) there",
    "overwrite": "give this account the right to overwrite: to rename over a file (RNFR, RNTO), or to delete (DELE)",
    "delete": "give this account the right to delete (DELE) there",
    "read back": "give this account the right to read (RETR) there",
    "look at": "give this account the right to list (MLST, SIZE, LIST) there",
    "list": "give this account the right to enter and list folders (CWD, MLSD, LIST) there",
}


def code(error: ftplib.Error) -> str:
    """Return the three digits of a reply."""
    return str(error)[:3]


def is_denied(error: ftplib.Error) -> bool:
    """Say whether a reply speaks of rights, where its number may as well mean a missing file."""
    return _DENIED_WORDS.search(str(error)) is not None


@contextmanager
def told(destination: str, place: FtpPlace, doing: str, name: str) -> Iterator[None]:
    """Turn a reply or an error of the network into one of the project's errors."""
    what = f"destination '{destination}' cannot {doing} a file at {place.address}"
    if doing == "log in to":
        what = f"destination '{destination}' cannot log in to {place.address} as '{place.username}'"
    passing = DestinationDown if doing == "log in to" else DestinationUnreachable
    try:
        yield
    except ftplib.Error as error:
        raise _from_reply(what, doing, name, error) from error
    except EOFError as error:
        raise passing(what, where=name, found="the server closed the connection", todo=_AGAIN) from error
    except OSError as error:
        raise _from_network(what, name, error, passing) from error


def _from_reply(what: str, doing: str, name: str, error: ftplib.Error) -> OfframpError:
    found = " ".join(str(error).split())[:_SHOWN_CHARACTERS]
    number = code(error)
    if number in _FULL or _FULL_WORDS.search(found):
        todo = "free space or raise the quota at the server, then run again; the parts stay staged"
        return DestinationUnreachable(what, where=name, found=found, todo=todo)
    if number == _LOCAL_ERROR and doing == "write":
        todo = "ask the server's operator what its log says, for its disk may be full; then run again"
        return DestinationUnreachable(what, where=name, found=found, todo=todo)
    is_busy = _is_crowded(found) if doing == "log in to" else _BUSY_WORDS.search(found) is not None
    if number in _LOGIN and not is_busy:
        return DestinationClosed(what, where=name, found=found, todo=_TODO["log in to"])
    if number == _NO_REUSE:
        todo = "run again: a new connection has a new session of TLS; if it stays so, ask the server's operator"
        return DestinationUnreachable(what, where=name, found=found, todo=todo)
    if isinstance(error, ftplib.error_perm) and not is_busy:
        return DestinationRefused(what, where=name, found=found, todo=_TODO.get(doing, "ask the server's operator"))
    # A server that has too many connections does answer: with those that are open, work goes on.
    is_down = doing == "log in to" and not is_busy
    return (DestinationDown if is_down else DestinationUnreachable)(what, where=name, found=found, todo=_AGAIN)


def _is_crowded(found: str) -> bool:
    return _CROWDED_WORDS.search(found) is not None and _FAILED_WORDS.search(found) is None


def _from_network(what: str, name: str, error: OSError, passing: type[DestinationUnreachable]) -> OfframpError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return DestinationClosed(
            f"{what}: the server's certificate does not prove that it is this server",
            where=name,
            expected="a valid certificate for the host name, from an authority of the system's or of ca_file",
            found=error.verify_message or "another certificate",
            todo="give the host name that it is for, give the partner's authority as ca_file, or have it renewed",
        )
    if isinstance(error, socket.gaierror):
        found, todo = f"the host name has no address: {error.strerror}", f"check the host name; {_AGAIN}"
    elif isinstance(error, TimeoutError):
        found, todo = "no answer in time", f"check the network, firewalls and the data ports of the server; {_AGAIN}"
    else:
        found, todo = error.strerror or str(error) or type(error).__name__, _AGAIN
    return passing(what, where=name, found=found, todo=todo)

"""What servers, networks and paramiko say, as errors that say what to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from offramp.destinations.sftp.packets import (
    BAD_MESSAGE,
    FAILURE,
    GONE,
    NO_SPACE,
    PERMISSION_DENIED,
    QUOTA_EXCEEDED,
    UNSUPPORTED,
    GarbageError,
    StatusError,
)
from offramp.domain.errors import DestinationRefused, DestinationUnreachable, OfframpError

if TYPE_CHECKING:
    from collections.abc import Iterator

_RETRY = "run again; the parts stay staged"


@contextmanager
def sftp_errors(
    destination: str, doing: str, path: str, *, passing: type[DestinationUnreachable] = DestinationUnreachable
) -> Iterator[None]:
    """Turn whatever goes wrong while ``doing`` (write, rename, ...) into an error of the one tree.

    ``passing`` is raised for a network or a server that gives no answer of SFTP.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - see below
    from paramiko import SSHException  # noqa: PLC0415 - loads cryptography, which other destinations do not need

    what = f"destination '{destination}' cannot {doing}"
    try:
        yield
    except StatusError as error:
        raise _of_status(error, what, doing, path) from error
    except GarbageError as error:
        todo = "check that this account may use SFTP and that its login scripts print nothing, then run again"
        raise passing(what, where=path, expected="SFTP", found=str(error), todo=todo) from error
    except TimeoutError as error:
        found = str(error) or "no answer in time"
        todo = f"check the network and the server's load, or raise timeout_seconds, then {_RETRY}"
        raise passing(what, where=path, found=found, todo=todo) from error
    # An EOFError or SSHException here is a connection that broke; those of the handshake are told apart before. A byte
    # that was damaged on the way is an InvalidTag, or a UnicodeError where nothing is encrypted yet.
    except (OSError, EOFError, SSHException, UnicodeError, InvalidTag) as error:
        raise passing(what, where=path, found=str(error) or "the connection was lost", todo=_RETRY) from error


def _of_status(error: StatusError, what: str, doing: str, path: str) -> OfframpError:
    found = str(error)
    if error.code == PERMISSION_DENIED:
        todo = f"ask the customer for the right to {doing} there, or correct the directory in the settings"
        return DestinationRefused(what, where=path, found=found, todo=todo)
    if error.code == BAD_MESSAGE:
        todo = "shorten the name or change the characters that this server does not take"
        return DestinationRefused(what, where=path, found=found, todo=todo)
    if error.code == UNSUPPORTED:
        todo = "ask the customer for a server that can do this"
        return DestinationRefused(what, where=path, found=found, todo=todo)
    if error.code in GONE:
        todo = f"check the directory in the settings and who else removes files there, then {_RETRY}"
        return DestinationUnreachable(what, where=path, found=found, todo=todo)
    if error.code in {FAILURE, NO_SPACE, QUOTA_EXCEEDED}:
        todo = (
            "the server gives no reason: either its disk or quota is full (then free space), or something stands in "
            f"the way of the path or its file system is read-only (then ask the customer); {_RETRY}"
        )
        return DestinationUnreachable(what, where=path, found=found, todo=todo)
    return DestinationUnreachable(what, where=path, found=found, todo=_RETRY)

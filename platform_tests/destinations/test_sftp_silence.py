"""SFTP servers that fall silent, or send a damaged byte, before SFTP has begun."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import paramiko
import pytest
from cryptography.exceptions import InvalidTag
from pydantic import SecretStr

from offramp.destinations.sftp.connect import connect
from offramp.destinations.sftp.errors import sftp_errors
from offramp.destinations.sftp.place import SftpPlace
from offramp.domain.errors import DestinationClosed, DestinationDown, DestinationUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator


class _SilentServer(paramiko.ServerInterface):
    """Lets everybody in, and never answers the wish for SFTP."""

    def __init__(self) -> None:
        self.is_over = threading.Event()

    def check_auth_none(self, username: str) -> int:  # noqa: ARG002 - paramiko's signature
        return paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002 - paramiko's signature
        return paramiko.OPEN_SUCCEEDED

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:  # noqa: ARG002 - as above
        self.is_over.wait(30)
        return False


@contextmanager
def silent_server() -> Iterator[SftpPlace]:
    key = paramiko.ECDSAKey.generate()
    silent = _SilentServer()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            accepted, _ = listening.accept()
            transport = paramiko.Transport(accepted)
            transport.add_server_key(key)
            transport.start_server(server=silent)
            silent.is_over.wait(30)
            transport.close()

        thread = threading.Thread(target=serve)
        thread.start()
        host_key = f"{key.get_name()} {key.get_base64()}"
        port = listening.getsockname()[1]
        yield SftpPlace("127.0.0.1", "me", port, password=SecretStr("x"), host_key=host_key, timeout_seconds=1)
        silent.is_over.set()
        thread.join()


def test_a_server_that_never_answers_the_wish_for_sftp_is_given_up() -> None:
    with silent_server() as place:
        begun = time.monotonic()
        with pytest.raises(DestinationDown, match="in time"):
            connect(place, destination="partner")
        assert time.monotonic() - begun < 10


def test_a_host_that_cannot_be_one_is_refused() -> None:
    place = SftpPlace("sftp..example.com", "me", host_key="SHA256:" + "A" * 43, password=SecretStr("x"))
    with pytest.raises(DestinationClosed, match="cannot be one"):
        connect(place, destination="partner")


@pytest.mark.parametrize("damage", [InvalidTag(), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid")])
def test_a_byte_that_was_damaged_on_the_way_may_pass(damage: Exception) -> None:
    with pytest.raises(DestinationUnreachable, match="to do"), sftp_errors("partner", "read files", "/users.csv"):
        raise damage

"""What keeps one destination from its files keeps no other."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from offramp.domain.errors import DestinationClosed
from offramp.settings.destinations import SftpDestination
from offramp.wiring import open_destination
from platform_tests.scenarios.scene import Scene, subscription

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2026, 10, 23)
SFTP: dict[str, Any] = {"kind": "sftp", "host": "127.0.0.1", "username": "u", "host_key": "SHA256:x"}


def test_a_key_that_cannot_be_read_closes_its_destination_alone(tmp_path: Path) -> None:
    settings = SftpDestination.model_validate(SFTP | {"private_key_file": tmp_path / "gone"})

    with pytest.raises(DestinationClosed, match="the key of destination 'acme' cannot be read") as closed:
        open_destination("acme", settings, "in")

    assert str(tmp_path / "gone") in str(closed.value)


def test_one_connection_serves_a_subscription_all_along(tmp_path: Path) -> None:
    kinds = {"outbox": {"kind": "local", "path": "outbox/{subscription}"}, "acme": SFTP | {"password": "hush"}}
    one = subscription("north", destinations=kinds)
    scene = Scene(tmp_path, {"kind": "demo"}, [one], DAY, destinations=kinds)
    (north,) = scene.rooms.subscriptions

    assert scene.rooms.destination("acme", north) is scene.rooms.destination("acme", north)
    assert "hush" not in repr(scene.rooms.destination("acme", north))
    scene.rooms.hang_up()

"""Google Cloud Storage by its JSON API and a service account, for the suites."""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from offramp.destinations.gcs.destination import GcsDestination
from offramp.destinations.gcs.place import GcsPlace
from platform_tests.servers.gcs import BUCKET, GcsServer

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from platform_tests.destinations.places import Place

_NUMBERS = itertools.count()


def gcs_place(server: GcsServer, identity: str = "writer", **fields: Any) -> GcsPlace:
    """Return an empty prefix of the shared bucket, seen with an identity's key."""
    given: dict[str, Any] = {
        "bucket": BUCKET,
        "prefix": f"place {next(_NUMBERS)}/deliveries",
        "service_account": SecretStr(server.key(identity)),
        "endpoint_url": server.url,
        "timeout_seconds": 10,
    }
    return GcsPlace(**given | fields)


def place(request: pytest.FixtureRequest, _folder: Path) -> Place:
    from platform_tests.destinations.places import Place  # noqa: PLC0415 - it imports this module

    server = request.getfixturevalue("gcs_server")
    server.reset()
    return Place(
        kind="gcs",
        open=partial(GcsDestination, "gcs", gcs_place(server)),
        write_steps=("initiate", "send", "finalise", "verify"),
        visible_at="finalise",
        delete_steps=("delete",),
        # The server lists no upload that is under way, to nobody.
        unfinished=lambda: (),
        refuses=lambda name: "a line break" if "\n" in name or "\r" in name else None,
    )

"""Google Cloud Storage by its XML API and HMAC keys, with the driver of S3, for the suites."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from offramp.destinations.s3.destination import S3Destination

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from offramp.destinations.s3.place import S3Place
    from platform_tests.destinations.places import Place
    from platform_tests.servers.gcs_xml import GcsXmlServer


def gcs_hmac_place(server: GcsXmlServer, **settings: object) -> S3Place:
    """Return an empty place behind the front."""
    from platform_tests.destinations.s3_place import s3_place  # noqa: PLC0415 - see below

    return s3_place(server.seaweedfs, dialect="gcs", endpoint_url=server.url, region="auto", **settings)


def place(request: pytest.FixtureRequest, _folder: Path) -> Place:
    from platform_tests.destinations.places import Place  # noqa: PLC0415 - it imports this module
    from platform_tests.destinations.s3_place import unfinished  # noqa: PLC0415

    server: GcsXmlServer = request.getfixturevalue("gcs_xml_server")
    server.reset()
    target = gcs_hmac_place(server)
    return Place(
        kind="gcs_hmac",
        open=partial(S3Destination, "gcs_hmac", target),
        write_steps=("create", "part", "complete", "verify"),
        visible_at="complete",
        delete_steps=("delete",),
        unfinished=partial(unfinished, server.seaweedfs, target),
    )

"""S3 for the suites: a fresh prefix of a bucket on SeaweedFS."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import SecretStr

from offramp.destinations.s3.destination import S3Destination
from offramp.destinations.s3.place import S3Place
from platform_tests.servers.seaweedfs import BUCKET

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from platform_tests.destinations.places import Place
    from platform_tests.servers.seaweedfs import Identity, SeaweedfsServer

PART_BYTES = 5 * 1024 * 1024


def s3_place(server: SeaweedfsServer, identity: Identity | None = None, **settings: object) -> S3Place:
    """Return a place below a prefix that nobody used yet. Odd characters and depth are part of it."""
    keys = identity or server.admin
    standard: dict[str, object] = {
        "bucket": BUCKET, "prefix": f"to acme/é+{uuid4().hex}", "access_key": SecretStr(keys.access_key),
        "secret_key": SecretStr(keys.secret_key), "region": "us-east-1", "endpoint_url": server.endpoint_url,
        "part_bytes": PART_BYTES, "timeout_seconds": 30,
    }  # fmt: skip
    return S3Place(**(standard | settings))  # type: ignore[arg-type] # one function for all settings of the tests


def unfinished(server: SeaweedfsServer, place: S3Place) -> list[str]:
    """Return the keys of the uploads that nobody finished, as the server tells them."""
    pages = server.client().get_paginator("list_multipart_uploads").paginate(Bucket=place.bucket)
    uploads = [one["Key"] for page in pages for one in page.get("Uploads", [])]
    return [key for key in uploads if key.startswith(place.key(""))]


def place(request: pytest.FixtureRequest, _folder: Path) -> Place:
    from platform_tests.destinations.places import Place  # noqa: PLC0415 - it imports this module

    server: SeaweedfsServer = request.getfixturevalue("seaweedfs")
    target = s3_place(server)
    return Place(
        kind="s3",
        open=partial(S3Destination, "acme", target),
        write_steps=("create", "part", "complete", "verify"),
        visible_at="complete",
        delete_steps=("delete",),
        unfinished=partial(unfinished, server, target),
    )

"""The driver of S3 in the dialect of Google's XML API: generations and its own checksums."""

from __future__ import annotations

import os
import tracemalloc
from typing import TYPE_CHECKING, Any

import google_crc32c
import pytest

from offramp.destinations.s3.destination import S3Destination
from offramp.destinations.s3.dialects import dialect_of
from offramp.domain.contents import text_content
from offramp.domain.errors import DestinationChanged
from platform_tests.destinations.gcs_hmac_place import gcs_hmac_place
from platform_tests.destinations.places import read, write
from platform_tests.destinations.s3_place import PART_BYTES

if TYPE_CHECKING:
    from platform_tests.servers.gcs_xml import GcsXmlServer

LARGE = b"row of a large file\n" * (2 * PART_BYTES // 20 + 1000)


@pytest.fixture
def destination(gcs_xml_server: GcsXmlServer) -> S3Destination:
    gcs_xml_server.reset()
    return S3Destination("acme", gcs_hmac_place(gcs_xml_server))


@pytest.mark.parametrize("content", [b"", b"small", LARGE], ids=["empty", "small", "parts"])
def test_what_the_store_computed_proves_an_object_without_reading_it(
    destination: S3Destination, content: bytes
) -> None:
    asked: list[str] = []
    headers: set[str] = set()

    def note(request: Any, event_name: str, **_: Any) -> None:
        asked.append(event_name.rpartition(".")[2])
        headers.update(name.lower() for name in request.headers)

    destination._bucket.client.meta.events.register("before-send.s3", note)
    write(destination, "users.csv", content)

    assert "GetObject" not in asked
    assert not {name for name in headers if name.startswith("x-amz-checksum")}
    assert {"content-md5", "x-goog-if-generation-match"} <= headers
    assert not {"if-match", "if-none-match"} & headers
    assert read(destination, "users.csv") == content


def test_a_generation_is_the_version_that_a_replacement_names(destination: S3Destination) -> None:
    write(destination, "users.csv", b"first")
    seen = destination.stat("users.csv")
    assert seen is not None
    assert seen.version is not None
    assert seen.version.isdigit()
    write(destination, "users.csv", b"second")

    for over in (None, seen):
        for content in (b"third", LARGE):
            with pytest.raises(DestinationChanged):
                destination.commit(destination.put("users.csv", text_content(content), token=1), over=over)

    assert read(destination, "users.csv") == b"second"


def test_the_checksum_of_a_part_takes_no_second_part_of_memory() -> None:
    part = bytearray(os.urandom(1024)) * (8 * 1024)
    following = dialect_of("gcs").follow()
    assert following is not None
    tracemalloc.start()
    try:
        following.update(part)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert following.digest() == google_crc32c.value(bytes(part)).to_bytes(4, "big")
    assert peak < len(part) // 2

"""What is particular to Google Cloud Storage by its XML API: the server of the tests, and the driver against it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from offramp.destinations.s3.destination import S3Destination
from offramp.domain.errors import DestinationChanged, DestinationRefused, DestinationUnreachable, VerificationFailed
from platform_tests.destinations.gcs_hmac_place import gcs_hmac_place
from platform_tests.destinations.places import content_of, read, write
from platform_tests.destinations.s3_place import s3_place
from platform_tests.servers.seaweedfs import BUCKET, Identity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from platform_tests.servers.gcs_xml import GcsXmlServer

LARGE = b"0123456789abcde\n" * (6 * 1024 * 1024 // 16) + b"end"


@pytest.fixture
def server(gcs_xml_server: GcsXmlServer) -> Iterator[GcsXmlServer]:
    gcs_xml_server.reset()
    yield gcs_xml_server
    gcs_xml_server.reset()


@pytest.fixture
def destination(server: GcsXmlServer) -> Iterator[S3Destination]:
    opened = S3Destination("acme", gcs_hmac_place(server))
    yield opened
    opened.close()


def plain_client(server: GcsXmlServer) -> Any:
    return boto3.client(
        "s3", endpoint_url=server.url, region_name="us-east-1",
        aws_access_key_id=server.seaweedfs.admin.access_key, aws_secret_access_key=server.seaweedfs.admin.secret_key,
        config=Config(retries={"total_max_attempts": 1}, request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )  # fmt: skip


def test_the_server_does_not_heed_the_conditions_of_amazon(server: GcsXmlServer) -> None:
    client = plain_client(server)
    client.put_object(Bucket=BUCKET, Key="plain.csv", Body=b"old")
    client.put_object(Bucket=BUCKET, Key="plain.csv", Body=b"new", IfNoneMatch="*")

    assert client.get_object(Bucket=BUCKET, Key="plain.csv")["Body"].read() == b"new"


def test_the_server_refuses_the_checksums_of_amazon(server: GcsXmlServer) -> None:
    with pytest.raises(ClientError, match="InvalidArgument"):
        plain_client(server).put_object(Bucket=BUCKET, Key="plain.csv", Body=b"x", ChecksumAlgorithm="SHA256")


@pytest.mark.parametrize("content", [b"small", LARGE], ids=["simple", "parts"])
def test_only_the_generation_that_was_looked_at_is_replaced(destination: S3Destination, content: bytes) -> None:
    write(destination, "users.csv", b"old")
    seen = destination.stat("users.csv")
    assert seen is not None
    assert str(seen.version).isdigit()
    pending = destination.put("users.csv", content_of(content), token=1)
    write(destination, "users.csv", b"other", token=2)

    with pytest.raises(DestinationChanged):
        destination.commit(pending, over=seen)

    assert read(destination, "users.csv") == b"other"


def test_of_eight_that_create_one_name_one_wins(destination: S3Destination) -> None:
    contents = [bytes([65 + number]) * 1000 for number in range(8)]
    pending = [destination.put("users.csv", content_of(one), token=number) for number, one in enumerate(contents)]
    start = threading.Barrier(8)
    won: list[int] = []

    def compete(number: int) -> None:
        start.wait()
        try:
            destination.commit(pending[number], over=None)
        except DestinationChanged:
            return
        won.append(number)

    threads = [threading.Thread(target=compete, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(won) == 1
    assert read(destination, "users.csv") == contents[won[0]]


@pytest.mark.parametrize("content", [b"small", LARGE], ids=["simple", "parts"])
def test_a_write_whose_answer_was_lost_is_found_done(
    server: GcsXmlServer, destination: S3Destination, content: bytes
) -> None:
    pending = destination.put("users.csv", content_of(content), token=1)
    server.fail("POST" if content is LARGE else "PUT", "users.csv", loses_answer=True)
    with pytest.raises(DestinationUnreachable):
        destination.commit(pending, over=None)

    destination.commit(pending, over=None)

    assert read(destination, "users.csv") == content


def test_a_bit_that_flips_on_the_way_is_refused(server: GcsXmlServer, destination: S3Destination) -> None:
    server.fail("PUT", "users.csv", flips_request=True)

    with pytest.raises((VerificationFailed, DestinationUnreachable)):
        destination.commit(destination.put("users.csv", content_of(b"content " * 1000), token=1), over=None)

    assert destination.stat("users.csv") is None


def test_a_wrong_secret_is_refused(server: GcsXmlServer) -> None:
    wrong = Identity(server.seaweedfs.admin.access_key, "wrong")
    place = s3_place(server.seaweedfs, wrong, dialect="gcs", endpoint_url=server.url, region="auto")
    with pytest.raises(DestinationRefused):
        write(S3Destination("acme", place), "users.csv", b"small")

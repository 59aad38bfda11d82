"""S3 on a real server: conditions, proofs, what an interrupted upload leaves, and the memory it takes."""

from __future__ import annotations

import base64
import hashlib
import json
import multiprocessing
import signal
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError

from offramp.destinations.s3.destination import S3Destination
from offramp.destinations.s3.place import S3Place, least_policy
from offramp.domain.contents import Content, Standing, text_content
from offramp.domain.errors import (
    DeliveryRefused,
    DestinationChanged,
    DestinationRefused,
    DestinationUnreachable,
    VerificationFailed,
)
from platform_tests.destinations.killing import killed_at, replace_file
from platform_tests.destinations.places import content_of, read, write
from platform_tests.destinations.s3_place import PART_BYTES, s3_place, unfinished
from platform_tests.servers.seaweedfs import BUCKET

if TYPE_CHECKING:
    from platform_tests.servers.seaweedfs import SeaweedfsServer

LARGE = b"row of a large file\n" * (4 * PART_BYTES // 20 + 1000)  # 4 whole parts and a short one
LARGE_PARTS = 5
MIB = 1024 * 1024


@pytest.fixture
def place(seaweedfs: SeaweedfsServer) -> S3Place:
    return s3_place(seaweedfs)


@pytest.fixture
def destination(place: S3Place) -> S3Destination:
    return S3Destination("acme", place)


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    path = tmp_path / "large.csv"
    path.write_bytes(LARGE)
    return path


def events(destination: S3Destination) -> Any:
    """The hooks of the driver's client: where a test stands in for a bad network."""
    return destination._bucket.client.meta.events


def head(server: SeaweedfsServer, place: S3Place, name: str) -> Any:
    return server.client().head_object(Bucket=BUCKET, Key=place.key(name), ChecksumMode="ENABLED")


def test_an_upload_tells_its_steps_in_order(place: S3Place, large_file: Path) -> None:
    steps: list[str] = []
    one_thread = S3Destination("acme", replace(place, parallel_parts=1), at_step=steps.append)

    write(one_thread, "small.csv", b"small")
    small, steps[:] = list(steps), []
    write(one_thread, "large.csv", large_file)

    assert small == ["before put", "after put", "before verify", "after verify"]
    parts = ["before part", "after part"] * LARGE_PARTS
    assert steps == ["before create", "after create", *parts,
                     "before complete", "after complete", "before verify", "after verify"]  # fmt: skip


def test_a_killed_upload_is_gone_on_with_and_only_missing_parts_are_sent(
    seaweedfs: SeaweedfsServer, place: S3Place, large_file: Path
) -> None:
    one_thread = replace(place, parallel_parts=1)
    opened = partial(S3Destination, "acme", one_thread)
    assert killed_at("after part", replace_file, opened, "large.csv", large_file) == -signal.SIGKILL
    assert len(unfinished(seaweedfs, place)) == 1
    steps: list[str] = []
    told: list[int] = []
    second = S3Destination("acme", place, at_step=steps.append)

    second.commit(second.put("large.csv", content_of(large_file), token=8, sent=told.append), over=None)

    assert (steps.count("before create"), steps.count("before part")) == (0, LARGE_PARTS - 1)
    assert sum(told) == len(LARGE) - PART_BYTES
    assert read(second, "large.csv") == LARGE
    assert not unfinished(seaweedfs, place)


def test_parts_of_another_content_are_not_taken_over(seaweedfs: SeaweedfsServer, place: S3Place) -> None:
    steps: list[str] = []
    destination = S3Destination("acme", place, at_step=steps.append)
    destination.put("large.csv", text_content(LARGE), token=1)
    other = bytearray(LARGE)
    other[PART_BYTES + 7] ^= 1
    steps.clear()

    destination.commit(destination.put("large.csv", text_content(bytes(other)), token=2), over=None)

    assert steps.count("before part") == 1
    assert read(destination, "large.csv") == bytes(other)
    assert not unfinished(seaweedfs, place)


def test_of_several_unfinished_uploads_none_is_left(
    seaweedfs: SeaweedfsServer, place: S3Place, destination: S3Destination
) -> None:
    for _ in range(3):
        seaweedfs.client().create_multipart_upload(Bucket=BUCKET, Key=place.key("large.csv"))
    seaweedfs.client().create_multipart_upload(Bucket=BUCKET, Key=place.key("large.csv.other"))

    write(destination, "large.csv", LARGE)

    assert unfinished(seaweedfs, place) == [place.key("large.csv.other")]
    assert destination.sweep(["large"], below_token=1) == 1
    assert not unfinished(seaweedfs, place)


def test_an_upload_that_was_swept_cannot_be_completed_but_put_again(destination: S3Destination) -> None:
    pending = destination.put("large.csv", text_content(LARGE), token=1)
    assert destination.sweep(["large.csv"], below_token=2) == 1

    with pytest.raises(VerificationFailed, match="gone before it was completed"):
        destination.commit(pending, over=None)

    write(destination, "large.csv", LARGE)
    assert read(destination, "large.csv") == LARGE


@pytest.mark.parametrize("first_bytes", [1000, 6 * MIB], ids=["puts", "a complete among puts"])
def test_of_eight_that_create_one_name_at_once_one_wins(destination: S3Destination, first_bytes: int) -> None:
    contents = [text_content(bytes([65 + number]) * (1000 if number else first_bytes)) for number in range(8)]
    pending = [destination.put("users.csv", content, token=number) for number, content in enumerate(contents)]
    barrier = threading.Barrier(8)
    won: list[int] = []
    lost: list[int] = []

    def create(number: int) -> None:
        barrier.wait()
        try:
            destination.commit(pending[number], over=None)
            won.append(number)
        except DestinationChanged:
            lost.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(won), len(lost)) == (1, 7)
    assert read(destination, "users.csv") == contents[won[0]].source


def test_what_changed_since_it_was_seen_is_not_replaced(destination: S3Destination) -> None:
    write(destination, "users.csv", b"first")
    seen = destination.stat("users.csv")
    write(destination, "users.csv", b"second")

    for content in (b"third", LARGE):
        with pytest.raises(DestinationChanged, match="to do"):
            destination.commit(destination.put("users.csv", text_content(content), token=3), over=seen)
    destination.delete("users.csv")
    with pytest.raises(DestinationChanged, match="nothing"):
        destination.commit(destination.put("users.csv", text_content(b"third"), token=3), over=seen)


def test_what_was_seen_without_a_version_is_replaced(destination: S3Destination) -> None:
    write(destination, "users.csv", b"first")

    pending = destination.put("users.csv", text_content(b"second"), token=1)
    destination.commit(pending, over=Standing("users.csv", 5))

    assert read(destination, "users.csv") == b"second"


def test_a_foreign_object_is_seen_without_a_checksum_and_replaced_only_when_seen(
    seaweedfs: SeaweedfsServer, place: S3Place, destination: S3Destination
) -> None:
    foreign = {"Bucket": BUCKET, "Key": place.key("users.csv"), "Body": b"equal"}
    seaweedfs.client().put_object(**foreign, Metadata={"sha256": "not a checksum"})
    seen = destination.stat("users.csv")
    assert seen is not None
    assert (seen.bytes, seen.sha256) == (5, None)
    pending = destination.put("users.csv", text_content(b"equal"), token=1)

    with pytest.raises(DestinationChanged):
        destination.commit(pending, over=None)
    destination.commit(pending, over=seen)

    standing = destination.stat("users.csv")
    assert standing is not None
    assert standing.sha256 == hashlib.sha256(b"equal").hexdigest()


@pytest.mark.parametrize(("content", "operation"), [(b"small", "PutObject"), (LARGE, "CompleteMultipartUpload")])
def test_a_write_whose_answer_was_lost_is_found(destination: S3Destination, content: bytes, operation: str) -> None:
    pending = destination.put("users.csv", text_content(content), token=1)

    def lose(**_: Any) -> None:
        events(destination).unregister(f"after-call.s3.{operation}", lose)
        raise ConnectionClosedError(endpoint_url="http://test")

    events(destination).register(f"after-call.s3.{operation}", lose)
    with pytest.raises(DestinationUnreachable):
        destination.commit(pending, over=None)
    written = destination.stat("users.csv")
    destination.commit(pending, over=None)

    assert destination.stat("users.csv") == written
    assert read(destination, "users.csv") == content


def test_an_error_in_a_200_of_complete_does_not_pass(destination: S3Destination) -> None:
    pending = destination.put("users.csv", text_content(LARGE), token=1)

    class Raw:
        def stream(self, **_: Any) -> list[bytes]:
            return [b"<Error><Code>InternalError</Code><Message>We met an error</Message></Error>"]

    def answer(request: Any, **_: Any) -> AWSResponse:
        events(destination).unregister("before-send.s3.CompleteMultipartUpload", answer)
        return AWSResponse(request.url, 200, {}, Raw())

    events(destination).register("before-send.s3.CompleteMultipartUpload", answer)
    with pytest.raises(DestinationUnreachable, match="InternalError"):
        destination.commit(pending, over=None)
    assert destination.stat("users.csv") is None
    destination.commit(pending, over=None)
    assert read(destination, "users.csv") == LARGE


@pytest.mark.parametrize("content", [b"small", LARGE], ids=["one put", "parts"])
def test_a_bit_that_flips_on_the_way_is_refused(destination: S3Destination, content: bytes) -> None:
    def flip(request: Any, **_: Any) -> None:
        request.body = bytes([request.body[0] ^ 1]) + bytes(request.body[1:])

    for operation in ("PutObject", "UploadPart"):
        events(destination).register(f"before-send.s3.{operation}", flip)
    with pytest.raises(VerificationFailed, match="BadDigest"):
        destination.commit(destination.put("users.csv", text_content(content), token=1), over=None)

    assert destination.list("") == ()


@pytest.mark.parametrize("reads_back", [False, True])
def test_other_bytes_at_the_store_are_removed_again(place: S3Place, *, reads_back: bool) -> None:
    """A store, or something before it, that keeps other bytes under a checksum that fits them."""
    destination = S3Destination("acme", replace(place, reads_back=reads_back))

    def swap(params: dict[str, Any], **_: Any) -> None:
        params["body"] = b"other"
        digest = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
        params["headers"]["x-amz-checksum-sha256"] = digest

    events(destination).register("before-call.s3.PutObject", swap)
    with pytest.raises(VerificationFailed, match="removed"):
        destination.commit(destination.put("users.csv", text_content(b"right"), token=1), over=None)

    assert destination.stat("users.csv") is None


@pytest.mark.parametrize(
    ("told", "is_kept"), [(None, True), ("AAAAAA==", True), (f"AAAAAA==-{LARGE_PARTS}", False)],
    ids=["none", "of the whole", "another of the parts"],
)  # fmt: skip
def test_a_checksum_of_parts_that_differs_fails_and_one_that_cannot_be_compared_makes_it_read(
    destination: S3Destination, told: str | None, *, is_kept: bool
) -> None:
    def show(parsed: dict[str, Any], **_: Any) -> None:
        parsed.pop("ChecksumCRC32", None)
        parsed.update({"ChecksumCRC32": told} if told else {})

    pending = destination.put("large.csv", text_content(LARGE), token=1)
    events(destination).register("after-call.s3.HeadObject", show)
    if is_kept:
        destination.commit(pending, over=None)
    else:
        with pytest.raises(VerificationFailed, match="removed"):
            destination.commit(pending, over=None)

    assert destination.list("") == (("large.csv",) if is_kept else ())


def test_a_staged_file_that_is_not_what_its_checksum_says_is_refused_for_good(
    seaweedfs: SeaweedfsServer, place: S3Place, destination: S3Destination, large_file: Path
) -> None:
    content = content_of(large_file)
    for broken in (LARGE[:-1] + b"x", LARGE[: 2 * PART_BYTES]):
        large_file.write_bytes(broken)
        with pytest.raises(DeliveryRefused, match="staged file"):
            destination.put("large.csv", Content(large_file, content.bytes, content.sha256), token=1)
        assert not unfinished(seaweedfs, place)

    small_file = large_file.with_name("small")
    small_file.write_bytes(b"right")
    pending = destination.put("small.csv", content_of(small_file), token=1)
    small_file.write_bytes(b"wrong")
    with pytest.raises(DeliveryRefused, match="staged file"):
        destination.commit(pending, over=None)

    assert destination.list("") == ()


def test_encryption_storage_class_type_and_checksums_stand_with_the_object(
    seaweedfs: SeaweedfsServer, place: S3Place
) -> None:
    destination = S3Destination("acme", replace(place, encryption="AES256", storage_class="STANDARD_IA"))

    for name, content in (("small.csv", b"small"), ("large.json", LARGE)):
        write(destination, name, content)
        found = head(seaweedfs, place, name)
        assert (found["ServerSideEncryption"], found["StorageClass"]) == ("AES256", "STANDARD_IA")
        assert found["Metadata"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert head(seaweedfs, place, "small.csv")["ContentType"] == "text/csv"
    assert "ChecksumSHA256" in head(seaweedfs, place, "small.csv")
    assert head(seaweedfs, place, "large.json")["ChecksumCRC32"].endswith(f"-{LARGE_PARTS}")


def test_reading_back_proves_what_was_written(place: S3Place) -> None:
    destination = S3Destination("acme", replace(place, reads_back=True))

    write(destination, "large.csv", LARGE)

    assert destination.verified_by == "read_back"
    assert read(destination, "large.csv") == LARGE


def test_a_name_that_the_store_takes_for_a_folder_is_refused(destination: S3Destination) -> None:
    """Of SeaweedFS; Amazon keeps both."""
    write(destination, "users/part.csv", b"content")

    with pytest.raises(DestinationRefused, match="shows nothing"):
        write(destination, "users", b"content")


def test_keys_longer_than_the_store_takes_are_refused(destination: S3Destination) -> None:
    for name in ("/".join(["x" * 200] * 6), "a\\b", "bell\a"):
        with pytest.raises(DestinationRefused, match="to do"):
            destination.stat(name)


def _upload_and_tell_memory(place: S3Place, path: Path, content: Content, told: Any) -> None:
    destination = S3Destination("acme", place)
    destination.commit(destination.put("large.csv", Content(path, content.bytes, content.sha256), token=1), over=None)
    # Not getrusage: its peak begins with what the parent had when it made the process.
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    told.put(int(peak.split()[1]) // 1024)


def test_an_upload_of_200_mb_takes_less_than_300_mb_of_memory(place: S3Place, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    total = 200 * MIB
    with path.open("wb") as file:
        file.truncate(total)
    digest = hashlib.sha256()
    for _ in range(total // MIB):
        digest.update(bytes(MIB))
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    content = Content(b"", total, digest.hexdigest())

    child = context.Process(
        target=_upload_and_tell_memory, args=(replace(place, part_bytes=16 * MIB), path, content, told)
    )
    child.start()
    peak_mb = told.get(timeout=60)
    child.join()

    assert peak_mb < 300


def test_the_least_policy_names_what_a_delivery_calls(place: S3Place) -> None:
    policy = json.loads(least_policy(replace(place, encryption="aws:kms", kms_key="4711")))
    rights = {right for statement in policy["Statement"] for right in statement["Action"]}

    assert rights == {
        "s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:PutObject", "s3:GetObject", "s3:DeleteObject",
        "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "kms:GenerateDataKey", "kms:Decrypt",
    }  # fmt: skip
    assert policy["Statement"][0]["Condition"] == {"StringLike": {"s3:prefix": [f"{place.prefix}/*"]}}
    assert "sts:AssumeRole" in least_policy(replace(place, assume_role="arn:aws:iam::1:role/x"))


def test_reading_back_is_told_as_no_bytes(place: S3Place, large_file: Path) -> None:
    sent: list[int] = []
    destination = S3Destination("acme", replace(place, reads_back=True))
    pending = destination.put("users.csv", content_of(large_file), token=1, sent=sent.append)

    destination.commit(pending, over=None)

    assert sum(sent) == len(LARGE)
    assert 0 in sent

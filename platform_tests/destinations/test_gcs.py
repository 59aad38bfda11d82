"""What is particular to Google Cloud Storage by its JSON API."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import pickle
import re
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from google.cloud import storage
from google.oauth2 import service_account
from pydantic import SecretStr

from offramp.destinations.gcs.destination import GcsDestination
from offramp.destinations.gcs.place import GcsPlace, least_policy
from offramp.domain.contents import Content, Standing
from offramp.domain.errors import (
    DeliveryRefused,
    DestinationChanged,
    DestinationDown,
    DestinationRefused,
    DestinationUnreachable,
    OfframpError,
    VerificationFailed,
)
from platform_tests.destinations.gcs_place import gcs_place
from platform_tests.destinations.places import content_of, read, write
from platform_tests.servers.gcs import BUCKET, GcsServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MIB = 1024 * 1024
LARGE = b"0123456789abcde\n" * (3 * MIB // 16) + b"end"


@pytest.fixture
def server(gcs_server: GcsServer) -> Iterator[GcsServer]:
    gcs_server.reset()
    yield gcs_server
    gcs_server.reset()


@pytest.fixture
def place(server: GcsServer) -> GcsPlace:
    return gcs_place(server, chunk_bytes=MIB)


@pytest.fixture
def destination(place: GcsPlace) -> Iterator[GcsDestination]:
    opened = GcsDestination("acme", place)
    yield opened
    opened.close()


def plain_client(server: GcsServer) -> storage.Client:
    """What looks at the server besides the driver."""
    key = json.loads(server.key())
    scopes = ["https://www.googleapis.com/auth/devstorage.read_write"]
    credentials = service_account.Credentials.from_service_account_info(key, scopes=scopes)
    credentials._is_regional_access_boundary_lookup_required = lambda: False
    return storage.Client("p", credentials, client_options={"api_endpoint": server.url})


def plain_blob(server: GcsServer, place: GcsPlace, name: str) -> Any:
    return plain_client(server).bucket(BUCKET).blob(place.full_name(name))


def body_bytes(server: GcsServer, method: str, path: str) -> int:
    return sum(one.body_bytes for one in server.requests if one.method == method and path in unquote(one.target))


def test_a_key_that_was_deleted_is_refused_without_its_text(server: GcsServer) -> None:
    key = server.key(private_key=rsa.generate_private_key(65537, 2048))
    destination = GcsDestination("acme", gcs_place(server, service_account=SecretStr(key)))

    with pytest.raises(DestinationRefused, match=r"invalid_grant[\s\S]*key is not deleted") as refused:
        destination.stat("users.csv")

    assert json.loads(key)["private_key"][40:60] not in str(refused.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"private_key": "s3cret"}'])
def test_a_key_that_cannot_be_read_is_refused_without_its_text(server: GcsServer, text: str) -> None:
    destination = GcsDestination("acme", gcs_place(server, service_account=SecretStr(text)))

    with pytest.raises(DestinationRefused, match="cannot be read") as refused:
        destination.put("users.csv", content_of(b"small"), token=1)

    assert "s3cret" not in str(refused.value)
    assert refused.value.__context__ is None


def test_without_a_key_the_credentials_of_the_machine_are_used(
    server: GcsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key.json").write_text(server.key())
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    destination = GcsDestination("acme", gcs_place(server, service_account=None))

    write(destination, "users.csv", b"small")

    assert read(destination, "users.csv") == b"small"
    # Google's own host, by Dagster's resource; nothing is sent before commit.
    GcsDestination("acme", GcsPlace("exports")).put("users.csv", content_of(b"small"), token=1)


@pytest.mark.parametrize("endpoint_url", [None, "http://127.0.0.1:9"])
def test_a_machine_without_credentials_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint_url: str | None
) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")

    with pytest.raises(DestinationRefused, match="give a service account's key"):
        GcsDestination("acme", GcsPlace("exports", endpoint_url=endpoint_url)).stat("users.csv")


def test_a_token_that_expired_is_renewed_in_the_middle_of_an_upload(
    server: GcsServer, destination: GcsDestination
) -> None:
    pending = destination.put("users.csv", content_of(LARGE), token=1)
    server.expire_tokens()
    destination.commit(pending, over=None)
    server.expire_tokens()

    assert read(destination, "users.csv") == LARGE
    assert len([one for one in server.requests if one.target == "/token"]) == 3


@pytest.mark.parametrize(
    ("identity", "use", "permission"),
    [
        ("reader", lambda one: write(one, "new.csv", b"small"), "storage.objects.create"),
        ("reader", lambda one: write(one, "new.csv", LARGE), "storage.objects.create"),
        ("reader", lambda one: one.delete("users.csv"), "storage.objects.delete"),
        ("no-delete", lambda one: write(one, "users.csv", b"small"), "storage.objects.delete"),
        ("no-delete", lambda one: write(one, "users.csv", LARGE), "storage.objects.delete"),
        ("no-list", lambda one: one.list(""), "storage.objects.list"),
        ("no-list", lambda one: one.stat("never/was.csv"), "storage.objects.get"),
    ],
)
def test_a_missing_right_is_named(
    server: GcsServer, place: GcsPlace, identity: str, use: Callable[[GcsDestination], Any], permission: str
) -> None:
    write(GcsDestination("acme", place), "users.csv", b"old")
    limited = gcs_place(server, identity, prefix=place.prefix, chunk_bytes=MIB)

    with pytest.raises(DestinationRefused, match=rf"expected: {permission}\n[\s\S]*destination check prints all"):
        use(GcsDestination("acme", limited))


def test_a_missing_bucket_is_refused_by_every_call(server: GcsServer) -> None:
    destination = GcsDestination("acme", gcs_place(server, bucket="nowhere", chunk_bytes=MIB))
    for use in (
        lambda: destination.stat("users.csv"),
        lambda: write(destination, "users.csv", b"small"),
        lambda: destination.commit(destination.put("users.csv", content_of(b"small"), token=1), over=None),
        lambda: destination.put("users.csv", content_of(LARGE), token=1),
        lambda: destination.list(""),
        lambda: destination.delete("users.csv"),
    ):
        with pytest.raises(DestinationRefused, match="check the bucket's name"):
            use()


@pytest.mark.parametrize("size", [1000, 3 * MIB + 5], ids=["simple", "resumable"])
def test_of_eight_that_write_one_name_one_wins(place: GcsPlace, size: int) -> None:
    destination = GcsDestination("acme", place)
    contents = [bytes([65 + number]) * size for number in range(8)]
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


@pytest.mark.parametrize("content", [b"small", LARGE], ids=["simple", "resumable"])
def test_only_the_generation_that_was_looked_at_is_replaced(destination: GcsDestination, content: bytes) -> None:
    write(destination, "users.csv", b"old")
    seen = destination.stat("users.csv")
    pending = destination.put("users.csv", content_of(content), token=1)
    write(destination, "users.csv", b"other", token=2)

    with pytest.raises(DestinationChanged, match="something else came to stand"):
        destination.commit(pending, over=seen)

    assert read(destination, "users.csv") == b"other"


def test_after_a_lost_race_the_same_token_can_write_again(destination: GcsDestination) -> None:
    """The first upload's condition can never hold again, so a second one is begun."""
    pending = destination.put("users.csv", content_of(LARGE), token=1)
    write(destination, "users.csv", b"other", token=2)
    with pytest.raises(DestinationChanged):
        destination.commit(pending, over=None)

    write(destination, "users.csv", LARGE, token=1)

    assert read(destination, "users.csv") == LARGE


@pytest.mark.parametrize("content", [b"small", LARGE], ids=["simple", "resumable"])
@pytest.mark.parametrize("is_put_again", [True, False], ids=["put and commit again", "commit again"])
def test_a_write_whose_answer_was_lost_is_found_done(
    server: GcsServer, destination: GcsDestination, content: bytes, *, is_put_again: bool
) -> None:
    pending = destination.put("users.csv", content_of(content), token=1)
    server.fail("PUT" if content is LARGE else "POST", "/upload/", loses_answer=True)
    with pytest.raises(DestinationUnreachable, match=r"500 Internal Error[\s\S]*run again"):
        destination.commit(pending, over=None)
    written = destination.stat("users.csv")

    if is_put_again:
        pending = destination.put("users.csv", content_of(content), token=1)
    destination.commit(pending, over=None)

    assert destination.stat("users.csv") == written
    assert read(destination, "users.csv") == content


def test_an_upload_that_broke_goes_on_where_the_server_is(server: GcsServer, place: GcsPlace) -> None:
    """Of the second chunk of 1 MiB, 700,000 bytes arrive; the server keeps two times 256 KiB of them."""
    content = content_of(LARGE)
    sent: list[int] = []
    breaking = GcsDestination("acme", place, at_step=_cut_second_chunk(server))
    with pytest.raises(DestinationUnreachable, match="ConnectionError"):
        breaking.put("users.csv", content, token=1, sent=sent.append)
    assert sum(sent) == MIB

    breaking.commit(breaking.put("users.csv", content, token=1, sent=sent.append), over=None)

    assert sum(sent) == len(LARGE)
    assert body_bytes(server, "PUT", "/upload/") == len(LARGE) + 700_000 - 2 * 256 * 1024
    assert len([one for one in server.requests if "uploadType=resumable&ifGen" in one.target]) == 1
    assert read(breaking, "users.csv") == LARGE


def _cut_second_chunk(server: GcsServer) -> Callable[[str], None]:
    steps: list[str] = []

    def at_step(step: str) -> None:
        steps.append(step)
        if steps.count("before send") == 2 and step == "before send":
            server.fail("PUT", "/upload/", cut_after_bytes=700_000)

    return at_step


def test_a_server_that_keeps_nothing_is_not_asked_for_ever(server: GcsServer, destination: GcsDestination) -> None:
    server.fail("PUT", "/upload/", status=308)
    with pytest.raises(DestinationUnreachable, match="kept nothing"):
        destination.put("users.csv", content_of(LARGE), token=1)

    write(destination, "users.csv", LARGE)

    assert read(destination, "users.csv") == LARGE


def test_an_upload_whose_session_is_gone_begins_anew(server: GcsServer, destination: GcsDestination) -> None:
    sent: list[int] = []
    destination.put("users.csv", content_of(LARGE), token=1, sent=sent.append)
    server.sessions.clear()
    pending = destination.put("users.csv", content_of(LARGE), token=1, sent=sent.append)
    with pytest.raises(DestinationUnreachable, match="session of the upload is gone"):
        destination.commit(pending, over=None)

    destination.commit(pending, over=None)

    assert read(destination, "users.csv") == LARGE


@pytest.mark.parametrize("content", [b"small " * 1000, LARGE], ids=["simple", "resumable"])
def test_a_bit_that_flips_on_the_way_is_noticed_before_anybody_sees_it(
    server: GcsServer, destination: GcsDestination, content: bytes
) -> None:
    write(destination, "users.csv", b"old")
    seen = destination.stat("users.csv")
    server.fail("PUT" if content is LARGE else "POST", "/upload/", flips_request=True)

    with pytest.raises(VerificationFailed, match="CRC32C"):
        destination.commit(destination.put("users.csv", content_of(content), token=1), over=seen)

    assert destination.stat("users.csv") == seen
    write(destination, "users.csv", content)
    assert read(destination, "users.csv") == content


def test_new_bytes_that_read_back_otherwise_are_removed_again(server: GcsServer, place: GcsPlace) -> None:
    destination = GcsDestination("acme", gcs_place(server, prefix=place.prefix, reads_back=True))
    pending = destination.put("users.csv", content_of(b"content " * 1000), token=1)
    server.fail("GET", "alt=media", flips_answer=True)

    with pytest.raises(VerificationFailed, match="of the bytes read back"):
        destination.commit(pending, over=None)

    assert destination.verified_by == "read_back"
    assert destination.stat("users.csv") is None
    destination.commit(pending, over=None)
    server.fail("GET", "alt=media", flips_answer=True)
    with pytest.raises(VerificationFailed, match="they were not touched"):
        destination.commit(pending, over=None)
    assert read(destination, "users.csv") == b"content " * 1000


@pytest.mark.parametrize("size", [1000, 3 * MIB], ids=["simple", "resumable"])
def test_a_staged_file_that_changed_is_not_published(destination: GcsDestination, tmp_path: Path, size: int) -> None:
    path = tmp_path / "part"
    path.write_bytes(b"x" * size)
    content = content_of(path)
    path.write_bytes(b"y" * size)

    with pytest.raises(DeliveryRefused, match="nothing was published"):
        destination.commit(destination.put("users.csv", content, token=1), over=None)

    assert destination.stat("users.csv") is None


def test_a_part_that_is_gone_from_the_lake_is_not_blamed_on_the_destination(
    destination: GcsDestination, tmp_path: Path
) -> None:
    gone = Content(tmp_path / "gone", 3 * MIB, "0" * 64)
    with pytest.raises(FileNotFoundError):
        destination.put("users.csv", gone, token=1)


def test_objects_of_others_have_no_sha256_and_can_be_replaced(
    server: GcsServer, place: GcsPlace, destination: GcsDestination
) -> None:
    for number, metadata in enumerate([None, {"sha256": "not one"}, {"other": "x"}]):
        blob = plain_blob(server, place, f"{number}.csv")
        blob.metadata = metadata
        blob.upload_from_string(b"theirs", retry=None)

        standing = destination.stat(f"{number}.csv")
        assert standing == Standing(f"{number}.csv", 6, None, str(blob.generation))
        write(destination, f"{number}.csv", b"ours")

        replaced = destination.stat(f"{number}.csv")
        assert replaced is not None
        assert replaced.sha256 == hashlib.sha256(b"ours").hexdigest()


def test_equal_bytes_of_somebody_else_are_taken_for_ours(
    server: GcsServer, place: GcsPlace, destination: GcsDestination
) -> None:
    pending = destination.put("users.csv", content_of(LARGE), token=1)
    plain_blob(server, place, "users.csv").upload_from_string(LARGE, retry=None)

    destination.commit(pending, over=None)

    assert destination.list("") == ("users.csv",)


@pytest.mark.parametrize("content", [b"small", LARGE], ids=["simple", "resumable"])
def test_storage_class_and_key_are_sent_with_every_object(server: GcsServer, content: bytes) -> None:
    key = "projects/p/locations/eu/keyRings/r/cryptoKeys/k"
    place = gcs_place(server, storage_class="NEARLINE", kms_key=key, chunk_bytes=MIB)
    write(GcsDestination("acme", place), "users.csv", content)

    upload = next(one for one in server.requests if one.method == "POST" and "/upload/" in one.target)
    assert f"kmsKeyName={key}" in unquote(upload.target)
    assert plain_blob(server, place, "users.csv").exists()
    assert server.stored[place.full_name("users.csv")]["storageClass"] == "NEARLINE"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_server_that_is_busy_is_tried_once_and_told_as_transient(
    server: GcsServer, destination: GcsDestination, status: int
) -> None:
    destination.stat("warm up the token")
    server.reset()
    server.fail("", "", status=status, times=99)

    for use in (
        lambda: destination.stat("users.csv"),
        lambda: destination.list(""),
        lambda: destination.delete("users.csv"),
        lambda: destination.commit(destination.put("users.csv", content_of(b"small"), token=1), over=None),
    ):
        server.requests.clear()
        with pytest.raises(DestinationUnreachable, match=f"{status} asked to fail"):
            use()
        assert len(server.requests) == 1


def test_a_limit_of_requests_passes_by_itself(server: GcsServer, destination: GcsDestination) -> None:
    server.fail("GET", "/o/", status=403, reason="rateLimitExceeded")

    with pytest.raises(DestinationUnreachable, match="403"):
        destination.stat("users.csv")


def test_a_server_that_cannot_be_connected_to_is_told_as_down(server: GcsServer) -> None:
    key = json.loads(server.key()) | {"token_uri": "http://127.0.0.1:9/token"}
    for fields in ({"endpoint_url": "http://127.0.0.1:9"}, {"service_account": SecretStr(json.dumps(key))}):
        destination = GcsDestination("acme", gcs_place(server, **fields))
        with pytest.raises(DestinationDown, match="run again"):
            destination.stat("users.csv")


def test_an_error_never_shows_the_uri_of_an_upload(server: GcsServer, destination: GcsDestination) -> None:
    server.fail("PUT", "/upload/", cut_after_bytes=1000)
    with pytest.raises(OfframpError) as broken:
        destination.put("users.csv", content_of(LARGE), token=1)

    assert "upload_id" not in str(broken.value)
    assert broken.value.__suppress_context__


def test_a_download_that_is_cut_is_told_as_transient(server: GcsServer, destination: GcsDestination) -> None:
    write(destination, "users.csv", LARGE)
    server.fail("GET", "alt=media", cut_after_bytes=0)

    with pytest.raises(DestinationUnreachable, match="run again") as cut:
        read(destination, "users.csv")
    assert type(cut.value) is DestinationUnreachable


def test_reading_back_is_told_as_no_bytes(server: GcsServer) -> None:
    sent: list[int] = []
    destination = GcsDestination("acme", gcs_place(server, chunk_bytes=MIB, reads_back=True))
    pending = destination.put("users.csv", content_of(LARGE), token=1, sent=sent.append)

    destination.commit(pending, over=None)

    assert sum(sent) == len(LARGE)
    assert 0 in sent


def test_a_name_that_is_too_long_with_its_prefix_is_refused(server: GcsServer) -> None:
    destination = GcsDestination("acme", gcs_place(server, prefix="p" * 1000))
    with pytest.raises(DestinationRefused, match="longer than 1,024 bytes"):
        destination.stat("x" * 30)


def test_chunks_are_multiples_of_256_kib() -> None:
    with pytest.raises(ValueError, match="multiple"):
        GcsPlace("exports", chunk_bytes=1_000_000)


def test_a_place_can_be_pickled_and_hides_its_key(place: GcsPlace) -> None:
    assert pickle.loads(pickle.dumps(place)) == place  # noqa: S301 - our own bytes
    assert "PRIVATE" not in repr(place)
    assert repr(GcsDestination("acme", place)) == f"GcsDestination('acme', 'gs://exports/{place.prefix}')"


def test_the_least_rights_name_the_account_the_bucket_and_the_prefix(server: GcsServer, place: GcsPlace) -> None:
    told = least_policy(place)

    assert "--member=serviceAccount:writer@offramp-tests.iam.gserviceaccount.com" in told
    assert "gs://exports" in told
    assert f"objects/{place.prefix}/" in told
    for right in ("create", "delete", "get", "list"):
        assert f'"storage.objects.{right}"' in told
    assert "PRIVATE" not in told
    assert "--condition" not in least_policy(gcs_place(server, prefix=""))


def _write_large(open_destination: Callable[[], GcsDestination], path: Path, peak: Any) -> None:
    destination = open_destination()
    write(destination, "warm-up.csv", b"x" * 3 * MIB)
    # The peak that getrusage tells is inherited from the parent, which may be large.
    Path("/proc/self/clear_refs").write_text("5")
    before = _peak_kib()
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(MIB):
            digest.update(block)
    content = Content(path, path.stat().st_size, digest.hexdigest())
    destination.commit(destination.put("users.csv", content, token=1), over=None)
    for _ in destination.read("users.csv"):
        pass
    peak.value = _peak_kib() - before


def _peak_kib() -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1])


def test_memory_does_not_grow_with_the_file(place: GcsPlace, tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(100 * MIB)
    context = multiprocessing.get_context("spawn")
    peak = context.Value("q", -1)

    process = context.Process(target=_write_large, args=(partial(GcsDestination, "acme", place), path, peak))
    process.start()
    process.join(120)

    assert process.exitcode == 0
    assert 0 < peak.value < 20_000, f"{peak.value:,} KiB more for 100 MiB in chunks of 1 MiB"

"""Who may do what on S3: keys, rights, roles, certificates, and the words in which a refusal is told."""

from __future__ import annotations

import socket
import ssl
import threading
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from botocore.exceptions import ClientError
from pydantic import SecretStr
from urllib3.exceptions import SSLError

from offramp.destinations.s3.destination import S3Destination
from offramp.destinations.s3.errors import errors
from offramp.destinations.s3.place import S3Place
from offramp.domain.contents import text_content
from offramp.domain.errors import (
    DestinationClosed,
    DestinationDown,
    DestinationRefused,
    DestinationUnreachable,
    VerificationFailed,
)
from platform_tests.destinations.places import read, write
from platform_tests.destinations.s3_place import PART_BYTES, s3_place, unfinished
from platform_tests.servers.seaweedfs import OTHER_BUCKET

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from offramp.domain.errors import OfframpError
    from platform_tests.servers.seaweedfs import SeaweedfsServer

LARGE = text_content(bytes(PART_BYTES + 1000))
SMALL = text_content(b"small")


def put(destination: S3Destination, content: Any = SMALL) -> None:
    destination.commit(destination.put("users.csv", content, token=1), over=None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"secret_key": SecretStr("wrong/secret")}, "SignatureDoesNotMatch.*\n.*\n.*check access_key"),
        ({"access_key": SecretStr("nobody-knows")}, "InvalidAccessKeyId.*\n.*\n.*check access_key"),
        ({"bucket": "no-such-bucket"}, "NoSuchBucket"),
        ({"bucket": "Not a bucket"}, "bucket"),
    ],
)
def test_wrong_settings_are_refused_without_telling_secrets(
    seaweedfs: SeaweedfsServer, change: dict[str, Any], words: str
) -> None:
    destination = S3Destination("acme", replace(s3_place(seaweedfs), **change))

    for use in (lambda: put(destination), lambda: put(destination, LARGE), lambda: destination.list("")):
        with pytest.raises(DestinationRefused, match=words) as refused:
            use()
        assert "wrong/secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("lacking", "use"),
    [
        ("PutObject", put),
        ("PutObject", lambda destination: put(destination, LARGE)),
        ("GetObject", lambda destination: destination.stat("users.csv")),
        ("GetObject", lambda destination: b"".join(destination.read("users.csv"))),
        ("ListBucket", lambda destination: destination.list("")),
        ("DeleteObject", lambda destination: destination.delete("users.csv")),
    ],
)
def test_a_right_that_is_missing_is_named(
    seaweedfs: SeaweedfsServer, lacking: str, use: Callable[[S3Destination], object]
) -> None:
    place = s3_place(seaweedfs)
    write(S3Destination("acme", place), "users.csv", b"content")
    destination = S3Destination("acme", replace(place, assume_role=seaweedfs.roles[lacking]))

    with pytest.raises(DestinationRefused, match=f"grant the right s3:{lacking}"):
        use(destination)


def test_keys_of_another_bucket_are_refused(seaweedfs: SeaweedfsServer) -> None:
    stranger = S3Destination("acme", s3_place(seaweedfs, seaweedfs.stranger))
    at_home = S3Destination("acme", s3_place(seaweedfs, seaweedfs.stranger, bucket=OTHER_BUCKET))

    with pytest.raises(DestinationRefused, match="s3:PutObject"):
        put(stranger)
    write(at_home, "users.csv", b"content")
    assert read(at_home, "users.csv") == b"content"


def test_a_role_is_assumed_and_its_credentials_are_renewed_in_time(seaweedfs: SeaweedfsServer) -> None:
    """Credentials that end within 15 minutes are renewed before each call: between two parts, too."""
    role = {"assume_role": seaweedfs.role_arn, "external_id": "acme-4711", "role_session_seconds": 900}
    place = s3_place(seaweedfs, seaweedfs.nobody, parallel_parts=1, **role)
    destination = S3Destination("acme", place)
    tokens: set[str] = set()

    def note(request: Any, **_: Any) -> None:
        tokens.add(request.headers["X-Amz-Security-Token"])

    destination._bucket.client.meta.events.register("before-send.s3.UploadPart", note)
    write(destination, "users.csv", bytes(3 * PART_BYTES))

    assert len(tokens) == 3
    assert destination.list("") == ("users.csv",)
    assert not unfinished(seaweedfs, place)


def test_a_role_that_may_not_be_assumed_is_refused(seaweedfs: SeaweedfsServer) -> None:
    destination = S3Destination("acme", s3_place(seaweedfs, assume_role="arn:aws:iam::role/NoSuchRole"))

    with pytest.raises(DestinationRefused, match="trust policy"):
        destination.stat("users.csv")


def test_without_keys_those_of_the_environment_count(
    seaweedfs: SeaweedfsServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = s3_place(seaweedfs, access_key=None, secret_key=None)
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(DestinationRefused, match="access_key"):
        S3Destination("acme", place).stat("users.csv")
    with pytest.raises(DestinationRefused, match="access_key"):
        S3Destination("acme", replace(place, assume_role=seaweedfs.role_arn)).stat("users.csv")

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", seaweedfs.admin.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", seaweedfs.admin.secret_key)
    put(S3Destination("acme", place))


def test_a_server_that_is_not_there_is_down_and_one_that_does_not_answer_unreachable(
    seaweedfs: SeaweedfsServer,
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{silent.getsockname()[1]}"
        place = s3_place(seaweedfs, endpoint_url=closed, timeout_seconds=0.3)
        with pytest.raises(DestinationDown, match="to do"):
            S3Destination("acme", place).stat("users.csv")
        silent.listen()
        with pytest.raises(DestinationUnreachable, match="to do") as unanswered:
            S3Destination("acme", place).stat("users.csv")
        assert type(unanswered.value) is DestinationUnreachable


@pytest.mark.parametrize("is_trusted", [False, True])
def test_a_certificate_of_an_unknown_authority_is_refused(
    seaweedfs: SeaweedfsServer, tmp_path: Path, *, is_trusted: bool
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer_once() -> None:
            accepted, _ = listening.accept()
            try:
                with context.wrap_socket(accepted, server_side=True) as tls:
                    tls.recv(65536)
                    tls.sendall(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            except OSError:
                accepted.close()

        thread = threading.Thread(target=answer_once)
        thread.start()
        ca_file = str(tmp_path / "ca.pem") if is_trusted else None
        url = f"https://127.0.0.1:{listening.getsockname()[1]}"
        destination = S3Destination("acme", s3_place(seaweedfs, endpoint_url=url, ca_file=ca_file))
        kind, words = (DestinationUnreachable, "503") if is_trusted else (DestinationRefused, "ca_file")
        with pytest.raises(kind, match=words):
            destination.stat("users.csv")
        thread.join()


@pytest.mark.parametrize(
    ("code", "status", "assumes_role", "kind"),
    [
        ("SlowDown", 503, False, DestinationUnreachable),
        ("InternalError", 500, False, DestinationUnreachable),
        ("RequestTimeout", 400, False, DestinationUnreachable),
        ("NeverHeardOf", 400, False, DestinationUnreachable),
        ("ExpiredToken", 400, True, DestinationUnreachable),
        ("ExpiredToken", 400, False, DestinationRefused),
        ("KMS.DisabledException", 400, False, DestinationRefused),
        ("KMS.ThrottlingException", 400, False, DestinationUnreachable),
        ("403", 403, False, DestinationRefused),
        ("BadDigest", 400, False, VerificationFailed),
    ],
)
def test_answers_that_pass_are_told_from_those_that_stay(
    code: str, status: int, *, assumes_role: bool, kind: type[OfframpError]
) -> None:
    """Answers that no server of the tests gives. Only an ended session of a role drops the client."""
    forgotten: list[bool] = []
    answer: Any = {"Error": {"Code": code, "Message": "told"}, "ResponseMetadata": {"HTTPStatusCode": status}}

    with (
        pytest.raises(kind, match="to do"),
        errors("destination", "users.csv", assumes_role=assumes_role, forget=lambda: forgotten.append(True)),
    ):
        raise ClientError(answer, "PutObject")

    assert bool(forgotten) == (code == "ExpiredToken")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"endpoint_url": "https://me:hush-hush@a b"}, "endpoint_url"),
        ({"endpoint_url": "http://me:hush-hush@127.0.0.1:port"}, "endpoint_url"),
        ({"session_token": SecretStr("hush-hush\n")}, "line break"),
        ({"ca_file": "/nowhere/ca.pem"}, "ca_file.* cannot be read"),
    ],
)
def test_settings_that_cannot_be_sent_are_refused_without_being_quoted(
    seaweedfs: SeaweedfsServer, change: dict[str, Any], words: str
) -> None:
    destination = S3Destination("acme", replace(s3_place(seaweedfs), **change))

    for use in (lambda: put(destination), lambda: destination.stat("users.csv")):
        with pytest.raises(DestinationClosed, match=words) as refused:
            use()
        assert "hush-hush" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    ("answer", "use"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", lambda one: one.stat("users.csv")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html>Hi<br>!", lambda one: one.list("")),
    ],
    ids=["without a size", "HTML where STS was asked"],
)
def test_what_is_no_s3_store_is_told_as_such(
    seaweedfs: SeaweedfsServer, answer: bytes, use: Callable[[S3Destination], object]
) -> None:
    role = seaweedfs.role_arn if b"html" in answer else None
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer_once() -> None:
            accepted, _ = listening.accept()
            with accepted:
                accepted.recv(65536)
                accepted.sendall(answer)

        thread = threading.Thread(target=answer_once)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(DestinationUnreachable, match="no S3 store answers there"):
            use(S3Destination("acme", s3_place(seaweedfs, endpoint_url=url, assume_role=role)))
        thread.join()


def test_tls_that_breaks_within_a_body_may_pass() -> None:
    """No server of the tests can be made to damage a record of TLS in a body; this is what urllib3 raises then."""
    with (
        pytest.raises(DestinationUnreachable, match="broke off"),
        errors("destination", "users.csv", assumes_role=False, forget=lambda: None),
    ):
        raise SSLError("[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC]")


def test_a_place_can_be_shown_without_its_secrets(seaweedfs: SeaweedfsServer) -> None:
    place = s3_place(seaweedfs)

    assert seaweedfs.admin.secret_key not in repr(place) + repr(S3Destination("acme", place))
    assert isinstance(place, S3Place)

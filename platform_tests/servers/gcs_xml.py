"""SeaweedFS behind a front that speaks the XML API of Google Cloud Storage as S3 clients with HMAC keys meet it.

Signatures, multipart uploads and listings are SeaweedFS's, so requests pass byte for byte. The front refuses Amazon's
checksum headers, does not heed If-Match and If-None-Match of a write, keeps generations and their preconditions, and
tells checksums in Google's way. All writes have to come through it.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import google_crc32c

from platform_tests.servers.gcs_http import Answer, Front, Request, forward, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from platform_tests.servers.seaweedfs import SeaweedfsServer

_OF_AMAZON = re.compile(r"(?i)x-amz-(checksum-.*|sdk-checksum-algorithm|trailer)")
_CONDITION = "x-goog-if-generation-match"
_IGNORED = frozenset({"if-match", "if-none-match"})


@dataclass(frozen=True)
class Generation:
    """What the front knows of an object. One that was made of parts has no MD5."""

    number: int
    crc32c: str
    md5: str | None

    def headers(self) -> dict[str, str]:
        hashes = [f"crc32c={self.crc32c}", *([f"md5={self.md5}"] if self.md5 else [])]
        # Google sends a header line for each hash.
        return {"x-goog-generation": str(self.number), "x-goog-hash": "\n".join(hashes)}


@dataclass
class GcsXmlServer(Front):
    """The running server; ``url`` is the endpoint, the identities are those of SeaweedFS."""

    seaweedfs: Any = None
    generations: dict[tuple[str, str], Generation] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1_700_000_000_000_001))
    write_lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def behind(self) -> int:
        return int(urlsplit(self.seaweedfs.endpoint_url).port or 0)

    def answer(self, request: Request) -> Answer:
        """Answer one request as Google would."""
        if request.is_cut:
            return _xml(400, "IncompleteBody", "the body broke off")
        foreign = sorted(name for name in request.headers if _OF_AMAZON.fullmatch(name))
        if foreign or "aws-chunked" in request.header("Content-Encoding"):
            return _xml(400, "InvalidArgument", f"Invalid argument: {', '.join(foreign) or 'aws-chunked'}")
        bucket, _, key = unquote(request.path).removeprefix("/").partition("/")
        is_part = "partNumber" in request.query
        is_complete = request.method == "POST" and "uploadId" in request.query
        if not key or is_part or ("uploadId" in request.query and not is_complete):
            return forward(self.behind, request)
        if is_complete or request.method in {"PUT", "DELETE"}:
            with self.write_lock:
                return self._write(request, (bucket, key), is_complete=is_complete)
        answer = forward(self.behind, request)
        known = self.generations.get((bucket, key))
        if known is not None and answer.status < 300 and request.method in {"GET", "HEAD"}:
            answer.headers = {**answer.headers, **known.headers()}
        return answer

    def _write(self, request: Request, target: tuple[str, str], *, is_complete: bool) -> Answer:
        known = self.generations.get(target)
        wanted = request.header(_CONDITION)
        if wanted and wanted != str(known.number if known else 0):
            return _xml(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.")
        if request.header("If-Match") or request.header("If-None-Match"):
            request = self._without_conditions(request)
        answer = forward(self.behind, request)
        if answer.status >= 300 or b"<Error>" in answer.body:
            return answer
        if request.method == "DELETE":
            self.generations.pop(target, None)
            return answer
        body = self._content(target) if is_complete else request.body
        crc32c = base64.b64encode(google_crc32c.value(body).to_bytes(4, "big")).decode()
        md5 = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        made = Generation(next(self.numbers), crc32c, None if is_complete else md5)
        self.generations[target] = made
        answer.headers = {**answer.headers, **made.headers()}
        return answer

    def _content(self, target: tuple[str, str]) -> bytes:
        answer = self.seaweedfs.client().get_object(Bucket=target[0], Key=target[1])
        content: bytes = answer["Body"].read()
        return content

    def _without_conditions(self, request: Request) -> Request:
        """Drop Amazon's conditions and sign anew, since they were signed; for known keys only."""
        from botocore.auth import S3SigV4Auth  # noqa: PLC0415 - half a second that other suites need not pay
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415
        from botocore.credentials import Credentials  # noqa: PLC0415

        admin = self.seaweedfs.admin
        if f"Credential={admin.access_key}/" not in request.header("Authorization"):
            return request
        dropped = _IGNORED | {"authorization", "connection", "expect", "x-amz-content-sha256"}
        kept = {name: value for name, value in request.headers.items() if name.lower() not in dropped}
        url = f"http://{request.header('Host')}{request.target}"
        signed = AWSRequest(request.method, url, headers=kept, data=request.body)
        S3SigV4Auth(Credentials(admin.access_key, admin.secret_key), "s3", "us-east-1").add_auth(signed)
        return Request(request.method, request.target, dict(signed.headers.items()), request.body)


def _xml(status: int, code: str, message: str) -> Answer:
    text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Answer(status, text.encode(), {"Content-Type": "application/xml; charset=UTF-8"})


@contextmanager
def run(seaweedfs: SeaweedfsServer) -> Iterator[GcsXmlServer]:
    """Run the front before a running SeaweedFS."""
    server = GcsXmlServer(seaweedfs=seaweedfs)
    with serving(server, server.answer):
        yield server

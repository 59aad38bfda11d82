"""fake-gcs-server behind a front that does what it leaves out of Google Cloud Storage.

fake-gcs-server asks for no token, ignores preconditions on all but simple uploads, takes wrong checksums and cannot
tell the offset of a broken upload. The front checks tokens and rights, issues tokens for signed assertions of service
accounts, keeps resumable uploads itself until their end, and checks sums and preconditions under one lock.
"""

from __future__ import annotations

import base64
import email.parser
import email.policy
import hashlib
import json
import re
import secrets
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote

import google_crc32c
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from platform_tests.servers.gcs_behind import running_behind
from platform_tests.servers.gcs_http import Answer, Front, Request, error_body, forward, json_answer, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "exports"
PROJECT = "offramp-tests"
_ALL = frozenset({"create", "get", "list", "delete"})
# Who may do what; their key files come from ``GcsServer.key``.
IDENTITIES = {
    "writer": _ALL,
    "reader": frozenset({"get", "list"}),
    "no-list": _ALL - {"list"},
    "no-delete": _ALL - {"delete"},
}
_OBJECT = re.compile(r"/(?:download/)?storage/v1/b/([^/]+)/o/([^/]+)(/.*)?")
_KEPT_MULTIPLE = 256 * 1024
# Whatever a key says of where tokens come from, the library asserts this audience.
_AUDIENCE = "https://oauth2.googleapis.com/token"


@dataclass
class Session:
    """A resumable upload under way."""

    query: dict[str, str]
    metadata: dict[str, Any]
    kept: bytearray = field(default_factory=bytearray)
    result: Answer | None = None


@dataclass
class GcsServer(Front):
    """The running server: ``url`` is what clients take as Google's."""

    behind: int = 0
    buckets: set[str] = field(default_factory=set)
    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    token_seconds: int = 3600
    issued: dict[str, tuple[str, float]] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    commit_lock: threading.RLock = field(default_factory=threading.RLock)
    private_key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def key(self, identity: str = "writer", *, private_key: rsa.RSAPrivateKey | None = None) -> str:
        """Return the JSON key of a service account; with another private key, one that was deleted."""
        pem = (private_key or self.private_key).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return json.dumps({
            "type": "service_account", "project_id": PROJECT, "private_key_id": "k1", "private_key": pem.decode(),
            "client_email": f"{identity}@{PROJECT}.iam.gserviceaccount.com", "client_id": "1",
            "token_uri": f"{self.url}/token",
        })  # fmt: skip

    def expire_tokens(self) -> None:
        """Let no token that was issued so far be good any more."""
        self.issued.clear()

    def create_bucket(self, name: str) -> None:
        """Create a bucket past all checks."""
        body = json.dumps({"name": name}).encode()
        target = f"/storage/v1/b?project={PROJECT}"
        answer = forward(self.behind, Request("POST", target, {"Content-Type": "application/json"}, body))
        assert answer.status == 200, answer.body
        self.buckets.add(name)

    def answer(self, request: Request) -> Answer:
        """Answer one request as Google would."""
        if request.path == "/token":
            return self._token(request)
        if request.path.startswith("/upload/") and "upload_id" in request.query:
            return self._chunk(request, self.sessions.get(request.query["upload_id"]))
        identity, expires = self.issued.get(request.header("Authorization").removeprefix("Bearer "), ("", 0.0))
        if expires < time.time():
            return _error(401, "Invalid Credentials", "authError")
        if request.path.startswith("/upload/"):
            return self._upload(request, identity)
        return self._plain(request, identity)

    def _token(self, request: Request) -> Answer:
        assertion = parse_qs(request.body.decode()).get("assertion", [""])[0]
        public = self.private_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        try:
            claims = jwt.decode(assertion, certs=public, audience=_AUDIENCE)
        except ValueError:
            return json_answer(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        token = secrets.token_urlsafe(24)
        self.issued[token] = (claims["iss"].partition("@")[0], time.time() + self.token_seconds)
        return json_answer(200, {"access_token": token, "expires_in": self.token_seconds, "token_type": "Bearer"})

    def _upload(self, request: Request, identity: str) -> Answer:
        bucket = request.path.split("/")[5]
        if not self._has_bucket(bucket):
            return _no_bucket()
        if request.query["uploadType"] == "resumable":
            metadata = json.loads(request.body)
        else:
            metadata, content = _parts(request)
        refused = self._refused(identity, bucket, metadata["name"], request.query)
        if refused is not None:
            return refused
        if request.query["uploadType"] == "resumable":
            session = secrets.token_urlsafe(16)
            self.sessions[session] = Session({**request.query, "bucket": bucket}, metadata)
            location = f"{self.url}{request.path}?uploadType=resumable&upload_id={session}"
            return Answer(200, b"", {"Location": location})
        return self._store(bucket, request.query, metadata, content)

    def _refused(self, identity: str, bucket: str, name: str, query: dict[str, str]) -> Answer | None:
        """Say no for want of a right, or because of what stands there."""
        if "create" not in IDENTITIES[identity]:
            return _forbidden(identity, "create")
        generation = self._generation(bucket, name)
        if generation and "delete" not in IDENTITIES[identity]:
            return _forbidden(identity, "delete")
        return None if _holds(query, generation) else _unmet()

    def _chunk(self, request: Request, session: Session | None) -> Answer:
        if session is None:
            return _error(404, "Not Found", "notFound")
        if session.result is not None:
            return session.result
        said = re.fullmatch(r"bytes (\*|(\d+)-(-?\d+))/(\d+|\*)", request.header("Content-Range"))
        if said is None:
            return _error(400, "bad Content-Range", "badRequest")
        if said[1] != "*":
            start = int(said[2])
            if start > len(session.kept):
                return _error(503, "a gap", "backendError")
            session.kept[start:] = request.body
            if request.is_cut:
                del session.kept[len(session.kept) // _KEPT_MULTIPLE * _KEPT_MULTIPLE :]
        if said[4] == "*" or len(session.kept) < int(said[4]):
            kept = {"Range": f"bytes=0-{len(session.kept) - 1}"} if session.kept else {}
            return Answer(308, b"", kept)
        told = dict(one.strip().split("=", 1) for one in request.header("x-goog-hash").split(",") if one)
        metadata = session.metadata
        metadata |= {"crc32c": told["crc32c"]} if "crc32c" in told else {}
        result = self._store(session.query["bucket"], session.query, metadata, bytes(session.kept))
        session.result = result
        session.kept.clear()
        return result

    def _store(self, bucket: str, query: dict[str, str], metadata: dict[str, Any], content: bytes) -> Answer:
        """Compare sums and condition, and make the object, all under one lock."""
        crc32c = base64.b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode()
        md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        for told, found, title in (("crc32c", crc32c, "CRC32C"), ("md5Hash", md5, "MD5")):
            if metadata.get(told, found) != found:
                text = f'Provided {title} hash "{metadata[told]}" doesn\'t match calculated {title} hash "{found}".'
                return _error(400, text, "invalid")
        boundary = secrets.token_hex(16)
        head = f"--{boundary}\r\nContent-Type: application/json\r\n\r\n{json.dumps(metadata)}\r\n--{boundary}\r\n"
        head += "Content-Type: application/octet-stream\r\n\r\n"
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        target = f"/upload/storage/v1/b/{bucket}/o?uploadType=multipart"
        request = Request("POST", target, {"Content-Type": f"multipart/related; boundary={boundary}"}, body)
        with self.commit_lock:
            if not _holds(query, self._generation(bucket, metadata["name"])):
                return _unmet()
            # fake-gcs-server drops some of it.
            self.stored[metadata["name"]] = metadata
            return forward(self.behind, request)

    def _plain(self, request: Request, identity: str) -> Answer:
        named = _OBJECT.fullmatch(request.path)
        if named is not None:
            return self._object(request, identity, unquote(named[1]), unquote(named[2]), named[3] or "")
        if request.method == "GET" and "list" not in IDENTITIES[identity]:
            return _forbidden(identity, "list")
        answer = forward(self.behind, request)
        return _no_bucket() if answer.status == 404 else answer

    def _object(self, request: Request, identity: str, bucket: str, name: str, rest: str) -> Answer:
        if not self._has_bucket(bucket):
            return _no_bucket()
        right = {"GET": "get", "DELETE": "delete"}.get(request.method, "create")
        if right not in IDENTITIES[identity]:
            return _forbidden(identity, right)
        with self.commit_lock:
            # Compose names its target in the path, a copy behind /o/.
            target = unquote(rest.partition("/o/")[2]) or name
            generation = self._generation(bucket, target)
            is_other = request.query.get("generation", str(generation)) != str(generation)
            if is_other or (not generation and right != "create"):
                # Who may not list is not told what is missing.
                is_told = right == "delete" or "list" in IDENTITIES[identity]
                return _no_object(bucket, name) if is_told else _forbidden(identity, "get")
            return forward(self.behind, request) if _holds(request.query, generation) else _unmet()

    def _generation(self, bucket: str, name: str) -> int:
        target = f"/storage/v1/b/{quote(bucket, safe='')}/o/{quote(name, safe='')}"
        answer = forward(self.behind, Request("GET", target, {}, b""))
        return int(json.loads(answer.body)["generation"]) if answer.status == 200 else 0

    def _has_bucket(self, bucket: str) -> bool:
        return bucket in self.buckets


def _parts(request: Request) -> tuple[dict[str, Any], bytes]:
    """Take the metadata and the content out of a multipart upload."""
    kind = email.parser.HeaderParser(policy=email.policy.HTTP).parsestr(
        f"Content-Type: {request.header('Content-Type')}\r\n\r\n"
    )
    boundary = b"--" + str(kind.get_param("boundary")).encode()
    _, metadata, content = request.body.split(boundary, 2)
    content = content[: content.rindex(b"\r\n" + boundary)]
    return json.loads(metadata.partition(b"\r\n\r\n")[2]), content.partition(b"\r\n\r\n")[2]


def _holds(query: dict[str, str], generation: int) -> bool:
    return query.get("ifGenerationMatch", str(generation)) == str(generation)


def _error(status: int, message: str, reason: str) -> Answer:
    return json_answer(status, error_body(status, message, reason))


def _forbidden(identity: str, right: str) -> Answer:
    account = f"{identity}@{PROJECT}.iam.gserviceaccount.com"
    message = (
        f"{account} does not have storage.objects.{right} access to the Google Cloud Storage object. "
        f"Permission 'storage.objects.{right}' denied on resource (or it may not exist)."
    )
    return _error(403, message, "forbidden")


def _no_bucket() -> Answer:
    return _error(404, "The specified bucket does not exist.", "notFound")


def _no_object(bucket: str, name: str) -> Answer:
    return _error(404, f"No such object: {bucket}/{name}", "notFound")


def _unmet() -> Answer:
    return _error(412, "At least one of the pre-conditions you specified did not hold.", "conditionNotMet")


@contextmanager
def run() -> Iterator[GcsServer]:
    """Run both servers with an empty bucket in memory."""
    server = GcsServer()
    with serving(server, server.answer), running_behind(server.port) as server.behind:
        server.create_bucket(BUCKET)
        yield server

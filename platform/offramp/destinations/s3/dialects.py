"""How Amazon's protocol and Google's XML API differ: checksums, conditions, versions."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any, Protocol

from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from offramp.domain.contents import Content

_SLICE_BYTES = 1024 * 1024
_MD5 = re.compile(r"^[0-9a-f]{32}$")
_SHA256 = re.compile(r"^[0-9a-f]{64}$")


class Following(Protocol):
    """A checksum of bytes in their order."""

    def update(self, chunk: bytes | bytearray) -> None:
        """Take the next bytes."""

    def digest(self) -> bytes:
        """Return the checksum so far."""


class Dialect(Protocol):
    """What one kind of store wants said, and what it answers. Mappings are arguments of boto3's calls."""

    default_endpoint: str | None
    default_region: str | None

    def teach(self, client: Any) -> None:
        """Let a client speak the dialect."""

    def begin(self) -> Mapping[str, str]:
        """Return what CreateMultipartUpload is told of checksums."""

    def guard(self, body: bytes | bytearray) -> Mapping[str, str]:
        """Return the checksum of a part, which makes the store refuse a body that arrived otherwise."""

    def part(self, number: int, etag: str, guard: Mapping[str, str]) -> Mapping[str, Any]:
        """Return a part for CompleteMultipartUpload."""

    def whole(self, content: Content, body: bytes) -> Mapping[str, str]:
        """Return the checksum of a small content, sent in one piece."""

    def follow(self) -> Following | None:
        """Return what is told every byte of a large content in order, or None if nothing has to."""

    def composed(self, guards: Sequence[Mapping[str, str]], followed: Following | None) -> Mapping[str, str]:
        """Return the checksum that an object made of parts shows; nothing where its bytes have to be read."""

    def look(self) -> Mapping[str, str]:
        """Return what HeadObject is told, so that it shows checksums."""

    def shown(self, answer: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the checksums that the store shows of an object, named as in ``whole`` and ``composed``."""

    def version(self, answer: Mapping[str, Any]) -> str | None:
        """Return what changes whenever the object does."""

    def sha256(self, answer: Mapping[str, Any]) -> str | None:
        """Return the sha256 that was written beside an object."""


class _InSlices:
    """A CRC-32C of google-crc32c, which takes no memory that can change: copied slice by slice, never a whole part."""

    def __init__(self, checksum: Following) -> None:
        self._checksum = checksum

    def update(self, chunk: bytes | bytearray) -> None:
        with memoryview(chunk) as view:
            for begin in range(0, len(view), _SLICE_BYTES):
                self._checksum.update(bytes(view[begin : begin + _SLICE_BYTES]))

    def digest(self) -> bytes:
        return self._checksum.digest()


class Amazon:
    """Amazon S3 and what is compatible: a checksum of every body in a signed header, that the store verifies.

    A small content goes with its SHA-256, which is known. Parts go with a CRC-32, ten times as quick to compute:
    the SHA-256 of a large file is computed over all of it anyway, while it is read.
    """

    default_endpoint: str | None = None
    default_region: str | None = None

    def teach(self, client: Any) -> None:
        """Do nothing: boto3 speaks it."""

    def begin(self) -> Mapping[str, str]:
        """Ask for checksums of parts, which the object then shows composed."""
        return {"ChecksumAlgorithm": "CRC32", "ChecksumType": "COMPOSITE"}

    def guard(self, body: bytes | bytearray) -> Mapping[str, str]:
        """Return the CRC-32 of a part."""
        return {"ChecksumCRC32": _base64(isal_zlib.crc32(body).to_bytes(4, "big"))}

    def part(self, number: int, etag: str, guard: Mapping[str, str]) -> Mapping[str, Any]:
        """Name the part with its checksum, so that nobody's later part takes its place."""
        return {"PartNumber": number, "ETag": etag, **guard}

    def whole(self, content: Content, body: bytes) -> Mapping[str, str]:
        """Return the content's own SHA-256: other bytes are refused by the store."""
        del body
        return {"ChecksumSHA256": _base64(bytes.fromhex(content.sha256))}

    def follow(self) -> Following | None:
        """Return None: the parts' checksums are enough."""

    def composed(self, guards: Sequence[Mapping[str, str]], followed: Following | None) -> Mapping[str, str]:
        """Return the checksum of the parts' checksums, and their number."""
        del followed
        joined = b"".join(base64.b64decode(guard["ChecksumCRC32"]) for guard in guards)
        return {"ChecksumCRC32": f"{self.guard(joined)['ChecksumCRC32']}-{len(guards)}"}

    def look(self) -> Mapping[str, str]:
        """Ask for checksums."""
        return {"ChecksumMode": "ENABLED"}

    def shown(self, answer: Mapping[str, Any]) -> Mapping[str, str]:
        """Return what the store computed."""
        return {member: answer[member] for member in ("ChecksumSHA256", "ChecksumCRC32") if answer.get(member)}

    def version(self, answer: Mapping[str, Any]) -> str | None:
        """Return the ETag."""
        return answer.get("ETag") or None

    def sha256(self, answer: Mapping[str, Any]) -> str | None:
        """Return our metadata."""
        return _sha256(answer.get("Metadata", {}).get("sha256"))


class Google:
    """The XML API of Google Cloud Storage: MD5 of every body, generations in place of ETags.

    It knows none of Amazon's checksum headers and ignores If-None-Match of a PUT.
    """

    default_endpoint: str | None = "https://storage.googleapis.com"
    default_region: str | None = "auto"

    def teach(self, client: Any) -> None:
        """Say conditions in Google's words, before the request is signed."""
        for operation in ("PutObject", "CompleteMultipartUpload", "DeleteObject"):
            client.meta.events.register(f"before-call.s3.{operation}", _condition_by_generation)

    def begin(self) -> Mapping[str, str]:
        """Say nothing of checksums."""
        return {}

    def guard(self, body: bytes | bytearray) -> Mapping[str, str]:
        """Return the MD5 of a part."""
        return {"ContentMD5": _base64(hashlib.md5(body, usedforsecurity=False).digest())}

    def part(self, number: int, etag: str, guard: Mapping[str, str]) -> Mapping[str, Any]:
        """Name the part by its ETag, which is that of its bytes."""
        del guard
        return {"PartNumber": number, "ETag": etag}

    def whole(self, content: Content, body: bytes) -> Mapping[str, str]:
        """Return the content's own MD5, so that other bytes are refused by the store; or that of the body."""
        return {"ContentMD5": _base64(bytes.fromhex(content.md5))} if content.md5 else self.guard(body)

    def follow(self) -> Following | None:
        """Return a CRC-32C, which objects made of parts show; None where google-crc32c is not installed."""
        try:
            from google_crc32c import Checksum  # noqa: PLC0415 - comes with the extra gcs only
        except ImportError:
            return None
        return _InSlices(Checksum())  # type: ignore[no-untyped-call]

    def composed(self, guards: Sequence[Mapping[str, str]], followed: Following | None) -> Mapping[str, str]:
        """Return the CRC-32C of all bytes: an object made of parts shows no MD5."""
        del guards
        return {"crc32c": _base64(followed.digest())} if followed is not None else {}

    def look(self) -> Mapping[str, str]:
        """Ask for nothing: checksums always stand in the answer."""
        return {}

    def shown(self, answer: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the MD5 of an object that was sent in one piece, and the CRC-32C of any."""
        hashes = dict(one.strip().partition("=")[::2] for one in _headers(answer).get("x-goog-hash", "").split(","))
        names = {"ContentMD5": "md5", "crc32c": "crc32c"}
        return {member: hashes[name] for member, name in names.items() if hashes.get(name)}

    def version(self, answer: Mapping[str, Any]) -> str | None:
        """Return the generation."""
        return _headers(answer).get("x-goog-generation")

    def sha256(self, answer: Mapping[str, Any]) -> str | None:
        """Return our metadata, under either name."""
        return _sha256(answer.get("Metadata", {}).get("sha256") or _headers(answer).get("x-goog-meta-sha256"))


def dialect_of(name: str) -> Dialect:
    """Return a dialect by its name."""
    return _DIALECTS[name]


def part_is_ours(listed: Mapping[str, Any], body: bytes | bytearray, guard: Mapping[str, str]) -> bool:
    """Say whether a part that the store lists holds these bytes: by our checksum, else by an ETag that is an MD5."""
    if listed["Size"] != len(body):
        return False
    told = [listed[member] == value for member, value in guard.items() if listed.get(member)]
    etag = listed["ETag"].strip('"')
    if told or not _MD5.match(etag):
        return told == [True]
    return bool(etag == hashlib.md5(body, usedforsecurity=False).hexdigest())


def _condition_by_generation(params: dict[str, Any], **_: Any) -> None:
    headers = params["headers"]
    if headers.pop("If-None-Match", None) is not None:
        headers["x-goog-if-generation-match"] = "0"
    if (generation := headers.pop("If-Match", None)) is not None:
        headers["x-goog-if-generation-match"] = generation


def _headers(answer: Mapping[str, Any]) -> Mapping[str, str]:
    found: Mapping[str, str] = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return found


def _sha256(text: str | None) -> str | None:
    """Let foreign metadata of the same name not pass for a checksum."""
    return text if text and _SHA256.match(text) else None


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


_DIALECTS: dict[str, Dialect] = {"aws": Amazon(), "gcs": Google()}

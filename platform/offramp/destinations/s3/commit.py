"""The moment an object appears: written under a condition, then proved."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offramp.destinations.s3.errors import code_of, status_of
from offramp.destinations.uploads import digest_of, shown, staged_otherwise
from offramp.domain.errors import DestinationChanged, DestinationRefused, VerificationFailed
from offramp.domain.steps import around

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.exceptions import ClientError

    from offramp.destinations.s3.bucket import Bucket
    from offramp.destinations.s3.upload import S3Pending
    from offramp.domain.contents import Content, Standing

_CONFLICT, _PRECONDITION = 409, 412


@dataclass(frozen=True, slots=True)
class Written:
    """The version of the object that stands there, and whether it came just now."""

    version: str | None
    is_new: bool


class Commit:
    """Writes objects of one bucket. ``read`` yields the bytes of a name."""

    def __init__(self, bucket: Bucket, read: Callable[[str], Iterator[bytes]]) -> None:
        self._bucket = bucket
        self._read = read

    def write(self, pending: S3Pending, body: bytes, over: Standing | None) -> Written:
        """Make the object appear, or find that it already stands there."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - half a second at the first call

        target, condition = self._bucket.target(pending.name), _condition(over)
        try:
            if pending.upload is None:
                asked = {
                    **self._bucket.options(pending.content, pending.name),
                    **self._bucket.dialect.whole(pending.content, body),
                }
                with around(self._bucket.at_step, "put"):
                    # Of bytes botocore makes a file: sent in pieces of 8 KiB after waiting for a "100 Continue".
                    answer = self._bucket.client.put_object(**target, Body=bytearray(body), **asked, **condition)
                pending.sent(pending.content.bytes)
            else:
                parts = {"Parts": list(pending.upload.parts)}
                with around(self._bucket.at_step, "complete"):
                    answer = self._bucket.client.complete_multipart_upload(
                        **target, UploadId=pending.upload.id, MultipartUpload=parts, **condition
                    )
        except ClientError as error:
            return self._found_instead(pending, over, error)
        return Written(self._bucket.dialect.version(answer), is_new=True)

    def _found_instead(self, pending: S3Pending, over: Standing | None, error: ClientError) -> Written:
        """Look what stands there after a refused condition: a write whose answer was lost is refused so, too."""
        is_gone = code_of(error) in {"NoSuchUpload", "NoSuchKey"}
        if status_of(error) not in {_PRECONDITION, _CONFLICT} and not is_gone:
            raise error
        answer = self._bucket.head(pending.name)
        found = self._bucket.standing(pending.name, answer) if answer is not None else None
        if found is not None and (found.bytes, found.sha256) == (pending.content.bytes, pending.content.sha256):
            return Written(found.version, is_new=False)
        if code_of(error) == "NoSuchUpload":
            raise VerificationFailed(
                f"the upload to {self._bucket.where} is gone before it was completed",
                where=pending.name,
                expected=shown(pending.content.bytes, pending.content.sha256),
                todo="run again; a later run or a rule of the bucket removed it",
            ) from error
        if status_of(error) == _CONFLICT and pending.upload:
            # Amazon: after a conflict the parts have to be uploaded anew.
            self._bucket.abort(self._bucket.place.key(pending.name), pending.upload.id)
        if over is None and found is None and status_of(error) == _PRECONDITION:
            # SeaweedFS counts folders, also emptied ones: after "a/b" was deleted, "a" was refused for over 25 s.
            raise DestinationRefused(
                f"{self._bucket.where} refuses to create a name under which it shows nothing",
                where=pending.name,
                expected="a name that is not that of a folder, too: some stores count those",
                todo="remove what stands below that folder, and the folder; if there is none, run again",
            ) from error
        raise DestinationChanged(
            f"something else came to stand at {self._bucket.where} meanwhile",
            where=pending.name,
            expected="what was there before the upload",
            found=f"{found.bytes:,} bytes, version {found.version}" if found else "nothing",
            todo="run again; if it stays so, find out who else writes there",
        ) from error

    def verify(self, pending: S3Pending, body: bytes, written: Written) -> None:
        """Compare size and checksum of what stands there; where the store shows none of ours, read the bytes."""
        # A checksum with a dash is one of parts: it cannot be compared with one of the whole object.
        content = pending.content
        wanted = (
            self._bucket.dialect.composed(pending.upload.guards, pending.upload.followed)
            if pending.upload
            else self._bucket.dialect.whole(content, body)
        )
        answer = self._bucket.head(pending.name) or {}
        size = answer.get("ContentLength")
        told_sums = {
            member: told
            for member, told in self._bucket.dialect.shown(answer).items()
            if member in wanted and ("-" in told) == ("-" in wanted[member])
        }
        is_proved = size == content.bytes and told_sums == wanted != {}
        found = f"{size} bytes, {told_sums}"
        if self._bucket.place.reads_back or (
            size == content.bytes and not is_proved and not (told_sums and written.is_new)
        ):
            sha256 = digest_of(self._read(pending.name), pending.sent)[1]
            is_proved, found = sha256 == content.sha256, f"{size} bytes, sha256 {sha256}"
        if is_proved:
            return
        version = self._bucket.dialect.version(answer)
        if written.version is not None and version != written.version:
            raise DestinationChanged(
                f"something else replaced the object at {self._bucket.where} at once",
                where=pending.name,
                todo="run again",
            )
        if written.is_new:
            match = {"IfMatch": written.version} if written.version else {}
            self._bucket.unless_gone(self._bucket.client.delete_object, **self._bucket.target(pending.name), **match)
        raise VerificationFailed(
            f"{self._bucket.where} holds other bytes than were sent",
            where=pending.name,
            expected=f"{content.bytes} bytes, sha256 {content.sha256}, {dict(wanted)}",
            found=found,
            todo="run again; what was written is removed",
        )


def _condition(over: Standing | None) -> dict[str, str]:
    """Return the condition of a write: create only, or replace only what was seen."""
    if over is None:
        return {"IfNoneMatch": "*"}
    return {"IfMatch": over.version} if over.version is not None else {}


def bytes_of(name: str, content: Content) -> bytes:
    """Return a small content whole. Raises DeliveryRefused if the file is not what its checksum says."""
    if isinstance(content.source, bytes):
        return content.source
    body = content.source.read_bytes()
    if (sha256 := hashlib.sha256(body).hexdigest()) != content.sha256:
        raise staged_otherwise(name, content, size=len(body), sha256=sha256)
    return body

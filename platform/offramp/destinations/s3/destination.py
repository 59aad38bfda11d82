"""Amazon S3, stores that are compatible with it, and Google Cloud Storage by its XML API."""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from offramp.destinations.names import check_name, deepest_folder, is_temporary
from offramp.destinations.s3.bucket import Bucket
from offramp.destinations.s3.commit import Commit, bytes_of
from offramp.destinations.s3.place import KEY_BYTES, S3Place, least_policy
from offramp.destinations.s3.upload import PartsUpload, S3Pending, unfinished
from offramp.domain.errors import DeliveryRefused, DestinationChanged, DestinationRefused, DestinationUnreachable
from offramp.domain.steps import around, no_step, nothing_sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from offramp.domain.contents import Content, Standing
    from offramp.domain.ports import PendingFile


STEPS = ("create", "part", "complete", "put", "verify", "abort", "delete")
_READ_BYTES = 1024 * 1024
# XML 1.0 cannot carry them, so lists of keys and uploads lose them.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class S3Destination:
    """Objects below a prefix of a bucket. An object appears whole, when its one PUT or its upload is completed.

    A name is created only where none is, or replaced only where the object is the one that ``stat`` told: the store
    decides it. ``at_step`` is told "before ..." and "after ..." of every one of ``STEPS``; of ``part`` by several
    threads.
    """

    def __init__(self, name: str, place: S3Place, *, at_step: Callable[[str], None] = no_step) -> None:
        self._name = name
        self._place = place
        self._at_step = at_step
        self._bucket = Bucket(name, place, at_step)
        self._commit = Commit(self._bucket, self.read)

    def __repr__(self) -> str:
        return f"S3Destination({self._name!r}, 's3://{self._place.bucket}/{self._place.prefix}')"

    @property
    def name(self) -> str:
        """The name in offramp.yaml."""
        return self._name

    @property
    def is_conditional(self) -> bool:
        """Writes carry If-Match or If-None-Match, or the generation at Google."""
        return True

    @property
    def verified_by(self) -> str:
        """By the checksum that the store computed, or by reading back where that is set."""
        return "read_back" if self._place.reads_back else "checksum"

    def stat(self, name: str) -> Standing | None:
        """Return size, ETag or generation, and the sha256 that was written beside the bytes; or None."""
        self._check(name)
        with self._bucket.errors(name):
            answer = self._bucket.head(name)
        return self._bucket.standing(name, answer) if answer is not None else None

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of an object. Raises DestinationChanged if there is none (any more)."""
        self._check(name)
        with self._bucket.errors(name):
            answer = self._bucket.unless_gone(self._bucket.client.get_object, **self._bucket.target(name))
        if answer is None:
            raise DestinationChanged(f"the object is gone from {self._bucket.where}", where=name, todo="run again")
        body = answer["Body"]
        try:
            with self._bucket.errors(name):
                yield from body.iter_chunks(_READ_BYTES)
        finally:
            body.close()

    def put(
        self, name: str, content: Content, *, token: int, sent: Callable[[int], None] = nothing_sent
    ) -> PendingFile:
        """Send the parts of a large content; a small one goes out with ``commit``, in one piece.

        What any earlier attempt at this key left is gone on with where its bytes are the same: uploads have no place
        for a token, and what is completed is named part by part with its checksum.
        """
        del token
        self._check(name)
        part_bytes = self._place.part_bytes_of(content.bytes)
        if content.bytes <= part_bytes:
            return S3Pending(name, content, None, sent)
        with self._giving_up(name, is_large=True), self._bucket.errors(name):
            run = PartsUpload(
                self._bucket.client, self._bucket.dialect, self._bucket.target(name), content,
                part_bytes=part_bytes, at_step=self._at_step, sent=sent,
            )  # fmt: skip
            upload = run.run(self._bucket.options(content, name), self._place.parallel_parts)
        return S3Pending(name, content, upload, sent)

    def commit(self, pending: PendingFile, *, over: Standing | None) -> None:
        """Write the object under a condition, and prove it. Doing it twice is no error.

        An answer that was lost is found by looking: an equal object is ours. Raises DestinationChanged, or
        VerificationFailed after removing what was written.
        """
        if not isinstance(pending, S3Pending):
            message = f"a pending file of another destination: {type(pending).__name__}"
            raise TypeError(message)
        body = b"" if pending.upload else bytes_of(pending.name, pending.content)
        with self._giving_up(pending.name, is_large=pending.upload is not None), self._bucket.errors(pending.name):
            written = self._commit.write(pending, body, over)
        with self._bucket.errors(pending.name), around(self._at_step, "verify"):
            self._commit.verify(pending, body, written)
        if pending.upload:
            with self._bucket.errors(pending.name):
                for upload_id in pending.upload.others:
                    self._bucket.abort(self._place.key(pending.name), upload_id)

    def list(self, prefix: str) -> tuple[str, ...]:
        """Return the names that begin with a prefix, sorted. Placeholders of folders are left out."""
        deepest_folder(prefix, destination=self._name)
        root = len(self._place.key(""))
        with self._bucket.errors(prefix):
            pages = self._bucket.client.get_paginator("list_objects_v2").paginate(
                Bucket=self._place.bucket, Prefix=self._place.key(prefix)
            )
            names = [one["Key"][root:] for page in pages for one in page.get("Contents", [])]
        return tuple(sorted(name for name in names if not is_temporary(name.rpartition("/")[2]) and name[-1:] != "/"))

    def delete(self, name: str) -> None:
        """Remove an object; one that is gone is no error."""
        self._check(name)
        with self._bucket.errors(name), around(self._at_step, "delete"):
            self._bucket.unless_gone(self._bucket.client.delete_object, **self._bucket.target(name))

    def sweep(self, prefixes: Iterable[str], *, below_token: int) -> int:
        """Abort unfinished uploads of names that begin with one of the prefixes, and return how many.

        Uploads have no place for a token, so newer ones are aborted too: they cannot be completed any more, and the
        next ``put`` begins anew.
        """
        del below_token
        wanted = tuple(prefixes)
        for prefix in wanted:
            deepest_folder(prefix, destination=self._name)
        swept = 0
        with self._bucket.errors(" ".join(wanted)):
            found = {
                one
                for prefix in wanted
                for one in unfinished(self._bucket.client, self._place.bucket, self._place.key(prefix))
            }
            for key, upload_id in sorted(found):
                swept += self._bucket.abort(key, upload_id)
        return swept

    def rights(self) -> str:
        """Return the least policy, for the customer."""
        return least_policy(self._place)

    def close(self) -> None:
        """Close the connections. The next call opens them anew, with new credentials of an assumed role."""
        self._bucket.close()

    def _check(self, name: str) -> None:
        check_name(name, destination=self._name)
        fault = None
        if len(self._place.key(name).encode()) > KEY_BYTES:
            fault = f"with its prefix it is longer than {KEY_BYTES:,} bytes"
        elif "\\" in name:
            fault = "it holds a backslash, which some stores turn into a slash"
        elif _NOT_IN_XML.search(name):
            fault = "it holds a control character, which lists of keys cannot tell"
        if fault:
            raise DestinationRefused(
                f"destination '{self._name}' cannot take this name: {fault}",
                found=repr(name),
                todo="change the option or the tenant that the name is made of",
            )

    @contextmanager
    def _giving_up(self, name: str, *, is_large: bool) -> Iterator[None]:
        """Abort the uploads of a key that can never be completed: their parts are paid for until then."""
        try:
            yield
        except (DeliveryRefused, DestinationRefused):
            with suppress(DestinationRefused, DestinationUnreachable):
                if is_large:
                    self._abort_all(name)
            raise

    def _abort_all(self, name: str) -> None:
        key = self._place.key(name)
        with self._bucket.errors(name):
            for found, upload_id in unfinished(self._bucket.client, self._place.bucket, key):
                if found == key:
                    self._bucket.abort(key, upload_id)

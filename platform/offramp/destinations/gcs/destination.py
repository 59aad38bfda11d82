"""A bucket of Google Cloud Storage, by its JSON API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from offramp.destinations.gcs.bucket import GcsBucket, is_equal, told_sha256
from offramp.destinations.gcs.place import GcsPlace, least_policy
from offramp.destinations.gcs.upload import Sums, Upload, open_content, sums_of
from offramp.destinations.names import check_name, deepest_folder, is_temporary
from offramp.destinations.uploads import digest_of
from offramp.domain.contents import Content, Standing
from offramp.domain.errors import DestinationChanged, DestinationRefused, VerificationFailed
from offramp.domain.steps import around, no_step, nothing_sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from offramp.domain.ports import PendingFile


STEPS = ("initiate", "send", "finalise", "upload", "verify", "delete")

_NAME_BYTES = 1024
# What the library sends in one request; above, it would open a resumable upload of its own.
_SIMPLE_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class GcsPending:
    """An upload of which the server lacks the last chunk, or all where one request carries everything."""

    name: str
    content: Content
    token: int
    sent: Callable[[int], None] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class _Written:
    """The generation that holds the content, and what was sent. ``is_new`` if this very commit made it."""

    generation: int
    sums: Sums
    is_new: bool


_Key = tuple[str, int, str]


class GcsDestination:
    """Objects below a prefix. An object appears whole or not at all, and only in place of what was looked at.

    A large file goes up by a resumable upload that may create the object, or replace exactly the generation that
    stood there when it began; its last chunk is kept back until ``commit``. An unfinished one is seen by nobody and
    nothing, not even by its owner: it costs nothing, cannot be listed, and expires after a week. So another process
    begins anew, and ``sweep`` has nothing to do. Within one process the same token goes on where the server is.
    """

    def __init__(self, name: str, place: GcsPlace, *, at_step: Callable[[str], None] = no_step) -> None:
        self._name = name
        self._place = place
        self._at_step = at_step
        self._bucket = GcsBucket(name, place)
        self._uploads: dict[_Key, Upload] = {}
        self._simple_bytes = min(place.chunk_bytes, _SIMPLE_BYTES)

    def __repr__(self) -> str:
        return f"GcsDestination({self._name!r}, 'gs://{self._place.bucket}/{self._place.prefix}')"

    @property
    def name(self) -> str:
        """The name in offramp.yaml."""
        return self._name

    @property
    def is_conditional(self) -> bool:
        """Writes carry the generation that was seen."""
        return True

    @property
    def verified_by(self) -> str:
        """Checksums of the server are compared always; the bytes are read back where the place says so."""
        return "read_back" if self._place.reads_back else "checksum"

    def stat(self, name: str) -> Standing | None:
        """Return size, generation and the sha256 that was written beside the bytes, or None without an object."""
        self._check(name)
        found = self._bucket.find(name)
        if found is None:
            return None
        return Standing(name, int(found.size), told_sha256(found), str(found.generation))

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of one generation. Raises DestinationChanged if it is gone or replaced meanwhile."""
        self._check(name)
        found = self._bucket.find(name)
        if found is None:
            raise self._bucket.gone(name)
        yield from self._bucket.blocks(name, int(found.generation), int(found.size))

    def put(
        self, name: str, content: Content, *, token: int, sent: Callable[[int], None] = nothing_sent
    ) -> PendingFile:
        """Send all but the last chunk. What one request can carry is sent by ``commit``.

        Raises DestinationRefused, DestinationUnreachable, or DeliveryRefused where the lake's file has changed.
        """
        self._check(name)
        pending = GcsPending(name, content, token, sent)
        if content.bytes <= self._simple_bytes:
            self._bucket.connect()  # credentials that cannot be used are told here already
            return pending
        generation = _generation(self.stat(name))
        upload = self._uploads.get(_key(pending))
        if upload is not None and upload.generation != generation:
            # Its condition can no longer hold.
            self._forget(pending)
            upload = None
        if upload is None:
            upload = self._initiate(pending, generation)
        self._go_on(pending, upload, to_end=False)
        return pending

    def commit(self, pending: PendingFile, *, over: Standing | None) -> None:
        """Create the object, or replace exactly the generation of ``over``, and compare the server's checksums.

        Doing it twice is no error. Wrong bytes are removed again, and VerificationFailed is raised.
        """
        if not isinstance(pending, GcsPending):
            message = f"a pending file of another destination: {type(pending).__name__}"
            raise TypeError(message)
        generation = _generation(over)
        try:
            if pending.content.bytes <= self._simple_bytes:
                written = self._upload(pending, generation)
            else:
                written = self._finalise(pending, generation)
        except DestinationChanged as error:
            standing = self._standing(pending)
            if standing is None:
                raise self._changed(pending.name) from error
            written = standing
        self._verify(pending, written)

    def list(self, prefix: str) -> tuple[str, ...]:
        """Return the names that begin with a prefix, sorted."""
        deepest_folder(prefix, destination=self._name)
        # Consoles mark an empty folder by an object whose name ends in a slash.
        return tuple(
            sorted(
                name
                for name in self._bucket.names(prefix)
                if name[-1:] not in {"", "/"} and not is_temporary(name.rpartition("/")[2])
            )
        )

    def delete(self, name: str) -> None:
        """Remove an object; one that is gone is no error."""
        self._check(name)
        with around(self._at_step, "delete"):
            self._bucket.delete(name)

    def sweep(self, prefixes: Iterable[str], *, below_token: int) -> int:
        """Return 0: unfinished uploads cannot be listed, cost nothing and expire after a week.

        What this process remembers of such uploads is forgotten.
        """
        wanted = tuple(prefixes)
        for prefix in wanted:
            deepest_folder(prefix, destination=self._name)
        for key in list(self._uploads):
            if key[1] < below_token and key[0].startswith(wanted):
                self._uploads.pop(key, None)
        return 0

    def rights(self) -> str:
        """Return the least role and permissions, for the customer."""
        return least_policy(self._place)

    def close(self) -> None:
        """Close connections. Uploads under way are gone on with by the next call."""
        self._bucket.close()

    def _initiate(self, pending: GcsPending, generation: int) -> Upload:
        with around(self._at_step, "initiate"):
            url = self._bucket.open_session(pending.name, pending.content, over=generation)
        upload = Upload(url, pending.name, pending.content, generation=generation, chunk_bytes=self._place.chunk_bytes)
        self._uploads[_key(pending)] = upload
        return upload

    def _go_on(self, pending: GcsPending, upload: Upload, *, to_end: bool) -> None:
        try:
            with self._bucket.session(pending.name) as http:
                timeout = self._place.timeout_seconds
                upload.go_on(http, to_end=to_end, timeout=timeout, sent=pending.sent, at_step=self._at_step)
        finally:
            if upload.is_dead:
                self._forget(pending)

    def _forget(self, pending: GcsPending) -> None:
        upload = self._uploads.pop(_key(pending), None)
        if upload is not None:
            upload.tell(pending.sent, 0)

    def _finalise(self, pending: GcsPending, generation: int) -> _Written:
        """Send the last chunk; all of them where the server has none: an expired session, a commit done twice."""
        upload = self._uploads.get(_key(pending))
        if upload is None:
            if (standing := self._standing(pending)) is not None:
                return standing
            upload = self._initiate(pending, generation)
        elif upload.generation != generation:
            raise self._changed(pending.name)
        self._go_on(pending, upload, to_end=True)
        self._uploads.pop(_key(pending), None)
        return _Written(upload.generation_written, upload.sums, is_new=True)

    def _upload(self, pending: GcsPending, generation: int) -> _Written:
        """Send everything in one request, with a checksum that the server compares before anybody sees the object."""
        with open_content(pending.content) as source:
            block = source.read()
        sums = Sums()
        sums.add(0, block)
        sums.check(pending.content, pending.name)
        with around(self._at_step, "upload"):
            written = self._bucket.write(pending.name, pending.content, block, over=generation)
        pending.sent(pending.content.bytes)
        return _Written(written, sums, is_new=True)

    def _standing(self, pending: GcsPending) -> _Written | None:
        """Return the generation that stands there if it is this content: a commit done twice, or a lost answer."""
        found = self._bucket.find(pending.name)
        if found is None or int(found.size) != pending.content.bytes:
            return None
        sums = sums_of(pending.content, block_bytes=self._place.chunk_bytes)
        if not is_equal(found, pending.content, sums):
            return None
        return _Written(int(found.generation), sums, is_new=False)

    def _verify(self, pending: GcsPending, written: _Written) -> None:
        """Compare what the server says of the generation, and what it gives back, with what was sent."""
        with around(self._at_step, "verify"):
            found = self._bucket.find(pending.name, written.generation)
            if found is None:
                raise self._bucket.gone(pending.name)
            told = f"{int(found.size):,} bytes, crc32c {found.crc32c}"
            is_right = is_equal(found, pending.content, written.sums)
            if is_right and self._place.reads_back:
                blocks = self._bucket.blocks(pending.name, written.generation, pending.content.bytes)
                _, sha256 = digest_of(blocks, pending.sent)
                told = f"{told}, sha256 {sha256} of the bytes read back"
                is_right = sha256 == pending.content.sha256
        if is_right:
            return
        if written.is_new:
            self._bucket.delete(pending.name, written.generation)
        # What stood there before this commit may be in use, and was right by its checksums: it stays.
        became = "they were removed again" if written.is_new else "they were not touched"
        raise VerificationFailed(
            f"destination '{self._name}' gave other bytes than were sent; {became}",
            where=pending.name,
            expected=f"{pending.content.bytes:,} bytes, crc32c {written.sums.crc32c}, sha256 {pending.content.sha256}",
            found=told,
            todo="run again; if it stays so, check what stands between this machine and the bucket",
        )

    def _check(self, name: str) -> None:
        check_name(name, destination=self._name)
        full = self._place.full_name(name)
        faults = (
            (len(full.encode()) > _NAME_BYTES, f"with the prefix it is longer than {_NAME_BYTES:,} bytes"),
            ("\r" in name or "\n" in name, "it holds a line break"),
            (full.startswith(".well-known/acme-challenge/"), "Google keeps '.well-known/acme-challenge/' for itself"),
        )
        fault = next((text for is_so, text in faults if is_so), None)
        if fault is not None:
            raise DestinationRefused(
                f"destination '{self._name}' cannot take this name: {fault}",
                expected=f"a name of Google Cloud Storage: up to {_NAME_BYTES:,} bytes of UTF-8 without line breaks",
                found=repr(name),
                todo="change the option or the tenant that the name is made of",
            )

    def _changed(self, name: str) -> DestinationChanged:
        return DestinationChanged(
            f"something else came to stand at destination '{self._name}' meanwhile",
            where=name,
            expected="the generation that was looked at, or no object if there was none",
            todo="run again; if it stays so, find out who else writes there",
        )


def _key(pending: GcsPending) -> _Key:
    return pending.name, pending.token, pending.content.sha256


def _generation(standing: Standing | None) -> int:
    """Return the generation that may be replaced; 0 stands for no object."""
    return 0 if standing is None else int(standing.version or 0)

"""Placing: one delivery on its way to one destination, in an order that no reader can mistake.

The order (promises.md section 6): files, their sidecars, what explains them, the manifest's checksum, the manifest, and
where the feed's layout has one the empty marker of the folder. A correction takes the marker away first. A reader that
waits for the manifest, or for the marker, never sees part of a delivery. Every step may be repeated: what is there with
equal content is left as it is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from offramp.domain.contents import Content, text_content
from offramp.domain.deliveries import FileEntry
from offramp.domain.errors import (
    ClaimLost,
    DeliveryRefused,
    DestinationChanged,
    DestinationRefused,
    DestinationUnreachable,
)
from offramp.pipeline.patience import Tries, again
from offramp.pipeline.standing import holds, sha256_of
from offramp.pipeline.uploads import Upload

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from offramp.domain.contents import Standing
    from offramp.domain.deliveries import Claim, Delivery, Staged
    from offramp.domain.manifests import Manifest
    from offramp.domain.ports import Destination, Feed
    from offramp.pipeline.rooms import Patience, Report, Rooms


_SMALL_BYTES = 1024 * 1024


@dataclass(slots=True)
class Placing:
    """One delivery on its way to one destination."""

    rooms: Rooms
    destination: Destination
    claim: Claim
    report: Report
    keep_alive: Callable[[], None]
    patience: Patience
    is_fresh: bool = False
    """True where nothing of ours can stand there yet, so that small files are created without a look before."""

    def publish(self, staged: Staged, manifest: Manifest, *, repairs: bool) -> None:
        """Put files, sidecars, the manifest's checksum and the manifest, in this order."""
        delivery = staged.delivery
        feed = self.rooms.feed_of(delivery.export)
        name = feed.manifest_name(delivery)
        sidecars = _sidecars(feed, delivery, staged.files)
        is_first = self.claim.token == 1 and delivery.supersedes is None and not repairs
        self.is_fresh = self.destination.is_conditional and is_first
        marker = feed.marker_name(delivery)
        markers = () if marker is None else (marker,)
        documents = feed.documents(delivery, self.rooms.exports.values())
        written = (*(file.name for file in staged.files), *sidecars, *documents, f"{name}.sha256", name, *markers)
        try:
            if not self.destination.is_conditional:
                # A run that stands still right before a rename finds nothing to rename any more.
                self._sweep(written, below_token=self.claim.token)
            self._again(name, lambda: self._prepare(delivery, name, manifest, repairs=repairs))
            self._put_all(staged, sidecars, repairs=repairs)
            for document, content in documents.items():
                self._put_small(document, content)
            self.rooms.at_step("publish.manifest")
            self._put_small(f"{name}.sha256", f"{manifest.sha256}  {name.rsplit('/', 1)[-1]}\n".encode())
            self._put_small(name, manifest.content)
            if marker is not None:
                self.rooms.at_step("publish.marker")
                self._put_small(marker, b"")
            # A store creates anew what a correction removed meanwhile: only the claim tells.
            self.rooms.ledger.check(self.claim)
        except ClaimLost:
            self._withdraw(delivery, name, written)
            raise
        try:
            self._sweep(written, below_token=self.claim.token)
        except (DestinationRefused, DestinationUnreachable) as error:
            # Everything arrived and is proved; the next claim of this delivery sweeps again.
            self.report("warning", f"{self.destination.name}: old uploads of {delivery.label} stay: {error.what}")

    def _put_all(self, staged: Staged, sidecars: Mapping[str, bytes], *, repairs: bool) -> None:
        """Put files and sidecars, and remove what the revisions that this one supersedes had more of."""
        delivery = staged.delivery
        superseded = _superseded_files(self.rooms, delivery)
        replaceable = None if repairs else {(file.name, file.sha256) for file in superseded}
        feed = self.rooms.feed_of(delivery.export)
        old_sidecars = _sidecars(feed, delivery, superseded)
        self._remove_old_sidecars({name: old for name, old in old_sidecars.items() if sidecars.get(name) != old})
        for file in staged.files:
            content = Content(staged.parts[file.sha256], file.bytes, file.sha256, file.checksums.get("md5"))
            self._put(file.name, content, replaceable=replaceable)
        self.rooms.at_step("publish.sidecars")
        for sidecar, text in sidecars.items():
            self._put_small(sidecar, text)
        earlier = {file.name for file in superseded} | set(old_sidecars)
        self._remove_stale(earlier - {file.name for file in staged.files} - set(sidecars))

    def _sweep(self, written: Collection[str], *, below_token: int) -> None:
        if below_token > 1:  # else no upload can stand there
            self._again(min(written), lambda: self.destination.sweep(written, below_token=below_token))

    def _withdraw(self, delivery: Delivery, name: str, written: Collection[str]) -> None:
        """Leave nothing behind that no other run would remove: uploads, and the manifest of an old revision."""
        if not self.destination.is_conditional:
            self._sweep(written, below_token=self.claim.token + 1)
        if _is_superseded(self.rooms, delivery):
            for one in (name, f"{name}.sha256"):
                self._again(one, partial(self.destination.delete, one))

    def _prepare(self, delivery: Delivery, name: str, manifest: Manifest, *, repairs: bool) -> None:
        """Refuse another manifest of this revision, or take back the word of the revision that this one supersedes."""
        current = self.destination.stat(name)
        if current is None and delivery.supersedes is None and not repairs:
            self._refuse_a_folder_of_another(delivery)
        if current is None or repairs:
            self._remove_superseded_manifest(delivery)
        if current is not None and not repairs and not self._holds(current, text_content(manifest.content)):
            raise DeliveryRefused(
                "a manifest of this revision with other content is there",
                where=f"{self.destination.name}: {name}",
                expected=f"no manifest, or one with sha256 {manifest.sha256}",
                found=sha256_of(self.destination, current),
                todo="move it away, and run again",
            )

    def _refuse_a_folder_of_another(self, delivery: Delivery) -> None:
        """Refuse a folder whose marker stands before our manifest does: two deliveries would mix under one marker."""
        marker = self.rooms.feed_of(delivery.export).marker_name(delivery)
        if marker is not None and self.destination.stat(marker) is not None:
            raise DeliveryRefused(
                "the folder holds a finished delivery of another day or setting",
                where=f"{self.destination.name}: {marker}",
                expected="a folder of this delivery's own",
                todo="take back the change of options that name folders, such as OFFLOAD_DRIVING_DATE, or move the"
                " folder away if it is nobody's",
            )

    def _again(self, subject: str, work: Callable[[], object], tries: Tries | None = None) -> None:
        again(f"{self.destination.name}: {subject}", work, self.report, tries or Tries(self.patience))

    def _put_small(self, name: str, content: bytes) -> None:
        """Put a sidecar or a manifest: they belong to the delivery that is being written, so any content may go."""
        self._put(name, text_content(content), replaceable=None)

    def _put(self, name: str, content: Content, *, replaceable: Collection[tuple[str, str]] | None) -> None:
        """Put one file under its name, unless it is there. What may pass is tried again from the first look on.

        ``replaceable`` are names with the sha256 of content that may go; None lets any content go.
        """
        tries = Tries(self.patience)
        shown = f"{name} -> {self.destination.name}"
        upload = Upload(shown, content.bytes, self.report, self.keep_alive, tries.moved, tries.further)
        self._again(name, lambda: self._put_once(name, content, upload, replaceable=replaceable), tries)

    def _put_once(
        self, name: str, content: Content, upload: Upload, *, replaceable: Collection[tuple[str, str]] | None
    ) -> None:
        self.keep_alive()
        if self.is_fresh and content.bytes <= _SMALL_BYTES and self._created(name, content, upload):
            return
        current = self.destination.stat(name)
        if current is not None and self._holds(current, content):
            return
        if current is not None and replaceable is not None:
            found = sha256_of(self.destination, current, keep_alive=self.keep_alive)
            if (name, found) not in replaceable:
                raise DeliveryRefused(
                    "another file of this name is there, and nobody asked to replace it",
                    where=f"{self.destination.name}: {name}",
                    expected=f"no file, or one with sha256 {content.sha256}",
                    found=found,
                    todo="move the file away, and run again",
                )
        self._write(name, content, upload, over=current)

    def _created(self, name: str, content: Content, upload: Upload) -> bool:
        """Create a small file at a place that refuses to create over another, and say whether that was possible.

        It saves the look before, a third of the requests.
        """
        try:
            self._write(name, content, upload, over=None)
        except DestinationChanged:
            return False
        return True

    def _write(self, name: str, content: Content, upload: Upload, *, over: Standing | None) -> None:
        self.rooms.at_step("publish.put")
        pending = self.destination.put(name, content, token=self.claim.token, sent=upload)
        self.rooms.ledger.check(self.claim)
        self.rooms.at_step("publish.commit")
        self.destination.commit(pending, over=over)

    def _holds(self, standing: Standing, content: Content) -> bool:
        return holds(self.destination, standing, content, keep_alive=self.keep_alive)

    def _remove_superseded_manifest(self, delivery: Delivery) -> None:
        """Take back the word of the earlier revision before its files change."""
        if delivery.supersedes is None:
            return
        feed = self.rooms.feed_of(delivery.export)
        # Options may have named another folder then.
        for marker in sorted(
            {feed.marker_name(delivery), *_superseded_markers(self.rooms, delivery)} - {None}, key=str
        ):
            self.rooms.ledger.check(self.claim)
            self.rooms.at_step("publish.unmark")
            self.destination.delete(str(marker))
        for revision in range(1, delivery.revision):
            name = feed.manifest_name(replace(delivery, revision=revision))
            self.rooms.ledger.check(self.claim)
            self.rooms.at_step("publish.supersede")
            self.destination.delete(name)
            self.destination.delete(f"{name}.sha256")

    def _remove_old_sidecars(self, sidecars: Mapping[str, bytes]) -> None:
        """Take checksums away before their files change: beside the new file they would speak against it."""

        def remove(name: str, text: bytes) -> None:
            content, standing = text_content(text), self.destination.stat(name)
            if standing is not None and self._holds(standing, content):
                self.rooms.ledger.check(self.claim)
                self.destination.delete(name)

        for name, text in sorted(sidecars.items()):
            self._again(name, partial(remove, name, text))

    def _remove_stale(self, names: Collection[str]) -> None:
        """Remove files of the earlier revision, by its manifest, that this revision no longer has."""
        for name in sorted(names):
            self.rooms.ledger.check(self.claim)
            self.rooms.at_step("publish.stale")
            self._again(name, partial(self.destination.delete, name))


def _is_superseded(rooms: Rooms, delivery: Delivery) -> bool:
    """Return whether a later revision of a delivery was staged."""
    records = rooms.ledger.find(
        subscription=delivery.subscription.id,
        export=delivery.export.name,
        first_day=delivery.data_day,
        last_day=delivery.data_day,
    )
    return any(record.revision > delivery.revision for record in records)


def _sidecars(feed: Feed, delivery: Delivery, files: Iterable[FileEntry]) -> dict[str, bytes]:
    return {name: content for file in files for name, content in feed.sidecars(delivery, file).items()}


def _superseded_markers(rooms: Rooms, delivery: Delivery) -> set[str | None]:
    """Return the markers of earlier revisions, as their manifests have them."""
    contents = (rooms.lake.manifests.content(delivery.id, revision) for revision in range(1, delivery.revision))
    return {json.loads(content).get("marker") for content in contents if content is not None}


def _superseded_files(rooms: Rooms, delivery: Delivery) -> tuple[FileEntry, ...]:
    """Return the files of the revision that this one supersedes, as its manifest has them."""
    if delivery.supersedes is None:
        return ()
    # A correction that itself was made anew did not arrive everywhere: any earlier revision may stand there.
    contents = [rooms.lake.manifests.content(delivery.id, revision) for revision in range(1, delivery.revision)]
    files = [file for content in contents if content is not None for file in json.loads(content)["files"]]
    return tuple(
        FileEntry(
            name=file["name"],
            rows=file["rows"],
            bytes=file["bytes"],
            checksums={name: file[name] for name in ("sha256", "md5") if name in file},
        )
        for file in files
    )

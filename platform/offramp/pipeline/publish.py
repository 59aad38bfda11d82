"""Publish: bring staged parts to every destination, prove that they arrived, and say so with a manifest.

Order at a destination (layout: flat file with sidecar, promises.md section 6): files, their sidecars, the
manifest's checksum, the manifest. A reader that waits for the manifest never sees part of a delivery. Every step
may be repeated: what is there with equal content is left as it is.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from offramp.domain.contents import Content, text_content
from offramp.domain.deliveries import DELIVERED, FileEntry, PlacementRecord, State
from offramp.domain.errors import (
    DeliveryRefused,
    DestinationChanged,
    DestinationRefused,
    DestinationUnreachable,
    VerificationFailed,
)
from offramp.domain.manifests import Manifest, build_manifest
from offramp.pipeline.patience import Tries, again, expect_up, set_down
from offramp.pipeline.rooms import PublishFailure, no_news
from offramp.pipeline.standing import holds, sha256_of
from offramp.pipeline.uploads import Upload

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import date

    from offramp.domain.deliveries import Claim, Delivery, DeliveryRecord, Staged
    from offramp.domain.ports import Destination, Feed
    from offramp.pipeline.rooms import Report, Rooms

_FAILURES = (DestinationRefused, DestinationUnreachable, DestinationChanged, VerificationFailed, DeliveryRefused)


def manifest_of(rooms: Rooms, staged: Staged) -> Manifest:
    """Build the manifest of a staged delivery from the landing that it was made of."""
    delivery = staged.delivery
    source = rooms.source_of(delivery.export).name
    landing = rooms.lake.landings.get(source, delivery.landing_id or "")
    format_name, options = rooms.feed_of(delivery.export).format(delivery.subscription, delivery.export)
    return build_manifest(
        staged,
        data_as_of=landing.data_as_of,
        safety_lag_seconds=int(rooms.safety_lag.total_seconds()),
        cut_by=delivery.export.contract.change_column if delivery.window else None,
        dialect={"type": format_name.value, **rooms.formats[format_name].dialect(options)},
        verification={
            name: rooms.destination(name, delivery.subscription).verified_by for name in rooms.destinations_of(delivery)
        },
        versions=rooms.versions,
    )


def publish(
    rooms: Rooms,
    staged: Staged,
    claim: Claim,
    report: Report,
    *,
    record: DeliveryRecord | None = None,
    repairs: bool = False,
    behind: Mapping[str, date] | None = None,
    keep_alive: Callable[[], None] = no_news,
) -> tuple[PublishFailure, ...]:
    """Publish to every destination of the subscription; one that fails delays no other.

    ``record`` is what the ledger knows of parts that were staged earlier. A destination that has them is left
    alone, for its recipient may have taken the files away; with ``repairs`` they are put back there, whatever stands
    in their place, since that was asked for. ``behind`` are destinations that still miss an earlier day: they get
    nothing newer first. ``keep_alive`` is called before each upload. Returns the failures; without any, what was
    staged is published in the ledger. Raises ClaimLost at once.
    """
    delivery = staged.delivery
    manifest = _kept_manifest(rooms, staged)
    placed = {one.destination for one in record.placements if one.state in DELIVERED} if record else set()
    names = [name for name in rooms.destinations_of(delivery) if repairs or name not in placed]
    was_delivered = record is not None and record.state in DELIVERED

    def one(name: str) -> PublishFailure | None:
        is_own = repairs and (was_delivered or name in placed)
        try:
            expect_up(rooms, name)
            _expect_in_order(delivery, name, behind or {})
            placing = _Placing(rooms, rooms.destination(name, delivery.subscription), claim, report, keep_alive)
            placing.publish(staged, manifest, repairs=is_own)
        except _FAILURES as error:
            set_down(rooms, name, error)
            # A repair that fails takes back nothing: the files there are still this delivery's own.
            state = State.PUBLISHED if is_own else State.FAILED
            rooms.ledger.place(claim, PlacementRecord(name, state, error=str(error)), now=rooms.clock())
            return PublishFailure(delivery, name, str(error))
        rooms.at_step("publish.placed")
        placement = PlacementRecord(name, State.PUBLISHED, verified_by=placing.destination.verified_by)
        rooms.ledger.place(claim, placement, now=rooms.clock())
        report("publish", f"{delivery.label} -> {name}", rows=staged.rows, bytes_=staged.bytes)
        return None

    if len(names) > 1:
        with ThreadPoolExecutor(max_workers=min(rooms.publish_parallel, len(names))) as pool:
            failures = tuple(failure for failure in pool.map(one, names) if failure is not None)
    else:
        failures = tuple(failure for failure in map(one, names) if failure is not None)
    if was_delivered:
        return failures
    if failures:
        first = failures[0]
        rooms.ledger.advance(claim, State.STAGED, now=rooms.clock(), error=f"{first.destination}: {first.error}")
    else:
        rooms.at_step("publish.ledger")
        rooms.ledger.advance(claim, State.PUBLISHED, now=rooms.clock())
    return failures


def _expect_in_order(delivery: Delivery, name: str, behind: Mapping[str, date]) -> None:
    if name in behind:
        raise DeliveryRefused(
            "an earlier delivery has not arrived there yet, and days arrive in order",
            where=f"{name}: {delivery.label}",
            expected=f"the delivery of {behind[name]}",
            todo="mend the destination and run again: all that is staged goes out, oldest first",
        )


def _kept_manifest(rooms: Rooms, staged: Staged) -> Manifest:
    """Return the manifest that the parts were first published with, else build and keep it.

    The settings and the versions of today do not say how parts of yesterday were made.
    """
    delivery = staged.delivery
    content = rooms.lake.manifests.content(delivery.id, delivery.revision)
    if content is not None:
        kept = json.loads(content)
        if [(one["name"], one["sha256"]) for one in kept["files"]] == [(one.name, one.sha256) for one in staged.files]:
            return Manifest(kept)
    manifest = manifest_of(rooms, staged)
    rooms.lake.manifests.keep(delivery.id, delivery.revision, manifest.content)
    return manifest


@dataclass(slots=True)
class _Placing:
    """One delivery on its way to one destination."""

    rooms: Rooms
    destination: Destination
    claim: Claim
    report: Report
    keep_alive: Callable[[], None]

    def publish(self, staged: Staged, manifest: Manifest, *, repairs: bool) -> None:
        """Put files, sidecars, the manifest's checksum and the manifest, in this order."""
        delivery = staged.delivery
        feed = self.rooms.feed_of(delivery.export)
        name = feed.manifest_name(delivery)
        self._again(name, lambda: self._prepare(delivery, name, manifest, repairs=repairs))
        superseded = _superseded_files(self.rooms, delivery)
        replaceable = None if repairs else {(file.name, file.sha256) for file in superseded}
        self._put_files(staged, replaceable)
        self.rooms.at_step("publish.sidecars")
        sidecars = _sidecars(feed, delivery, staged.files)
        for sidecar, text in sidecars.items():
            self._put_small(sidecar, text)
        # A checksum beside an earlier file would speak against the new one.
        earlier = {file.name for file in superseded} | set(_sidecars(feed, delivery, superseded))
        self._remove_stale(earlier - {file.name for file in staged.files} - set(sidecars))
        self.rooms.at_step("publish.manifest")
        self._put_small(f"{name}.sha256", f"{manifest.sha256}  {name.rsplit('/', 1)[-1]}\n".encode())
        self._put_small(name, manifest.content)
        if self.claim.token > 1:  # else no upload of an earlier run can stand there
            written = (*(file.name for file in staged.files), *sidecars, f"{name}.sha256", name)
            self._again(name, lambda: self.destination.sweep(written, below_token=self.claim.token))
        if self.claim.token > 1 or delivery.supersedes is not None:
            # Where a place has no conditional write, a run that was taken for dead may have given an older file its
            # name between its check of the claim and its rename: a last look finds that and puts ours back.
            self._put_files(staged, replaceable)

    def _put_files(self, staged: Staged, replaceable: Collection[tuple[str, str]] | None) -> None:
        for file in staged.files:
            content = Content(staged.parts[file.sha256], file.bytes, file.sha256, file.checksums.get("md5"))
            self._put(file.name, content, replaceable=replaceable)

    def _prepare(self, delivery: Delivery, name: str, manifest: Manifest, *, repairs: bool) -> None:
        """Refuse another manifest of this revision, or take back the word of the revision that this one supersedes."""
        current = self.destination.stat(name)
        if current is None:
            self._remove_superseded_manifest(delivery)
        elif not repairs and not holds(self.destination, current, len(manifest.content), manifest.sha256):
            raise DeliveryRefused(
                "a manifest of this revision with other content is there",
                where=f"{self.destination.name}: {name}",
                expected=f"no manifest, or one with sha256 {manifest.sha256}",
                found=sha256_of(self.destination, current),
                todo="move it away, and run again",
            )

    def _again(self, subject: str, work: Callable[[], object], tries: Tries | None = None) -> None:
        again(self.rooms, f"{self.destination.name}: {subject}", work, self.report, tries)

    def _put_small(self, name: str, content: bytes) -> None:
        """Put a sidecar or a manifest: they belong to the delivery that is being written, so any content may go."""
        self._put(name, text_content(content), replaceable=None)

    def _put(self, name: str, content: Content, *, replaceable: Collection[tuple[str, str]] | None) -> None:
        """Put one file under its name, unless it is there. What may pass is tried again from the first look on.

        ``replaceable`` are names with the sha256 of content that may go; None lets any content go.
        """
        tries = Tries(self.rooms.patience)
        shown = f"{name} -> {self.destination.name}"
        upload = Upload(shown, content.bytes, self.report, self.keep_alive, tries.further)
        self._again(name, lambda: self._put_once(name, content, upload, replaceable=replaceable), tries)

    def _put_once(
        self, name: str, content: Content, upload: Upload, *, replaceable: Collection[tuple[str, str]] | None
    ) -> None:
        current = self.destination.stat(name)
        if current is not None and holds(self.destination, current, content.bytes, content.sha256):
            return
        if current is not None and replaceable is not None:
            found = sha256_of(self.destination, current)
            if (name, found) not in replaceable:
                raise DeliveryRefused(
                    "another file of this name is there, and nobody asked to replace it",
                    where=f"{self.destination.name}: {name}",
                    expected=f"no file, or one with sha256 {content.sha256}",
                    found=found,
                    todo="move the file away, and run again",
                )
        self.keep_alive()
        self.rooms.at_step("publish.put")
        pending = self.destination.put(name, content, token=self.claim.token, sent=upload)
        self.rooms.ledger.check(self.claim)
        self.rooms.at_step("publish.commit")
        self.destination.commit(pending, over=current)

    def _remove_superseded_manifest(self, delivery: Delivery) -> None:
        """Take back the word of the earlier revision before its files change."""
        if delivery.supersedes is None:
            return
        for revision in range(1, delivery.revision):
            name = self.rooms.feed_of(delivery.export).manifest_name(replace(delivery, revision=revision))
            self.rooms.ledger.check(self.claim)
            self.rooms.at_step("publish.supersede")
            self.destination.delete(name)
            self.destination.delete(f"{name}.sha256")

    def _remove_stale(self, names: Collection[str]) -> None:
        """Remove files of the earlier revision, by its manifest, that this revision no longer has."""
        for name in sorted(names):
            self.rooms.ledger.check(self.claim)
            self.rooms.at_step("publish.stale")
            self._again(name, partial(self.destination.delete, name))


def _sidecars(feed: Feed, delivery: Delivery, files: Iterable[FileEntry]) -> dict[str, bytes]:
    return {name: content for file in files for name, content in feed.sidecars(delivery, file).items()}


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

"""Publish: bring staged parts to every destination, prove that they arrived, and say so with a manifest.

Order at a destination (layout: flat file with sidecar, promises.md section 6): files, their sidecars, the
manifest's checksum, the manifest. A reader that waits for the manifest never sees part of a delivery. Every step
may be repeated: what is there with equal content is left as it is.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from offramp.domain.deliveries import DELIVERED, PlacementRecord, State
from offramp.domain.errors import (
    DeliveryRefused,
    DestinationRefused,
    DestinationUnreachable,
    VerificationFailed,
)
from offramp.domain.manifests import Manifest, build_manifest
from offramp.pipeline.rooms import PublishFailure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from offramp.domain.deliveries import Claim, Delivery, DeliveryRecord, Staged
    from offramp.domain.ports import Destination
    from offramp.pipeline.rooms import Report, Rooms

_READ_BACK = "read_back"


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
) -> tuple[PublishFailure, ...]:
    """Publish to every destination of the subscription; one that fails delays no other.

    ``record`` is what the ledger knows of parts that were staged earlier. A destination that has them is left
    alone, for its recipient may have taken the files away; with ``repairs`` they are put back there, whatever stands
    in their place, since that was asked for. ``behind`` are destinations that still miss an earlier day: they get
    nothing newer first. Returns the failures; without any, what was staged is published in the ledger. Raises
    ClaimLost at once.
    """
    delivery = staged.delivery
    manifest = _kept_manifest(rooms, staged)
    placed = {one.destination for one in record.placements if one.state in DELIVERED} if record else set()
    names = [name for name in delivery.subscription.destinations if repairs or name not in placed]
    was_delivered = record is not None and record.state in DELIVERED

    def one(name: str) -> PublishFailure | None:
        is_own = repairs and (was_delivered or name in placed)
        try:
            _expect_in_order(delivery, name, behind or {})
            destination = rooms.destination(name, delivery.subscription)
            _publish_to(rooms, destination, staged, manifest, claim, repairs=is_own)
        except (DestinationRefused, DestinationUnreachable, VerificationFailed, DeliveryRefused) as error:
            # A repair that fails takes back nothing: the files there are still this delivery's own.
            state = State.PUBLISHED if is_own else State.FAILED
            placement = PlacementRecord(name, state, error=str(error))
            rooms.ledger.place(claim, placement, now=rooms.clock())
            return PublishFailure(delivery, name, str(error))
        rooms.at_step("publish.placed")
        rooms.ledger.place(claim, PlacementRecord(name, State.PUBLISHED, verified_by=_READ_BACK), now=rooms.clock())
        report("publish", f"{delivery.label} -> {name}", rows=staged.rows, bytes_=staged.bytes)
        return None

    with ThreadPoolExecutor(max_workers=max(1, min(rooms.publish_parallel, len(names)))) as pool:
        failures = tuple(failure for failure in pool.map(one, names) if failure is not None)
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
        raise DestinationUnreachable(
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


def _publish_to(
    rooms: Rooms, destination: Destination, staged: Staged, manifest: Manifest, claim: Claim, *, repairs: bool
) -> None:
    delivery = staged.delivery
    feed = rooms.feed_of(delivery.export)
    name = feed.manifest_name(delivery)
    current = destination.head(name)
    if current is not None and current.sha256 != manifest.sha256 and not repairs:
        raise DeliveryRefused(
            "a manifest of this revision with other content is there",
            where=f"{destination.name}: {name}",
            expected=f"no manifest, or one with sha256 {manifest.sha256}",
            found=current.sha256,
            todo="a correction has to be asked for: offramp redeliver --correct --reason '...'",
        )
    if current is None:
        _remove_superseded_manifest(rooms, destination, delivery, claim)
    superseded = _superseded_files(rooms, delivery)
    replaceable = None if repairs else {name: str(file["sha256"]) for name, file in superseded.items()}
    for file in staged.files:
        part = staged.parts[file.sha256]
        _put(rooms, destination, file.name, part, claim, sha256=file.sha256, replaceable=replaceable)
    rooms.at_step("publish.sidecars")
    sidecars: dict[str, bytes] = {}
    for file in staged.files:
        sidecars |= feed.sidecars(delivery, file)
    for sidecar, content in sidecars.items():
        _put_small(rooms, destination, sidecar, content, claim, replaceable=None)
    # A checksum beside an earlier file would speak against the new one.
    earlier = {*superseded, *(f"{name}.md5" for name, file in superseded.items() if "md5" in file)}
    _remove_stale(rooms, destination, earlier - {file.name for file in staged.files} - set(sidecars), claim)
    rooms.at_step("publish.manifest")
    checksum = f"{manifest.sha256}  {name.rsplit('/', 1)[-1]}\n".encode()
    _put_small(rooms, destination, f"{name}.sha256", checksum, claim, replaceable=None)
    _put_small(rooms, destination, name, manifest.content, claim, replaceable=None)
    for written in (*(file.name for file in staged.files), *sidecars, f"{name}.sha256", name):
        destination.sweep(written, below_token=claim.token)


def _put_small(
    rooms: Rooms,
    destination: Destination,
    name: str,
    content: bytes,
    claim: Claim,
    *,
    replaceable: Mapping[str, str] | None,
) -> None:
    _put(rooms, destination, name, content, claim, sha256=hashlib.sha256(content).hexdigest(), replaceable=replaceable)


def _put(
    rooms: Rooms,
    destination: Destination,
    name: str,
    content: Path | bytes,
    claim: Claim,
    *,
    sha256: str,
    replaceable: Mapping[str, str] | None,
) -> None:
    """Put one file under its name, unless it is there. ``replaceable`` maps names to the content that may go.

    None lets any content go: sidecars and manifests belong to the delivery that is being written.
    """
    current = destination.head(name)
    if current is not None and current.sha256 == sha256:
        return
    if current is not None and replaceable is not None and replaceable.get(name) != current.sha256:
        raise DeliveryRefused(
            "another file of this name is there, and nobody asked to replace it",
            where=f"{destination.name}: {name}",
            expected=f"no file, or one with sha256 {sha256}",
            found=current.sha256,
            todo="move the file away, or ask for a correction: offramp redeliver --correct --reason '...'",
        )
    rooms.at_step("publish.put")
    pending = destination.put(name, content, token=claim.token)
    if pending.sha256 != sha256:
        raise VerificationFailed(
            "the bytes read back are not the bytes that were sent",
            where=f"{destination.name}: {name}",
            expected=f"sha256 {sha256}",
            found=f"sha256 {pending.sha256} ({pending.bytes:,} bytes)",
            todo="run again; if it stays, check the disk or the network of the destination",
        )
    rooms.ledger.check(claim)
    rooms.at_step("publish.commit")
    destination.commit(pending)


def _superseded_files(rooms: Rooms, delivery: Delivery) -> dict[str, Mapping[str, object]]:
    """Return the files of the revision that this one supersedes, by name, as its manifest has them."""
    if delivery.supersedes is None:
        return {}
    content = rooms.lake.manifests.content(delivery.id, delivery.supersedes)
    return {str(file["name"]): file for file in json.loads(content)["files"]} if content is not None else {}


def _remove_superseded_manifest(rooms: Rooms, destination: Destination, delivery: Delivery, claim: Claim) -> None:
    """Take back the word of the earlier revision before its files change."""
    if delivery.supersedes is None:
        return
    name = rooms.feed_of(delivery.export).manifest_name(replace(delivery, revision=delivery.supersedes))
    rooms.ledger.check(claim)
    rooms.at_step("publish.supersede")
    destination.delete(name)
    destination.delete(f"{name}.sha256")


def _remove_stale(rooms: Rooms, destination: Destination, names: set[str], claim: Claim) -> None:
    """Remove files of the earlier revision, by its manifest, that this revision no longer has."""
    for name in sorted(names):
        rooms.ledger.check(claim)
        rooms.at_step("publish.stale")
        destination.delete(name)

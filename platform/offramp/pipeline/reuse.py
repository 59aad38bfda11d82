"""Snapshots that hold what an earlier one of this process held: their parts are in the lake already.

A landing refers to the earlier files of a table that did not change. The same files, with the settings and the project
that rooms are opened with, give a subscription the same bytes; so neither rows nor their counts are asked for again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from offramp.domain.deliveries import Staged
from offramp.domain.exports import Mode
from offramp.pipeline.relations import files_read

if TYPE_CHECKING:
    from collections.abc import Hashable

    from offramp.domain.deliveries import Counts, Delivery, FileEntry
    from offramp.pipeline.rooms import Rooms


@dataclass(frozen=True, slots=True)
class Made:
    """The files that were made of a snapshot, named for the delivery they were made for, and its counts."""

    files: tuple[FileEntry, ...]
    counts: Counts


def made_before(rooms: Rooms, delivery: Delivery) -> Staged | None:
    """Return a delivery with parts that were made in these rooms of the same files, or None where it is to be made.

    Each part is read and its checksum compared. What was asked for again, a correction, is made again.
    """
    key = _key(rooms, delivery)
    found = rooms.made.get(key) if key is not None else None
    if found is None or delivery.supersedes is not None:
        return None
    feed, parts = rooms.feed_of(delivery.export), rooms.lake.parts
    count = feed.part_count(delivery, found.counts.rows, found.counts.rows)
    if count != len(found.files) or not all(parts.verify(file.sha256) for file in found.files):
        return None
    files = tuple(
        replace(file, name=feed.rows_name(delivery, number + 1, count)) for number, file in enumerate(found.files)
    )
    return Staged(delivery, files, found.counts, {file.sha256: parts.path(file.sha256) for file in files})


def remember(rooms: Rooms, staged: Staged) -> None:
    """Remember what a snapshot was made of; deltas depend on their window too."""
    key = _key(rooms, staged.delivery)
    if key is not None:
        rooms.made.put(key, Made(staged.files, staged.counts))


def _key(rooms: Rooms, delivery: Delivery) -> Hashable:
    export = delivery.export
    if export.mode is not Mode.SNAPSHOT or export.model.part_key is not None:
        return None
    landing = rooms.lake.landings.get(rooms.source_of(export).name, delivery.landing_id or "")
    read = files_read(rooms, landing, rooms.compiled(export.model, prefix="now_").relations)
    return (delivery.subscription.id, export.name, delivery.contract.fingerprint, read)

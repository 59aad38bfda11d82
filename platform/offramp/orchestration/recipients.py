"""Recipients as external assets: a calendar of the days on which each has everything it is owed."""

from __future__ import annotations

import hashlib
from itertools import groupby
from typing import TYPE_CHECKING

import dagster as dg

from offramp.domain.deliveries import DELIVERED, DeliveryRecord, State
from offramp.domain.windows import tick_of
from offramp.orchestration.describe import table
from offramp.orchestration.keys import export_key, recipient_key
from offramp.pipeline.plan import latest_revision

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from offramp.domain.exports import Export
    from offramp.domain.ports import Feed
    from offramp.domain.subscriptions import Subscription
    from offramp.pipeline.rooms import Rooms

_COMPLETION = "offramp/completion"


def recipient_assets(
    subscriptions: Sequence[Subscription],
    exports: Iterable[Export],
    feeds: Mapping[str, Feed],
    partitions: dg.PartitionsDefinition[str],
) -> list[dg.AssetSpec]:
    """Return an external asset per recipient and feed, downstream of the exports that it takes."""
    known = tuple(exports)
    specs = []
    for (recipient, feed), mine in by_owner(subscriptions):
        taken = [
            export for export in known if any(_cron(feeds, subscription, export) is not None for subscription in mine)
        ]
        specs.append(
            dg.AssetSpec(
                recipient_key(recipient, feed),
                deps=[export_key(export) for export in taken],
                group_name="recipients",
                description=f"What {recipient} receives of {feed}. A day is filled once all of its files are"
                f" published. Subscriptions: {', '.join(one.id for one in mine)}.",
                partitions_def=partitions,
                metadata={
                    "tenants": ", ".join(sorted({tenant for one in mine for tenant in one.tenants})),
                    "destinations": ", ".join(sorted({name for one in mine for name in one.destinations})),
                },
            )
        )
    return specs


def mark_complete(
    instance: dg.DagsterInstance, rooms: Rooms, feed: str, days: Iterable[date], recipients: Iterable[str]
) -> None:
    """Report the days on which a recipient has everything, once per set of revisions."""
    for recipient in sorted(set(recipients)):
        for day in sorted(set(days)):
            held = _held(rooms, recipient, feed, day)
            if held:
                _report_once(instance, recipient_key(recipient, feed), day, held)


def _held(rooms: Rooms, recipient: str, feed: str, day: date) -> tuple[DeliveryRecord, ...]:
    """Return the deliveries of a recipient's day if it has all that are due on it, else nothing."""
    records = rooms.ledger.find(recipient=recipient, feed=feed, first_day=day, last_day=day)
    held = []
    for subscription in rooms.subscriptions:
        if (subscription.recipient, subscription.feed) != (recipient, feed) or day < subscription.starts_on:
            continue
        for export in rooms.exports.values():
            cron = _cron(rooms.feeds, subscription, export)
            if cron is None or tick_of(cron, day) is None:
                continue
            mine = (one for one in records if one.subscription_id == subscription.id and one.export == export.name)
            newest = latest_revision(mine, day)
            if newest is None or not _is_done(newest):
                return ()
            held.append(newest)
    return tuple(held)


def _is_done(record: DeliveryRecord) -> bool:
    return record.state in DELIVERED or (record.state is State.SUPERSEDED and record.covered_by is not None)


def _report_once(instance: dg.DagsterInstance, key: dg.AssetKey, day: date, held: Sequence[DeliveryRecord]) -> None:
    # Two runs that finish one day in the same instant may both report; equal marks do no harm.
    revisions = "|".join(sorted(f"{one.delivery_id}.{one.revision}" for one in held))
    completion = hashlib.sha256(revisions.encode()).hexdigest()[:16]
    wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[day.isoformat()])
    for known in instance.fetch_materializations(wanted, limit=1).records:
        materialization = known.asset_materialization
        if materialization is not None and (materialization.tags or {}).get(_COMPLETION) == completion:
            return
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            asset_key=key,
            partition=day.isoformat(),
            tags={_COMPLETION: completion},
            metadata={
                "dagster/partition_row_count": sum(one.rows or 0 for one in held),
                "bytes": sum(one.bytes or 0 for one in held),
                "files": sum(len(one.files) for one in held),
                "deliveries": table(
                    ["export", "rows", "bytes", "files", "revision"],
                    [[one.export, one.rows or 0, one.bytes or 0, ", ".join(one.files), one.revision] for one in held],
                ),
            },
        )
    )


def by_owner(subscriptions: Iterable[Subscription]) -> Iterator[tuple[tuple[str, str], tuple[Subscription, ...]]]:
    """Yield recipient and feed with the subscriptions that they have, sorted."""
    for owner, group in groupby(sorted(subscriptions, key=_owner), key=_owner):
        yield owner, tuple(group)


def _owner(subscription: Subscription) -> tuple[str, str]:
    return (subscription.recipient, subscription.feed)


def _cron(feeds: Mapping[str, Feed], subscription: Subscription, export: Export) -> str | None:
    return feeds[export.feed].cron(subscription, export) if subscription.feed == export.feed else None

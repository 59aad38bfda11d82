"""The last step of a run: what no destination took is tried once more, and what still waits fails the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

from offramp.domain.deliveries import State
from offramp.domain.errors import OfframpError
from offramp.domain.wording import some_of
from offramp.orchestration.daily_assets import daily_asset
from offramp.orchestration.days import days_of
from offramp.orchestration.describe import table
from offramp.orchestration.keys import deliveries_key, export_key
from offramp.orchestration.recipients import mark_complete
from offramp.orchestration.run_tags import options_of
from offramp.orchestration.workplace import WORKPLACE, Workplace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from offramp.domain.exports import Export
    from offramp.pipeline.plan import PlanOptions
    from offramp.pipeline.rooms import PublishFailure, Rooms


def deliveries_asset(
    feed: str, exports: Sequence[Export], partitions: dg.PartitionsDefinition[str]
) -> dg.AssetsDefinition:
    """Return the asset that follows all exports of a feed."""
    key = deliveries_key(feed)
    spec = dg.AssetSpec(
        key,
        deps=[export_key(export) for export in exports],
        group_name=feed,
        description=f"Every delivery of {feed} has reached every destination. What is staged and not published is"
        " tried once more; what still waits fails the run and is named.",
        kinds={"python"},
    )

    def publish(context: dg.AssetExecutionContext) -> Iterator[dg.AssetMaterialization | dg.MaterializeResult[None]]:
        workplace: Workplace = getattr(context.resources, WORKPLACE)
        rooms = workplace.rooms
        try:
            options = options_of(context.run.tags, (one.recipient for one in rooms.subscriptions))
        except OfframpError as error:
            raise dg.Failure(str(error)) from error
        waiting: dict[date, list[str]] = {}
        for day in days_of(context):
            waiting[day] = _retry(context, workplace, feed, day, options)
            recipients = {one.recipient for one in rooms.subscriptions if one.feed == feed}
            mark_complete(context.instance, rooms, feed, {day, *workplace.touched(feed, day)}, recipients)
            context.add_asset_metadata(_day_metadata(rooms, feed, day), key, day.isoformat())
        lines = [f"{day}: {line}" for day, found in waiting.items() for line in found]
        if lines:
            for day in (day for day, found in waiting.items() if not found):
                metadata = _day_metadata(rooms, feed, day)
                yield dg.AssetMaterialization(key, partition=day.isoformat(), metadata=metadata)
            raise dg.Failure(
                "not every destination has what it is owed; the next run does only that\n" + "\n".join(lines)
            )
        yield dg.MaterializeResult()

    return daily_asset(spec, publish, partitions=partitions)


def _retry(
    context: dg.AssetExecutionContext, workplace: Workplace, feed: str, day: date, options: PlanOptions
) -> list[str]:
    """Publish what is staged up to a day, oldest first, and say what still waits and why."""
    # The rooms behind it load pyarrow and polars, which the code location does not wait for.
    from offramp.pipeline.deliver import publish_waiting  # noqa: PLC0415

    rooms = workplace.rooms
    lines = []
    failures: list[PublishFailure] = []
    waiting = {record.export for record in rooms.ledger.find(feed=feed, last_day=day, states=[State.STAGED])}
    for export in (rooms.exports[name] for name in sorted(waiting & set(rooms.exports))):
        try:
            report = publish_waiting(rooms, export, day, options.recipients, workplace.told(context.log))
        except OfframpError as error:
            lines.append(f"{export.name}: {error}")
            continue
        mark_complete(context.instance, rooms, feed, report.days, {one.recipient for one in rooms.subscriptions})
        failures += report.failures
    return lines + list(_told_once(failures))


def _told_once(failures: Sequence[PublishFailure]) -> Iterator[str]:
    """Yield a text per recipient, destination and reason: a dead one is dead for a hundred exports alike."""
    same: dict[tuple[str, str, str], list[str]] = {}
    for failure in failures:
        key = (failure.delivery.subscription.recipient, failure.destination, failure.error)
        same.setdefault(key, []).append(failure.delivery.label)
    for (recipient, destination, error), labels in same.items():
        yield f"{recipient}: {destination} has not got {some_of(labels)}: {error}"


def _day_metadata(rooms: Rooms, feed: str, day: date) -> dict[str, Any]:
    """Return what the day's deliveries came to, by recipient."""
    records = [
        one
        for one in rooms.ledger.find(feed=feed, first_day=day, last_day=day)
        if one.state not in {State.SUPERSEDED, State.PLANNED}
    ]
    recipients = sorted({one.recipient for one in records})
    lines = []
    for recipient in recipients:
        mine = [one for one in records if one.recipient == recipient]
        states = {state: sum(one.state is state for one in mine) for state in State}
        said = ", ".join(f"{count} {state.value}" for state, count in states.items() if count)
        lines.append([recipient, said, sum(one.rows or 0 for one in mine), sum(one.bytes or 0 for one in mine)])
    return {
        "deliveries": len(records),
        "recipients": table(["recipient", "deliveries", "rows", "bytes"], lines),
    }

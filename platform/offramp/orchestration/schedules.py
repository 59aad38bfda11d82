"""Jobs and schedules: exports that are due at the same time run together, so that start-up is paid once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from offramp.domain.layers import feed_of_layers
from offramp.domain.windows import DAY
from offramp.orchestration.keys import deliveries_key, export_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from offramp.domain.exports import Export
    from offramp.domain.ports import Feed
    from offramp.domain.subscriptions import Subscription
    from offramp.orchestration.layers import Steps

_AFTER_THE_LAG = timedelta(minutes=3)

_DAILY = re.compile(r"^(?P<minute>\d{1,2}) (?P<hour>\d{1,2}) \* \* \*$")


@dataclass(frozen=True, slots=True)
class Timetable:
    """The exports of a feed that some subscription wants at a cron's time."""

    feed: str
    cron: str
    exports: tuple[Export, ...]

    @property
    def name(self) -> str:
        """``media_at_00_10``; another cron than a daily one is spelt out."""
        daily = _DAILY.match(self.cron)
        if daily:
            return f"{self.feed}_at_{int(daily['hour']):02}_{int(daily['minute']):02}"
        spelt = self.cron.replace("*", "x").replace("/", " by ").replace("-", " to ").replace(",", " and ")
        return f"{self.feed}_cron_{re.sub('[^0-9a-z]+', '_', spelt.lower())}"

    @property
    def described(self) -> str:
        """The entities by mode, for the schedule's page."""
        modes = sorted({export.mode for export in self.exports})
        lists = [
            f"{mode}: {', '.join(export.entity for export in self.exports if export.mode is mode)}" for mode in modes
        ]
        return f"`{self.cron}` UTC, for the day before. {'; '.join(lists)}."


def timetables(
    subscriptions: Sequence[Subscription], exports: Iterable[Export], feeds: Mapping[str, Feed]
) -> tuple[Timetable, ...]:
    """Group exports by feed and by the crons that subscriptions give them, in the order of names."""
    found: dict[tuple[str, str], list[Export]] = {}
    for export in exports:
        mine = [one for one in subscriptions if one.feed == export.feed]
        crons = {feeds[export.feed].cron(subscription, export) for subscription in mine}
        for cron in sorted(" ".join(one.split()) for one in crons if one):
            found.setdefault((export.feed, cron), []).append(export)
    tables = (Timetable(feed, cron, tuple(taken)) for (feed, cron), taken in found.items())
    return tuple(sorted(tables, key=lambda one: one.name))


def schedule_of(timetable: Timetable, steps: Steps, first_day: date) -> dg.ScheduleDefinition:
    """Return the schedule of a timetable with its job: what its exports are made of, they, and the feed's last step."""
    keys = [
        *steps.before(export.model for export in timetable.exports),
        *(export_key(export) for export in timetable.exports),
        deliveries_key(timetable.feed),
    ]
    return _schedule(timetable.name, timetable.cron, keys, first_day, described=timetable.described)


def layer_schedules(
    subscriptions: Iterable[Subscription], steps: Steps, first_day: date, *, safety_lag: timedelta
) -> Iterator[dg.ScheduleDefinition]:
    """Yield a schedule for each feed that somebody takes and whose layers go on from day to day.

    They need every day, also where exports are due once a week.
    """
    # Right after the safety lag, before anything that reads layers is due.
    minutes = (safety_lag + _AFTER_THE_LAG) // timedelta(minutes=1)
    cron = f"{minutes % 60} {minutes // 60 % 24} * * *"
    for source, layers in steps.layers.items():
        feed = feed_of_layers(source)
        carried = [name for name, layer in layers.items() if layer.is_carried]
        if carried and any(one.feed == feed for one in subscriptions):
            described = f"`{cron}` UTC, for the day before: {', '.join(carried)}, which go on from day to day."
            yield _schedule(source, cron, steps.below(source, carried), first_day, described=described)


def _schedule(
    name: str, cron: str, keys: Sequence[dg.AssetKey], first_day: date, *, described: str
) -> dg.ScheduleDefinition:
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        data_day = context.scheduled_execution_time.astimezone(UTC).date() - DAY
        if data_day < first_day:
            return dg.SkipReason(f"{data_day} lies before first_day ({first_day})")
        return dg.RunRequest(partition_key=data_day.isoformat())

    return dg.ScheduleDefinition(
        name=name,
        job=dg.define_asset_job(
            name,
            selection=dg.AssetSelection.assets(*keys),
            executor_def=dg.in_process_executor,
            description=described,
        ),
        cron_schedule=cron,
        execution_timezone="UTC",
        execution_fn=tick,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=described,
    )

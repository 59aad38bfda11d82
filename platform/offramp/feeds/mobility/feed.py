"""The mobility feed: lifestyle layers and the day's driving, computed from the fixes of phones."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from offramp.domain.exports import EntityKind, Export, FormatName, Mode
from offramp.domain.windows import DAY, Window, midnight, ticks_between
from offramp.feeds import jobs
from offramp.feeds.mobility import naming
from offramp.feeds.mobility import options as mobility_options
from offramp.feeds.mobility.driving.layer import DrivingLayer
from offramp.feeds.mobility.options import AS_SAMPLED, CSV
from offramp.feeds.mobility.timeline.layer import TimelineLayer
from offramp.feeds.mobility.visits.layer import VisitsLayer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from offramp.domain.deliveries import Delivery, FileEntry
    from offramp.domain.exports import Model
    from offramp.domain.layers import Layer
    from offramp.domain.subscriptions import Subscription

_APP_ID = re.compile(r"^[0-9a-f]{24}$")
# The samples have these two as JSON lines and all others as CSV (mobility_offloads.md section 1).
_JSON_ENTITIES = frozenset({"driving_events_realtime", "mapped_waypoints_realtime"})
# Every cron without a date shows within a year all times of day at which it fires.
_YEAR_START = datetime(2026, 1, 1, tzinfo=UTC)
_YEAR_END = _YEAR_START + timedelta(days=366)
_WITH_DOCUMENTS = frozenset({"stationaries", "transports_realtime"})
_MODES = {
    EntityKind.COMPUTED: Mode.OFFLOAD,
    EntityKind.EVENTS: Mode.DELTA,
    EntityKind.REFERENCE: Mode.SNAPSHOT,
}


class MobilityFeed:
    """What the mobility feed computes and exports, when, and under which names. It keeps no state."""

    @property
    def name(self) -> str:
        """The feed's name."""
        return "mobility"

    def documents(self, delivery: Delivery, exports: Iterable[Export]) -> Mapping[str, bytes]:
        """Return the data model as a spreadsheet and a sample of each file, with the first files of both offloads."""
        if delivery.export.entity not in _WITH_DOCUMENTS:
            return {}
        # It loads a library for spreadsheets, and takes half a second once per process.
        from offramp.feeds.mobility.documents.documents import documents  # noqa: PLC0415

        return documents(tuple(export for export in exports if export.feed == self.name))

    def layers(self) -> tuple[Layer, ...]:
        """Return the layers, each after those that it reads."""
        return (TimelineLayer(), DrivingLayer(), VisitsLayer())

    def exports(self, models: Iterable[Model]) -> tuple[Export, ...]:
        """Return the exports of the feed's models, sorted by name."""
        found = [
            Export(self.name, _MODES[model.kind], model.entity, model, _default_format(model.entity))
            for model in models
            if model.feed == self.name and model.is_exported and model.kind in _MODES
        ]
        return tuple(sorted(found, key=lambda export: export.name))

    def option_names(self) -> tuple[str, ...]:
        """Return the names that ``options:`` may hold."""
        return tuple(mobility_options.OPTIONS)

    def check_option(self, name: str, value: str) -> str | None:
        """Say what is wrong with one option's name or value, or None."""
        return mobility_options.check_one(name, value)

    def check_options(
        self,
        options: Mapping[str, str],
        exports: Iterable[Export],
        *,
        safety_lag: timedelta = timedelta(minutes=5),
    ) -> tuple[str, ...]:
        """Say what is wrong with options taken together. Each message begins with an option's name."""
        faults = list(jobs.unknown_jobs(options, exports)) if tuple(exports) else []
        for name in mobility_options.OPTIONS:
            cron = mobility_options.text(options, name) if name.startswith(jobs.CRON_PREFIX) else ""
            if cron.strip() and mobility_options.check_one(name, cron) is None:
                faults += _early(name, cron, safety_lag)
        return tuple(faults)

    def check_tenants(self, tenants: Iterable[str]) -> str | None:
        """Say what is wrong with the tenants of a subscription, or None: an app id each has a subscription."""
        found = tuple(tenants)
        if len(found) != 1 or not _APP_ID.match(found[0]):
            return "a mobility subscription has one tenant, an app id of 24 hex digits in lower case"
        return None

    def warnings(self, options: Mapping[str, str], exports: Iterable[Export]) -> tuple[str, ...]:  # noqa: ARG002 - nothing that works is odd
        """Return none."""
        return ()

    def cron(self, subscription: Subscription, export: Export) -> str | None:
        """Return when the export is due for the subscription, or None where it is switched off or not taken."""
        if not subscription.takes(export.entity) or not self.destinations(subscription, export):
            return None
        return mobility_options.cron_of(subscription.options, export)

    def destinations(self, subscription: Subscription, export: Export) -> tuple[str, ...]:
        """Return the destinations of a subscription whose ``delivery`` lists name the export."""
        chosen = subscription.deliveries
        return tuple(name for name in subscription.destinations if jobs.names(chosen.get(name, ""), export))

    def check_delivery(self, value: str, exports: Iterable[Export]) -> tuple[str, ...]:
        """Say what is wrong with the list of exports that go to a destination."""
        return tuple(jobs.check_jobs(value, exports))

    def off_reason(self, subscription: Subscription, export: Export) -> str | None:
        """Say why an export is never due for the subscription, or None where it is."""
        if not subscription.takes(export.entity):
            return "entities does not name it"
        if not self.destinations(subscription, export):
            return "no destination takes it"
        schedule = jobs.schedule_of(export)
        if schedule is None:
            return "it has no schedule"
        return None if jobs.cron_text(subscription.options, schedule) else f"{schedule.variable} is empty"

    def window(self, subscription: Subscription, export: Export, tick: datetime) -> Window:
        """Return the window of a tick: the UTC day before it, for the lifestyle offload the weeks that end with it.

        Source: mobility_offloads.md section 8, rules 1 and 4.
        """
        end = midnight(tick.date())
        if export.mode is not Mode.OFFLOAD:
            return Window(end - DAY, end)
        weeks = int(mobility_options.text(subscription.options, "OFFLOAD_WINDOW_WEEKS"))
        return Window(end - timedelta(weeks=weeks), end)

    def format(self, subscription: Subscription, export: Export) -> tuple[FormatName, Mapping[str, object]]:
        """Return the format and its options: CSV or JSON lines, in gzip."""
        chosen = self._format_of(subscription, export)
        if chosen is FormatName.NDJSON_GZ:
            return chosen, {}
        return chosen, {
            "separator": mobility_options.text(subscription.options, "OFFLOAD_CSV_SEPARATOR"),
            "enclosure": '"',
            "escape": '"',
            "has_header": True,
            "date_format": "yyyy-MM-dd'T'HH:mm:ssZ",
            "line_break_replacement": None,
            "line_end": "\n",
            "md5": False,
            "gzip": True,
        }

    def rows_name(self, delivery: Delivery, part: int, parts: int) -> str:  # noqa: ARG002 - a part's name does not tell of how many
        """Return the path of a part, counted from 1, below the recipient's prefix."""
        chosen = self._format_of(delivery.subscription, delivery.export)
        return f"{naming.file_folder(delivery, chosen)}/{naming.part_name(delivery, chosen, part)}"

    def deletes_name(self, delivery: Delivery) -> str:
        """Refuse: no export of this feed has a file of deletes."""
        message = f"{delivery.label} has no file of deletes"
        raise AssertionError(message)

    def manifest_name(self, delivery: Delivery) -> str:
        """Return the path of the manifest of the delivery's revision."""
        return naming.manifest_path(delivery)

    def marker_name(self, delivery: Delivery) -> str | None:
        """Return the path of ``_SUCCESS``."""
        chosen = self._format_of(delivery.subscription, delivery.export)
        return f"{naming.file_folder(delivery, chosen)}/{naming.MARKER}"

    def sidecars(self, delivery: Delivery, file: FileEntry) -> Mapping[str, bytes]:  # noqa: ARG002 - none for any
        """Return none: the marker tells that a folder is complete."""
        return {}

    def part_count(self, delivery: Delivery, rows: int, groups: int) -> int:  # noqa: ARG002 - users decide, and not rows
        """Return one part for every so many users, and for user linking always one (mobility_offloads.md section 8)."""
        if delivery.export.model.part_key is None:
            return 1
        users = int(mobility_options.text(delivery.subscription.options, "OFFLOAD_USERS_PER_PART"))
        return max(1, -(-groups // users))

    def _format_of(self, subscription: Subscription, export: Export) -> FormatName:
        wish = mobility_options.text(subscription.options, "OFFLOAD_DRIVING_FORMAT")
        if export.mode is not Mode.DELTA or wish == AS_SAMPLED:
            return export.default_format
        return FormatName.CSV if wish == CSV else FormatName.NDJSON_GZ


def _default_format(entity: str) -> FormatName:
    return FormatName.NDJSON_GZ if entity in _JSON_ENTITIES else FormatName.CSV


def _early(name: str, cron: str, lag: timedelta) -> list[str]:
    """Say that a schedule fires before its window is complete: windows end at midnight."""
    early = next(
        (tick for tick in ticks_between(cron, _YEAR_START, _YEAR_END) if tick < midnight(tick.date()) + lag), None
    )
    if early is None:
        return []
    minutes = int(lag / timedelta(minutes=1))
    fires = f"{name} fires at {early:%H:%M} UTC, but its window ends at midnight"
    return [f"{fires} and is complete only {minutes} minutes later (safety_lag)"]

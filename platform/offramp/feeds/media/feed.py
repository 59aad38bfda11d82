"""The media feed: daily deltas and snapshots of a video platform's tables, as CSV."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from offramp.domain.exports import EntityKind, Export, FormatName, Mode
from offramp.feeds import jobs
from offramp.feeds.media import naming, schedules
from offramp.feeds.media import options as media_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from offramp.domain.deliveries import Delivery, FileEntry
    from offramp.domain.exports import Model
    from offramp.domain.layers import Layer
    from offramp.domain.subscriptions import Subscription
    from offramp.domain.windows import Window

LINE_END = "\r\n"  # RFC 4180, which the vendor's page names


class MediaFeed:
    """What the media feed exports, when, and under which names. It keeps no state."""

    @property
    def name(self) -> str:
        """The feed's name."""
        return "media"

    def exports(self, models: Iterable[Model]) -> tuple[Export, ...]:
        """Return the exports of the feed's models, sorted by name."""
        found = [
            Export(feed=self.name, mode=mode, entity=model.entity, model=model, default_format=FormatName.CSV)
            for model in models
            if model.feed == self.name
            for mode in _modes_of(model)
        ]
        return tuple(sorted(found, key=lambda export: export.name))

    def option_names(self) -> tuple[str, ...]:
        """Return the names that ``options:`` may hold; one that ends in ``*`` stands for all that begin so."""
        return (*media_options.OPTIONS, f"{jobs.CRON_PREFIX}*")

    def check_option(self, name: str, value: str) -> str | None:
        """Say what is wrong with one option's name or value, or None."""
        return media_options.check_one(name, value)

    def check_options(
        self,
        options: Mapping[str, str],
        exports: Iterable[Export],
        *,
        safety_lag: timedelta = timedelta(minutes=5),
    ) -> tuple[str, ...]:
        """Say what is wrong with options taken together. Each message begins with an option's name.

        Without exports, what depends on the jobs that there are is not checked. Values that are wrong alone are
        passed over.
        """
        known = tuple(exports)
        faults = media_options.check_together(options, known)
        if any(media_options.check_one(name, value) for name, value in options.items()):
            return faults
        return (*faults, *schedules.early_ticks(options, known, safety_lag))

    def check_tenants(self, tenants: Iterable[str]) -> str | None:  # noqa: ARG002 - any names do
        """Return None: a subscription may have the rows of several tenants, of whatever names."""
        return None

    def warnings(self, options: Mapping[str, str], exports: Iterable[Export]) -> tuple[str, ...]:
        """Say which schedules leave a gap between windows; what falls into one is caught up by the next delta."""
        return schedules.gaps(options, exports)

    def cron(self, subscription: Subscription, export: Export) -> str | None:
        """Return when the export is due for the subscription, or None where it is switched off or not taken."""
        if not subscription.takes(export.entity) or not self.destinations(subscription, export):
            return None
        return media_options.cron_of(subscription.options, export)

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
        return media_options.off_reason(subscription.options, export)

    def window(self, subscription: Subscription, export: Export, tick: datetime) -> Window:  # noqa: ARG002 - one window for all media exports
        """Return the window that ends at or before a tick. For a snapshot only its end counts."""
        return schedules.window_of(subscription.options, tick)

    def format(self, subscription: Subscription, export: Export) -> tuple[FormatName, Mapping[str, object]]:
        """Return CSV and its dialect."""
        chosen = subscription.options
        return export.default_format, {
            "separator": media_options.character(chosen, "CSV_FIELD_SEPARATOR"),
            "enclosure": media_options.character(chosen, "CSV_TEXT_ENCLOSURE"),
            "escape": media_options.character(chosen, "CSV_ESCAPE_CHAR"),
            "has_header": media_options.is_on(chosen, "CSV_INCLUDE_HEADER"),
            "date_format": media_options.text(chosen, "CSV_DATE_FORMAT"),
            "line_break_replacement": media_options.line_break_replacement(chosen),
            "line_end": LINE_END,
            "md5": media_options.is_on(chosen, "CSV_MD5"),
            "gzip": False,
        }

    def rows_name(self, delivery: Delivery, part: int, parts: int) -> str:
        """Return the path of a part below the recipient's prefix; parts are counted from 1."""
        return naming.rows_path(_pattern(delivery), delivery, part, parts, is_gzip=self._is_gzip(delivery))

    def deletes_name(self, delivery: Delivery) -> str:
        """Return the path of the file of deletes."""
        return naming.deletes_path(_pattern(delivery), delivery, is_gzip=self._is_gzip(delivery))

    def manifest_name(self, delivery: Delivery) -> str:
        """Return the path of the manifest of the delivery's revision."""
        return naming.manifest_path(delivery)

    def sidecars(self, delivery: Delivery, file: FileEntry) -> Mapping[str, bytes]:  # noqa: ARG002 - the file tells
        """Return the ``.md5`` file beside a file that was staged with CSV_MD5, whatever the option says today."""
        md5 = file.checksums.get("md5")
        return {} if md5 is None else {f"{file.name}.md5": naming.md5_line(file.name, md5)}

    def part_count(self, delivery: Delivery, rows: int, groups: int) -> int:  # noqa: ARG002 - one file, as the vendor's names have it
        """Return 1: the vendor's names have no room for parts."""
        return 1

    def marker_name(self, delivery: Delivery) -> str | None:  # noqa: ARG002 - none has one
        """Return None: a file is complete once its manifest stands."""
        return None

    def documents(self, delivery: Delivery, exports: Iterable[Export]) -> Mapping[str, bytes]:  # noqa: ARG002 - the vendor's page explains the files
        """Return none."""
        return {}

    def layers(self) -> tuple[Layer, ...]:
        """Return none: the models read what landed."""
        return ()

    def _is_gzip(self, delivery: Delivery) -> bool:
        _, dialect = self.format(delivery.subscription, delivery.export)
        return bool(dialect["gzip"])


def _pattern(delivery: Delivery) -> str:
    return media_options.text(delivery.subscription.options, "FILE_NAME_PATTERN")


def _modes_of(model: Model) -> frozenset[Mode]:
    # A snapshot of an events entity is off by default; a schedule that names it switches it on.
    return _kind_modes(model.kind) | {mode for schedule in model.schedules for mode in schedule.modes}


def _kind_modes(kind: EntityKind) -> frozenset[Mode]:
    match kind:
        case EntityKind.MUTABLE:
            return frozenset({Mode.DELTA, Mode.SNAPSHOT})
        case EntityKind.REFERENCE:
            return frozenset({Mode.SNAPSHOT})
        case EntityKind.EVENTS:
            return frozenset({Mode.DELTA})
        case EntityKind.COMPUTED:
            return frozenset({Mode.OFFLOAD})
        case _:
            assert_never(kind)

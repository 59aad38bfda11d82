"""The code location: everything that Dagster is told, made from settings and models alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from offramp.domain.layers import feed_of_layers
from offramp.feeds.registry import FEEDS, layers_of
from offramp.orchestration.days import daily
from offramp.orchestration.deliveries import deliveries_asset
from offramp.orchestration.exports import export_asset
from offramp.orchestration.io_manager import io_managers
from offramp.orchestration.landing import landing_asset
from offramp.orchestration.layers import Steps, layer_asset, model_asset
from offramp.orchestration.reach import reach_checks
from offramp.orchestration.recipients import recipient_assets
from offramp.orchestration.schedules import layer_schedules, schedule_of, timetables
from offramp.orchestration.workplace import WORKPLACE, workplace_resource
from offramp.pipeline.rooms import no_report
from offramp.settings.offers import offered_exports
from offramp.sql.project import load_project

if TYPE_CHECKING:
    from offramp.domain.exports import Export
    from offramp.pipeline.rooms import Report, Rooms
    from offramp.settings.values import Settings


def build(settings: Settings, *, rooms: Rooms | None = None, report: Report = no_report) -> dg.Definitions:
    """Return the assets, jobs, schedules and IO managers of a configuration.

    Without ``rooms`` each run opens its own. No source, destination or ledger is touched here.
    """
    project = rooms.project if rooms else load_project(settings.models)
    exports = list(offered_exports(settings, project).values())
    offered = {export.feed for export in exports}
    partitions = daily(settings.first_day)
    by_source: dict[str, list[Export]] = {}
    for export in exports:
        by_source.setdefault(project.source_of(export.model.name), []).append(export)
    layers = layers_of(FEEDS)
    steps = Steps(project, layers)

    def open_rooms() -> Rooms:
        if rooms is not None:
            return rooms
        # Wiring loads every engine and client; the code location has to be up in little more than Dagster's own time.
        from offramp import wiring  # noqa: PLC0415

        return wiring.open_rooms(settings)

    return dg.Definitions(
        assets=[
            *(
                landing_asset(source, settings.source(source).kind, taken, partitions)
                for source, taken in sorted(by_source.items())
            ),
            *(
                layer_asset(source, layer, partitions)
                for source, found in layers.items()
                if feed_of_layers(source) in offered
                for layer in found.values()
            ),
            *(
                model_asset(steps, loaded.model, partitions)
                for loaded in project.models.values()
                if loaded.model.is_stored and loaded.model.feed in offered
            ),
            *(export_asset(export, project, steps.read_by(export.model), partitions) for export in exports),
            *(
                deliveries_asset(feed, [export for export in exports if export.feed == feed], partitions)
                for feed in sorted({export.feed for export in exports})
            ),
            *recipient_assets(settings.subscriptions, exports, FEEDS, partitions),
        ],
        schedules=[
            *(
                schedule_of(timetable, steps, settings.first_day)
                for timetable in timetables(settings.subscriptions, exports, FEEDS)
            ),
            *layer_schedules(settings.subscriptions, steps, settings.first_day, safety_lag=settings.safety_lag),
        ],
        asset_checks=reach_checks(settings.subscriptions),
        resources={WORKPLACE: workplace_resource(open_rooms, report, settings.redact), **io_managers()},
        executor=dg.in_process_executor,
    )

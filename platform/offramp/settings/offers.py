"""Which exports a configuration offers: those of a source that it has, or of a feed that somebody takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.feeds.registry import exports_of

if TYPE_CHECKING:
    from offramp.domain.exports import Export
    from offramp.settings.values import Settings
    from offramp.sql.project import Project


def offered_exports(settings: Settings, project: Project) -> dict[str, Export]:
    """Return exports by name, sorted. A feed that nobody takes and whose source is not configured is left out."""
    taken = {one.feed for one in settings.subscriptions}
    found = exports_of(loaded.model for loaded in project.models.values())
    return {
        name: export
        for name, export in found.items()
        if export.feed in taken or project.source_of(export.model.name) in settings.sources
    }

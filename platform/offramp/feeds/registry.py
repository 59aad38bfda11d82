"""The feeds by name, and the exports that they make of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.feeds.media.feed import MediaFeed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from offramp.domain.exports import Export, Model
    from offramp.domain.ports import Feed

FEEDS: dict[str, Feed] = {"media": MediaFeed()}


def exports_of(models: Iterable[Model]) -> dict[str, Export]:
    """Return all feeds' exports of these models by name, sorted."""
    known = tuple(models)
    found = [export for feed in FEEDS.values() for export in feed.exports(known)]
    return {export.name: export for export in sorted(found, key=lambda one: one.name)}

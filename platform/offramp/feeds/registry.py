"""The feeds by name, and the exports that they make of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.layers import layers_source
from offramp.feeds.media.feed import MediaFeed
from offramp.feeds.mobility.feed import MobilityFeed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from offramp.domain.exports import Export, Model
    from offramp.domain.layers import Layer
    from offramp.domain.ports import Feed

FEEDS: dict[str, Feed] = {"media": MediaFeed(), "mobility": MobilityFeed()}


def exports_of(models: Iterable[Model]) -> dict[str, Export]:
    """Return all feeds' exports of these models by name, sorted."""
    known = tuple(models)
    found = [export for feed in FEEDS.values() for export in feed.exports(known)]
    return {export.name: export for export in sorted(found, key=lambda one: one.name)}


def layers_of(feeds: Mapping[str, Feed]) -> dict[str, dict[str, Layer]]:
    """Return what feeds compute, by the source that models read it as, and by layer."""
    found = {layers_source(name): {layer.name: layer for layer in feed.layers()} for name, feed in feeds.items()}
    return {source: layers for source, layers in found.items() if layers}

"""The keys of all assets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import dagster as dg

from offramp.domain.layers import feed_of_layers

if TYPE_CHECKING:
    from offramp.domain.exports import Export


def landing_key(source: str) -> dg.AssetKey:
    """Return the key of a source's landings."""
    return dg.AssetKey(["landing", source])


def layer_key(source: str, layer: str) -> dg.AssetKey:
    """Return the key of a layer: its feed, and ``layers``."""
    return dg.AssetKey([feed_of_layers(source), "layers", layer])


def model_key(feed: str, entity: str) -> dg.AssetKey:
    """Return the key of a stored model."""
    return dg.AssetKey([feed, "models", entity])


def export_key(export: Export) -> dg.AssetKey:
    """Return the key of an export: feed, mode, entity."""
    return dg.AssetKey(list(export.key))


def deliveries_key(feed: str) -> dg.AssetKey:
    """Return the key of a feed's last step."""
    return dg.AssetKey([feed, "deliveries"])


def recipient_key(recipient: str, feed: str) -> dg.AssetKey:
    """Return the key of what a recipient has of a feed."""
    return dg.AssetKey(["recipients", recipient, feed])


def step_name(key: dg.AssetKey) -> str:
    """Return the name of the step that makes an asset."""
    return re.sub("[^A-Za-z0-9_]", "_", "__".join(key.path))

"""The feeds by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.feeds.media.feed import MediaFeed

if TYPE_CHECKING:
    from offramp.domain.ports import Feed

FEEDS: dict[str, Feed] = {"media": MediaFeed()}

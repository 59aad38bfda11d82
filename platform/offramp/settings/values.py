"""What the settings come to, with the secrets that they hold; and the wall clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from offramp.domain.errors import SettingsError, nearest
from offramp.settings.secrets import secret_parts, spellings
from offramp.settings.shapes import PostgresSource

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, timedelta
    from pathlib import Path

    from pydantic import SecretStr

    from offramp.domain.subscriptions import Subscription
    from offramp.settings.destinations import DestinationSettings
    from offramp.settings.shapes import DemoSource, Limits


@dataclass(frozen=True, slots=True)
class Settings:
    """What offramp.yaml and the environment say. Paths are absolute; secrets are never printed.

    ``overlooked`` are variables of the environment that look like options and are none, ``exposed`` the keys, with
    their lines, of secrets that stand in the file itself.
    """

    file: Path
    models: Path
    lake: Path
    ledger: SecretStr
    scratch: Path
    dagster_home: Path
    limits: Limits
    safety_lag: timedelta
    claim_ttl: timedelta
    first_day: date
    sources: Mapping[str, DemoSource | PostgresSource] = field(hash=False)
    destinations: Mapping[str, DestinationSettings] = field(hash=False)
    subscriptions: tuple[Subscription, ...]
    overlooked: tuple[str, ...]
    exposed: tuple[str, ...]
    places: Mapping[tuple[str, str], tuple[str, int | None]] = field(repr=False, compare=False)

    def place(self, subscription: Subscription, key: str = "") -> tuple[str, int | None]:
        """Return file and line of a subscription's key or option; without one, of the subscription."""
        return self.places.get((subscription.id, key)) or self.places[subscription.id, ""]

    def source(self, name: str) -> DemoSource | PostgresSource:
        """Return a source by its name; SettingsError where there is none."""
        if name not in self.sources:
            what = f"there is no source '{name}'"
            raise SettingsError(what, file=self.file, todo=f"declare it under sources:; {nearest(name, self.sources)}")
        return self.sources[name]

    def redact(self, text: str) -> str:
        """Replace every secret, as it is and as URLs spell it, by ``***``."""
        for secret in sorted(self._secrets(), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def _secrets(self) -> set[str]:
        urls = [self.ledger, *(one.url for one in self.sources.values() if isinstance(one, PostgresSource))]
        found = {secret for url in urls for secret in secret_parts(url.get_secret_value())}
        keys = [one.personal.hash_key for one in self.subscriptions if one.personal.hash_key is not None]
        keys += [secret for one in self.destinations.values() for secret in one.secrets()]
        return found.union(*(spellings(key.get_secret_value()) for key in keys))


def utc_now() -> datetime:
    """Return the wall clock. The only place where the house reads it; everything else is told the time."""
    return datetime.now(UTC)

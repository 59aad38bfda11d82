"""What the settings come to, with the secrets that they hold; and the wall clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pydantic import SecretStr

from offramp.domain.errors import SettingsError, nearest
from offramp.settings.secrets import SHORTEST, passwords_of, secret_parts, spellings
from offramp.settings.shapes import PostgresSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, timedelta
    from pathlib import Path

    from offramp.domain.subscriptions import Subscription
    from offramp.settings.destinations import DestinationSettings
    from offramp.settings.shapes import DemoSource, Limits, PhonesSource, TracksSource


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
    sources: Mapping[str, DemoSource | PhonesSource | TracksSource | PostgresSource] = field(hash=False)
    destinations: Mapping[str, DestinationSettings] = field(hash=False)
    subscriptions: tuple[Subscription, ...]
    overlooked: tuple[str, ...]
    exposed: tuple[str, ...]
    places: Mapping[tuple[str, str], tuple[str, int | None]] = field(repr=False, compare=False)

    def place(self, subscription: Subscription, key: str = "") -> tuple[str, int | None]:
        """Return file and line of a subscription's key or option; without one, of the subscription."""
        return self.places.get((subscription.id, key)) or self.places[subscription.id, ""]

    def source(self, name: str) -> DemoSource | PhonesSource | TracksSource | PostgresSource:
        """Return a source by its name; SettingsError where there is none."""
        if name not in self.sources:
            what = f"there is no source '{name}'"
            raise SettingsError(what, file=self.file, todo=f"declare it under sources:; {nearest(name, self.sources)}")
        return self.sources[name]

    def redact(self, text: str) -> str:
        """Replace every secret, as it is and as URLs spell it, by ``***``; see ``short_secrets``."""
        for secret in sorted(self._secrets(), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def short_secrets(self) -> Iterator[str]:
        """Yield what the secrets belong to that are too short to be taken out of texts."""
        for what, url in self._urls().items():
            if any(len(unquote(password)) < SHORTEST for password in passwords_of(url.get_secret_value())):
                yield f"the password of {what}"
        for name, one in self.destinations.items():
            for key, value in vars(one).items():
                if isinstance(value, SecretStr) and len(value.get_secret_value()) < SHORTEST:
                    yield f"{key} of the destination '{name}'"

    def _urls(self) -> dict[str, SecretStr]:
        sources = {name: one for name, one in self.sources.items() if isinstance(one, PostgresSource)}
        return {"the ledger": self.ledger, **{f"the source '{name}'": one.url for name, one in sources.items()}}

    def _secrets(self) -> set[str]:
        found = {secret for url in self._urls().values() for secret in secret_parts(url.get_secret_value())}
        keys = [one.personal.hash_key for one in self.subscriptions if one.personal.hash_key is not None]
        keys += [secret for one in self.destinations.values() for secret in one.secrets()]
        long = (key.get_secret_value() for key in keys if len(key.get_secret_value()) >= SHORTEST)
        return found.union(*map(spellings, long))


def utc_now() -> datetime:
    """Return the wall clock. The only place where the house reads it; everything else is told the time."""
    return datetime.now(UTC)

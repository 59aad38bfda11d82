"""What one call of the command line works with; each part is opened when it is first asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    import typer

    from offramp.domain.exports import Export
    from offramp.domain.ports import Ledger
    from offramp.pipeline.rooms import Rooms
    from offramp.settings.values import Settings
    from offramp.sql.project import Project


@dataclass(slots=True)
class Invocation:
    """Settings, project, exports, ledger and rooms of one call. Imports wait, so that quick commands stay quick."""

    config: Path | None = None
    _settings: Settings | None = field(default=None, init=False)
    _project: Project | None = field(default=None, init=False)
    _rooms: Rooms | None = field(default=None, init=False)

    @classmethod
    def of(cls, context: typer.Context) -> Invocation:
        """Return the call that a command belongs to."""
        return cast("Invocation", context.obj)

    @property
    def settings(self) -> Settings:
        """The settings: ``--config``, else OFFRAMP_CONFIG, else offramp.yaml here."""
        if self._settings is None:
            from offramp.settings.reading import load_settings

            self._settings = load_settings(self.config)
        return self._settings

    def use(self, settings: Settings) -> None:
        """Go on with other settings than those of the file; before anything else was opened."""
        self._settings = settings

    @property
    def project(self) -> Project:
        """The project in ``dbt_like_sql``."""
        if self._project is None:
            from offramp.sql.project import load_project

            self._project = load_project(self.settings.models)
        return self._project

    def exports(self) -> Mapping[str, Export]:
        """Return the exports that are offered by name, without opening what it takes to deliver them."""
        from offramp.settings.offers import offered_exports

        return offered_exports(self.settings, self.project)

    def now(self) -> datetime:
        """Return the wall clock: what a caller means by yesterday."""
        from offramp.settings.values import utc_now

        return utc_now()

    def ledger(self) -> Ledger:
        """Return the ledger alone: a listing of it needs no engine, lake or source."""
        from offramp.ledger.sql_ledger import SqlLedger

        return SqlLedger(self.settings.ledger.get_secret_value(), redact=self.settings.redact)

    @property
    def rooms(self) -> Rooms:
        """Everything that plans and deliveries need."""
        if self._rooms is None:
            from offramp.wiring import open_rooms

            self._rooms = open_rooms(self.settings, project=self.project)
        return self._rooms

    def close(self) -> None:
        """Close the connections to destinations, if any were opened."""
        if self._rooms is not None:
            self._rooms.hang_up()

    def redact(self, text: str) -> str:
        """Take the secrets out of a text; without settings none is known."""
        return text if self._settings is None else self._settings.redact(text)

"""The phones' tables as specs, and landings of them into folders."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from offramp.domain.landings import Increment, TableSpec
from offramp.sources.phones.schema import TABLES
from platform_tests.sources.landing_folder import FolderWriter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from offramp.sources.phones.source import PhonesSource

# A Monday.
START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)


def specs(names: Iterable[str] = tuple(TABLES)) -> list[TableSpec]:
    """The tables as dbt_like_sql declares them."""
    return [
        TableSpec(
            "mobility",
            name,
            TABLES[name].key,
            None if name == "venues" else "app_id",
            None if TABLES[name].is_log else TABLES[name].change_column,
            Increment("received_at", timedelta(hours=1), timedelta(days=2)) if TABLES[name].is_log else None,
        )
        for name in names
    ]


def land(source: PhonesSource, folder: Path, **options: object) -> Path:
    """Land tables into a folder, as of an instant and since one."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = FolderWriter(folder, options.get("since"))  # type: ignore[arg-type]
    source.land(options.get("tables") or specs(), lambda _: writer, as_of=options.get("as_of"))  # type: ignore[arg-type]
    return folder


def sums(folder: Path) -> dict[str, str]:
    """Checksums of all finished files below a folder."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.glob("**/*.parquet"))
        if not any(part.startswith(".") for part in file.relative_to(folder).parts)
    }

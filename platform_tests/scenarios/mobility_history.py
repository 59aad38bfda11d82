"""A source of phones whose history a test writes down: every row with the instant at which it arrived."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from offramp.sources.phones.schema import LINKED, RECEIVED, TABLES
from platform_tests.scenarios.mobility_house import BEGINS, NORTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from offramp.domain.landings import TableSpec
    from offramp.domain.ports import LandingWriter

ANN, BOB = (f"{number:024x}" for number in (0xA, 0xB))
_DEGREES_PER_KM = 1 / 111.1949
Points = list[tuple[float, float]]
"""Minutes since midnight, and how many kilometres north of home."""


def at(day: date, minutes: float = 0) -> datetime:
    """An instant of a day, without a zone."""
    return datetime.combine(day, time()) + timedelta(minutes=minutes)


def drive(begin: float, end: float, start_km: float, end_km: float) -> Points:
    """Positions every half minute on a straight way, without its two ends."""
    steps = int((end - begin) * 2)
    return [(begin + step / 2, start_km + (end_km - start_km) * step / steps) for step in range(1, steps)]


def stay(begin: float, end: float, km: float) -> Points:
    """The first and the last position of a stay, and one every half hour between them."""
    between = [begin + 30 * step for step in range(1, int((end - begin) // 30) + 1) if begin + 30 * step < end]
    return [(minute, km) for minute in (begin, *between, end)]


def commute(begin: float = 480) -> Points:
    """A day: at home from seven, 20 minutes by car to work 16 km away, and back after eight hours."""
    to, home = (begin, begin + 20), (begin + 500, begin + 520)
    return [
        *stay(420, to[0], 0),
        *drive(*to, 0, 16),
        *stay(to[1], home[0], 16),
        *drive(*home, 16, 0),
        *stay(home[1], 1_380, 0),
    ]


@dataclass
class PhonesHistory:
    """What phones sent. It can be read as of any instant."""

    rows: dict[str, list[dict[str, object]]] = field(default_factory=lambda: {name: [] for name in TABLES})
    now: datetime = datetime(2026, 12, 20, tzinfo=UTC)
    name: str = "mobility"
    can_read_as_of: bool = True

    def fixes(
        self,
        user: str,
        day: date,
        points: Iterable[tuple[float, float]],
        *,
        received: datetime | None = None,
        app: str = NORTH,
        home: tuple[float, float] = (59.9, 10.75),
    ) -> None:
        """Write positions down that arrive a minute later, or all at ``received``."""
        for minutes, km in points:
            tracked = at(day, minutes)
            self.rows["fixes"].append(
                {
                    "app_id": app,
                    "user_id": user,
                    "tracked_at": tracked,
                    "latitude": home[0] + km * _DEGREES_PER_KM,
                    "longitude": home[1],
                    "accuracy": 8.0,
                    "speed": None,
                    RECEIVED: received or tracked + timedelta(minutes=1),
                }
            )

    def payload(self, user: str, received: datetime, *, app: str = NORTH) -> None:
        """Write down that a user sent a trip, which makes them active for a week."""
        rows = self.rows["payloads"]
        rows.append(
            {
                "app_id": app,
                "user_id": user,
                "payload_id": f"{len(rows):024x}",
                "kind": "trip",
                "occurred_at": received,
                RECEIVED: received,
            }
        )

    def life(self, user: str, day: date, *, app: str = NORTH) -> None:
        """Write down a day of commuting, as it arrives in time."""
        self.fixes(user, day, commute(), app=app)
        self.payload(user, at(day, 1_200), app=app)

    def link(self, user: str, external_id: str, linked: datetime, *, app: str = NORTH) -> None:
        """Write down the client's own id of a user."""
        row: dict[str, object] = {"app_id": app, "user_id": user, "external_id": external_id, LINKED: linked}
        self.rows["user_links"].append(row)

    def read_point(self) -> datetime:
        return self.now

    def land(self, tables: Sequence[TableSpec], begin: object, *, as_of: datetime | None) -> datetime:
        moment = as_of or self.now
        writer: LandingWriter = begin(moment)  # type: ignore[operator]
        for spec in tables:
            frame = self._as_of(spec, moment, writer.read_from(spec) if spec.increment else None)
            order = ", ".join((*(["app_id"] if "app_id" in frame.columns else []), *spec.key))
            with duckdb.connect() as connection:
                connection.register("frame", frame.to_arrow())
                connection.execute(
                    f"copy (select * from frame order by {order}) to '{writer.path(spec)}' (format parquet)"
                )
            writer.add(spec)
        return moment

    def _as_of(self, spec: TableSpec, moment: datetime, since: datetime | None) -> pl.DataFrame:
        table = TABLES[spec.name]
        schema = {name: _TYPES[kind.lower()] for name, kind in table.columns}
        rows = pl.DataFrame(self.rows[spec.name], schema=schema)
        if table.change_column is not None:
            rows = rows.filter(pl.col(table.change_column) <= moment.replace(tzinfo=None))
        if since is not None:
            rows = rows.filter(pl.col(RECEIVED) > since.replace(tzinfo=None))
        if spec.name == "user_links":
            rows = rows.sort(LINKED).unique(["app_id", "user_id"], keep="last", maintain_order=True)
        return rows


_TYPES: dict[str, pl.DataType] = {"varchar": pl.String(), "double": pl.Float64(), "timestamp": pl.Datetime("us")}

DAY_ONE = BEGINS

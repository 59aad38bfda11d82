"""The shapes of offramp.yaml: what pydantic reads, strictly."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ByteSize, Field, SecretStr

from offramp.domain.personal import Treatment
from offramp.domain.subscriptions import Initial
from offramp.settings.destinations import DestinationSettings
from offramp.settings.fields import Count, Day, Duration, HashKey, Memory, Name, Names, Prefix, Secret, Strict
from offramp.sources.tracks.dialect import Times


class Limits(Strict):
    """How much of the machine a run may take."""

    memory_bytes: Memory = ByteSize(256 * 1024 * 1024)
    threads: Count = 2
    publish_parallel: Count = 4


class DemoSource(Strict):
    """The embedded demo. ``start_on`` and ``days`` None leave the choice to its first generation."""

    kind: Literal["demo"]
    seed: int = 7
    start_on: Day | None = None
    days: Count | None = None
    scale: Annotated[float, Field(gt=0, le=10_000)] = 1
    folder: Path = Path(".offramp/demo")


class PhonesSource(Strict):
    """The embedded demo of people with phones. ``start_on`` and ``days`` None leave the choice to its generation."""

    kind: Literal["phones"]
    seed: int = 7
    start_on: Day | None = None
    days: Count | None = None
    scale: Annotated[float, Field(gt=0, le=10_000)] = 1
    folder: Path = Path(".offramp/phones")


ColumnName = Annotated[str, Field(min_length=1)]


class TracksColumns(Strict):
    """The file's name for each of our columns; files have the last four only where they are named here."""

    tracked_at: ColumnName = "tracked_at"
    latitude: ColumnName = "latitude"
    longitude: ColumnName = "longitude"
    user_id: ColumnName | None = None
    accuracy: ColumnName | None = None
    speed: ColumnName | None = None
    received_at: ColumnName | None = None

    def named(self) -> dict[str, str]:
        """Return the file's names by ours."""
        return {ours: theirs for ours, theirs in vars(self).items() if theirs is not None}


class TracksCsv(Strict):
    """How the CSV files of tracks are written; nothing of it is guessed from the files."""

    separator: Annotated[str, Field(pattern=r"^[\t !#-~]$")] = ","
    times: Times = Times.ISO_8601
    columns: TracksColumns = TracksColumns()


class TracksSource(Strict):
    """A folder of tracks as GPX and CSV files, all of one app id. It is only read."""

    kind: Literal["tracks"]
    folder: Path
    app_id: Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]
    csv: TracksCsv = TracksCsv()


class PostgresSource(Strict):
    """A PostgreSQL database. ``read_point_sql`` gives the instant up to which its rows are complete."""

    kind: Literal["postgres"]
    url: Secret
    schema_name: str = Field(default="public", alias="schema", min_length=1)
    readers: Count = 2
    read_point_sql: str | None = None


EMBEDDED = (DemoSource, PhonesSource)
"""Sources that are generated here, into a folder of their own."""

IN_FOLDERS = (*EMBEDDED, TracksSource)
"""Sources that have a folder."""

SourceSettings = Annotated[DemoSource | PhonesSource | TracksSource | PostgresSource, Field(discriminator="kind")]


class PersonalText(Strict):
    """What becomes of personal columns."""

    default: Treatment = Treatment.DELIVERED
    columns: dict[str, Treatment] = Field(default_factory=dict)
    hash_key: HashKey | None = None


class SubscriptionText(Strict):
    """A subscription as it stands in the file."""

    id: Name
    feed: str
    tenants: Annotated[Names, Field(min_length=1)]
    destinations: Names = Field(default_factory=list)
    starts_on: Day | None = None
    initial: Initial = Initial.FULL
    deletes: bool = False
    prefix: Prefix = ""
    personal: PersonalText = PersonalText()
    entities: Names = Field(default_factory=list)
    options: dict[str, str] = Field(default_factory=dict)


class RecipientText(Strict):
    """A recipient."""

    subscriptions: Annotated[list[SubscriptionText], Field(min_length=1)]


class FileText(Strict):
    """The whole file."""

    models: Path = Path("dbt_like_sql")
    lake: Path = Path(".offramp/lake")
    ledger: Secret = SecretStr("sqlite:///.offramp/ledger.db")
    scratch: Path = Path(".offramp/scratch")
    dagster_home: Path = Path(".offramp/dagster")
    limits: Limits = Limits()
    safety_lag: Duration = timedelta(minutes=5)
    claim_ttl: Duration = timedelta(minutes=15)
    first_day: Day
    sources: Annotated[dict[Name, SourceSettings], Field(min_length=1)]
    destinations: dict[Name, DestinationSettings] = Field(default_factory=dict)
    recipients: dict[Name, RecipientText] = Field(default_factory=dict)

"""The shapes of offramp.yaml: what pydantic reads, strictly. Errors never repeat their input, which may be secret."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ByteSize, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from offramp.domain.personal import Treatment
from offramp.domain.subscriptions import Initial

if TYPE_CHECKING:
    from offramp.domain.subscriptions import Subscription

PLACEHOLDERS = ("{recipient}", "{feed}", "{subscription}")
_DURATION = re.compile(r"^(?P<number>\d{1,6})\s*(?P<unit>second|minute|hour|day)s?$")


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        raise PydanticCustomError("duration", "expected a length of time such as '5 minutes'")
    return timedelta(**{f"{match['unit']}s": int(match["number"])})


def _no_number(value: object) -> object:
    if isinstance(value, int | float):  # pydantic would count seconds since 1970
        raise PydanticCustomError("date", "expected a date such as 2026-11-01")
    return value


def _no_flag(value: object) -> object:
    if isinstance(value, bool):  # pydantic would take yes for 1
        raise PydanticCustomError("number", "expected a number")
    return value


def _path_with_placeholders(value: object) -> object:
    unknown = [one for one in re.findall(r"\{[^}]*\}?", str(value)) if one not in PLACEHOLDERS]
    if unknown:
        text = "'{found}' stands for nothing here; valid: {valid}"
        raise PydanticCustomError("placeholder", text, {"found": unknown[0], "valid": ", ".join(PLACEHOLDERS)})
    return value


def _folder_names(value: str) -> str:
    parts = value.split("/")
    odd = any(part in {"", ".", ".."} or part != part.strip() or len(part.encode()) > 200 for part in parts)
    if value and (odd or not value.isprintable() or set(value) & set("{}\\:")):
        raise PydanticCustomError("prefix", "expected names of folders with / between them, such as acme/production")
    return value


def _hash_key(value: object) -> object:
    if not isinstance(value, str) or not 16 <= len(value) <= 64 or not value.isprintable():
        raise PydanticCustomError("secret", "a secret of 16 to 64 printable characters")
    return value


def _each_once(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise PydanticCustomError("twice", "expected each name once")
    return values


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Day = Annotated[date, BeforeValidator(_no_number)]
Count = Annotated[int, BeforeValidator(_no_flag), Field(ge=1)]
Memory = Annotated[ByteSize, BeforeValidator(_no_flag), Field(ge=64 * 1024 * 1024)]
# Names become folders and asset keys; a '|' would also blur the ids of deliveries.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]
Secret = Annotated[SecretStr, Field(min_length=1)]
HashKey = Annotated[SecretStr, BeforeValidator(_hash_key)]
Prefix = Annotated[str, AfterValidator(_folder_names)]
Names = Annotated[list[Annotated[str, Field(min_length=1)]], AfterValidator(_each_once)]


class _Strict(BaseModel):
    """A mapping of the file. Errors never repeat its input, which may be secret."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _only_known_keys(cls, value: Any) -> Any:
        known = [info.alias or name for name, info in cls.model_fields.items()]
        if not isinstance(value, dict):
            return value
        kinds = list(get_args(cls.model_fields["kind"].annotation)) if "kind" in known else []
        if kinds and "kind" in value and value["kind"] not in kinds:
            raise PydanticCustomError("unknown_kind", "", {"valid": kinds})
        unknown = [key for key in value if key not in known]
        if unknown:
            raise PydanticCustomError("unknown_key", "", {"key": unknown[0], "valid": known})
        return value


class Limits(_Strict):
    """How much of the machine a run may take."""

    memory_bytes: Memory = ByteSize(256 * 1024 * 1024)
    threads: Count = 2
    publish_parallel: Count = 4


class DemoSource(_Strict):
    """The embedded demo. ``start_on`` and ``days`` None leave the choice to its first generation."""

    kind: Literal["demo"]
    seed: int = 7
    start_on: Day | None = None
    days: Count | None = None
    scale: Annotated[float, Field(gt=0, le=10_000)] = 1
    folder: Path = Path(".offramp/demo")


class PostgresSource(_Strict):
    """A PostgreSQL database. ``read_point_sql`` gives the instant up to which its rows are complete."""

    kind: Literal["postgres"]
    url: Secret
    schema_name: str = Field(default="public", alias="schema", min_length=1)
    readers: Count = 2
    read_point_sql: str | None = None


SourceSettings = Annotated[DemoSource | PostgresSource, Field(discriminator="kind")]


class LocalDestination(_Strict):
    """A folder. ``{recipient}``, ``{feed}`` and ``{subscription}`` in its path stand for a subscription's."""

    kind: Literal["local"]
    path: Annotated[Path, BeforeValidator(_path_with_placeholders)]

    def folder(self, subscription: Subscription) -> Path:
        """Return the folder of a subscription, its prefix included."""
        text = str(self.path)
        own = (subscription.recipient, subscription.feed, subscription.id)
        for placeholder, value in zip(PLACEHOLDERS, own, strict=True):
            text = text.replace(placeholder, value)
        return Path(text) / subscription.prefix


# One kind so far; with a second one this becomes a union with ``kind`` as its discriminator.
DestinationSettings = LocalDestination


class PersonalText(_Strict):
    """What becomes of personal columns."""

    default: Treatment = Treatment.DELIVERED
    columns: dict[str, Treatment] = {}
    hash_key: HashKey | None = None


class SubscriptionText(_Strict):
    """A subscription as it stands in the file."""

    id: Name
    feed: str
    tenants: Annotated[Names, Field(min_length=1)]
    destinations: Annotated[Names, Field(min_length=1)]
    starts_on: Day | None = None
    initial: Initial = Initial.FULL
    deletes: bool = False
    prefix: Prefix = ""
    personal: PersonalText = PersonalText()
    entities: Names = []
    options: dict[str, str] = {}


class RecipientText(_Strict):
    """A recipient."""

    subscriptions: Annotated[list[SubscriptionText], Field(min_length=1)]


class FileText(_Strict):
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
    destinations: Annotated[dict[Name, DestinationSettings], Field(min_length=1)]
    recipients: dict[Name, RecipientText] = {}

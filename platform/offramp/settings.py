"""offramp.yaml and the environment as frozen values, and the wall clock. No other module reads any of them.

Text comes in through pydantic, strictly; what leaves are domain values. Every error names file and line. What the
values lead to (sources, destinations, a ledger) is made in wiring.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from offramp.domain.errors import SettingsError, nearest
from offramp.domain.personal import Personal, Treatment
from offramp.domain.subscriptions import Initial, Subscription
from offramp.domain.yaml_lines import Located, compose
from offramp.feeds.registry import FEEDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from offramp.domain.exports import Export
    from offramp.domain.ports import Feed

CONFIG_VARIABLE = "OFFRAMP_CONFIG"
DEFAULT_FILE = "offramp.yaml"
ENVIRONMENT = "the environment"
PLACEHOLDERS = ("{recipient}", "{feed}", "{subscription}")
_DURATION = re.compile(r"^(?P<number>\d{1,6})\s*(?P<unit>second|minute|hour|day)s?$")
_PASSWORD = re.compile(r"(?i)password\s*=\s*(?:'(?P<quoted>[^']*)'|(?P<plain>[^\s&]+))")
_POSTGRES = ("postgresql://", "postgres://", "postgresql+psycopg://")
_CREDENTIALS = re.compile(r"://[^/?#]*?:(?P<password>.*)@")


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
    if value and (any(part in {"", ".", ".."} for part in parts) or not value.isprintable()):
        raise PydanticCustomError("prefix", "expected names of folders with / between them, such as acme/production")
    return value


def _hash_key(value: object) -> object:
    if not isinstance(value, str) or not 16 <= len(value) <= 64:
        raise PydanticCustomError("secret", "a secret of 16 to 64 characters")
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


class _PersonalText(_Strict):
    default: Treatment = Treatment.DELIVERED
    columns: dict[str, Treatment] = {}
    hash_key: HashKey | None = None


class _SubscriptionText(_Strict):
    id: Name
    feed: str
    tenants: Annotated[Names, Field(min_length=1)]
    destinations: Annotated[Names, Field(min_length=1)]
    starts_on: Day | None = None
    initial: Initial = Initial.FULL
    deletes: bool = False
    prefix: Prefix = ""
    personal: _PersonalText = _PersonalText()
    entities: Names = []
    options: dict[str, str] = {}


class _RecipientText(_Strict):
    subscriptions: Annotated[list[_SubscriptionText], Field(min_length=1)]


class _FileText(_Strict):
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
    recipients: dict[Name, _RecipientText] = {}


@dataclass(frozen=True, slots=True)
class Settings:
    """What offramp.yaml and the environment say. Paths are absolute; secrets are never printed."""

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
    _places: Mapping[tuple[str, str], tuple[str, int | None]] = field(repr=False, compare=False)

    def place(self, subscription: Subscription, key: str = "") -> tuple[str, int | None]:
        """Return file and line of a subscription's key or option; without one, of the subscription."""
        return self._places.get((subscription.id, key)) or self._places[subscription.id, ""]

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
        found = {secret for url in urls for secret in _secret_parts(url.get_secret_value())}
        keys = (one.personal.hash_key for one in self.subscriptions)
        return found | {key.get_secret_value() for key in keys if key is not None}


def utc_now() -> datetime:
    """Return the wall clock. The only place where the house reads it; everything else is told the time."""
    return datetime.now(UTC)


def load_settings(path: Path | None = None, *, environment: Mapping[str, str] | None = None) -> Settings:
    """Read offramp.yaml: the path given, else OFFRAMP_CONFIG, else the one in the working folder.

    ``environment`` None is the process's own. Raises SettingsError with file and line.
    """
    variables = os.environ if environment is None else environment
    chosen = path or Path(variables.get(CONFIG_VARIABLE) or DEFAULT_FILE)
    try:
        content = chosen.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as refused:
        todo = f"give its path, set {CONFIG_VARIABLE}, or start in its folder"
        raise SettingsError("the settings cannot be read", file=chosen, found=refused, todo=todo) from refused
    located = compose(content, str(chosen), error=SettingsError)
    values = located.filled(variables, as_written=frozenset({"options", "tenants"}), error=SettingsError)
    if not isinstance(values, dict):
        raise SettingsError("the file is not a mapping", file=chosen, line=1, expected="keys and values")
    try:
        read = _FileText.model_validate(values)
    except ValidationError as refused:
        # The cause is cut off: it holds the whole input, secrets too.
        raise _explain(refused, located, values) from None
    return _Reading(read, located, variables).settings()


def _explain(refused: ValidationError, located: Located, values: object) -> SettingsError:
    """Turn the first error by line into one that names file, line, what is expected and the nearest name."""
    faults = []
    for fault in refused.errors(include_url=False, include_input=False):
        path = _path_of(fault["loc"], values)
        context = fault.get("ctx", {})
        expected, found, todo = None, None, None
        match fault["type"]:
            case "unknown_key":
                path = (*path, context["key"])
                what, todo = f"'{context['key']}' is not a setting here", nearest(context["key"], context["valid"])
                expected = ", ".join(context["valid"])
            case "unknown_kind" | "union_tag_invalid":
                path = (*path, "kind")
                kinds = context.get("valid") or [tag.strip("' ") for tag in context["expected_tags"].split(",")]
                found = _as_written(located, path) or "nothing"
                what, expected, todo = "the kind is not known", ", ".join(kinds), nearest(found, kinds)
            case "byte_size":
                what, expected = f"'{path[-1]}' has a wrong value", "a size such as '256 MiB', or a number of bytes"
                found = _as_written(located, path)
            case "secret":
                what, expected = f"'{path[-1]}' has a wrong value", fault["msg"]
            case "missing" | "union_tag_not_found":
                name = path[-1] if fault["type"] == "missing" else "kind"
                what, todo = f"'{name}' is missing", f"add {name}: to this mapping"
            case _:
                name = path[-1] if path else "the file"
                what, expected, found = f"'{name}' has a wrong value", fault["msg"], _as_written(located, path)
        line = located.line_of(path)
        faults.append(SettingsError(what, file=located.file, line=line, expected=expected, found=found, todo=todo))
    return min(faults, key=lambda fault: fault.line or 0)


def _path_of(loc: tuple[str | int, ...], values: Any) -> tuple[str | int, ...]:
    """Return pydantic's location without what is not in the file: the tags of unions, the mark of a key."""
    path: list[str | int] = []
    for number, step in enumerate(loc):
        inside = values if isinstance(values, dict) else dict(enumerate(values)) if isinstance(values, list) else {}
        if step in inside:
            path.append(step)
            values = inside[step]
        elif number == len(loc) - 1 and step != "[key]":
            path.append(step)
    return tuple(path)


def _as_written(located: Located, path: tuple[str | int, ...]) -> str | None:
    """Return a value as the file has it: ``${MEDIA_URL}``, not what the variable holds."""
    text = located.texts.get(path)
    return None if text is None else _CREDENTIALS.sub("://***@", text)


class _Reading:
    """Turns what was read into settings, checking each name against the others."""

    def __init__(self, read: _FileText, located: Located, variables: Mapping[str, str]) -> None:
        self._read = read
        self._located = located
        self._variables = variables
        self._root = Path(located.file).absolute().parent
        self._places: dict[tuple[str, str], tuple[str, int | None]] = {}
        self._folders: dict[tuple[str, Path], str] = {}

    def settings(self) -> Settings:
        read, root = self._read, self._root
        sources = {
            name: one.model_copy(update={"folder": root / one.folder}) if isinstance(one, DemoSource) else one
            for name, one in read.sources.items()
        }
        for name, one in sources.items():
            if isinstance(one, PostgresSource):
                self._check_url(one.url.get_secret_value(), ("sources", name, "url"))
        destinations = {
            name: one.model_copy(update={"path": root / one.path}) for name, one in read.destinations.items()
        }
        subscriptions = tuple(
            self._subscription(recipient, text, ("recipients", recipient, "subscriptions", number))
            for recipient, one in read.recipients.items()
            for number, text in enumerate(one.subscriptions)
        )
        return Settings(
            file=Path(self._located.file).absolute(),
            models=root / read.models,
            lake=root / read.lake,
            ledger=self._ledger(),
            scratch=root / read.scratch,
            dagster_home=root / read.dagster_home,
            limits=read.limits,
            safety_lag=read.safety_lag,
            claim_ttl=read.claim_ttl,
            first_day=read.first_day,
            sources=sources,
            destinations=destinations,
            subscriptions=subscriptions,
            _places=self._places,
        )

    def _error(self, what: str, path: tuple[str | int, ...], **facts: Any) -> SettingsError:
        return SettingsError(what, file=self._located.file, line=self._located.line_of(path), **facts)

    def _check_url(self, url: str, path: tuple[str | int, ...]) -> None:
        """Refuse what is no connection text before anybody tries it, for a server's answer may quote parts of it."""
        authority, _, rest = url.partition("://")[2].partition("/")
        if not url.startswith(_POSTGRES):
            if "=" in url and "://" not in url:
                return
            expected = "postgresql://<user>:<password>@<host>/<database>, or host=... dbname=... user=... password=..."
            raise self._error("the url is no connection text of PostgreSQL", path, expected=expected)
        if authority.count("@") > 1 or "@" in rest.partition("?")[0]:
            todo = "in user and password write @ as %40, / as %2F, : as %3A, ? as %3F, # as %23 and % as %25"
            raise self._error("the url's user or password holds a character that a URL cannot", path, todo=todo)

    def _ledger(self) -> SecretStr:
        url = self._read.ledger.get_secret_value()
        if url.startswith("sqlite:///"):
            return SecretStr(f"sqlite:///{self._root / url.removeprefix('sqlite:///')}")
        if not url.startswith(("postgresql://", "postgresql+psycopg://")):
            expected = "sqlite:///<path> or postgresql://<user>:<password>@<host>/<database>"
            raise self._error("the ledger's URL is of no known kind", ("ledger",), expected=expected)
        self._check_url(url, ("ledger",))
        return self._read.ledger

    def _subscription(self, recipient: str, text: _SubscriptionText, path: tuple[str | int, ...]) -> Subscription:
        if (text.id, "") in self._places:
            _, first = self._places[text.id, ""]
            todo = f"rename it; the other is in line {first}"
            raise self._error(f"the subscription '{text.id}' stands twice", (*path, "id"), todo=todo)
        feed = FEEDS.get(text.feed)
        if feed is None:
            raise self._error(f"'{text.feed}' is not a feed", (*path, "feed"), todo=nearest(text.feed, FEEDS))
        for number, name in enumerate(text.destinations):
            if name not in self._read.destinations:
                todo = nearest(name, self._read.destinations)
                raise self._error(f"'{name}' is not a destination", (*path, "destinations", number), todo=todo)
        first_day = self._read.first_day
        if text.starts_on is not None and text.starts_on < first_day:
            expected = f"a day from first_day ({first_day}) on"
            raise self._error("it starts before there are partitions", (*path, "starts_on"), expected=expected)
        subscription = Subscription(
            id=text.id,
            recipient=recipient,
            feed=text.feed,
            tenants=tuple(text.tenants),
            starts_on=text.starts_on or first_day,
            destinations=tuple(text.destinations),
            entities=tuple(text.entities),
            initial=text.initial,
            sends_deletes=text.deletes,
            prefix=text.prefix,
            personal=self._personal(text, path),
            options=self._options(feed, text, path),
        )
        self._claim_folders(subscription, path)
        return subscription

    def _personal(self, text: _SubscriptionText, path: tuple[str | int, ...]) -> Personal:
        chosen = text.personal
        personal = Personal(chosen.default, tuple(sorted(chosen.columns.items())), chosen.hash_key)
        if Treatment.HASHED in {chosen.default, *chosen.columns.values()}:
            if chosen.hash_key is None:
                what = f"'{text.id}' hashes personal columns and has no hash_key"
                todo = "add hash_key: ${NAME}, a secret of 16 to 64 characters from the environment"
                raise self._error(what, (*path, "personal"), todo=todo)
            try:
                personal.hash_pads()
            except ValueError as refused:
                raise self._error(str(refused), (*path, "personal", "hash_key")) from refused
        return personal

    def _options(self, feed: Feed, text: _SubscriptionText, path: tuple[str | int, ...]) -> dict[str, str]:
        """Return the options of the environment under those of the file, each checked."""
        valid = feed.option_names()
        outer = {
            name: value
            for name, value in sorted(self._variables.items())
            if any(fnmatchcase(name, pattern) for pattern in valid)
        }
        chosen = outer | text.options
        self._places[text.id, ""] = (self._located.file, self._located.line_of((*path, "id")))
        for key in ("entities", "personal", *text.options):
            here = (*path, "options", key) if key in text.options else (*path, key)
            self._places[text.id, key] = (self._located.file, self._located.line_of(here))
        self._places |= {(text.id, name): (ENVIRONMENT, None) for name in outer.keys() - text.options.keys()}
        for name, value in chosen.items():
            fault = feed.check_option(name, value)
            if fault is not None:
                raise _option_error(self._places, text.id, f"{name} {fault}")
        for fault in feed.check_options(chosen, ()):
            raise _option_error(self._places, text.id, fault)
        return chosen

    def _claim_folders(self, subscription: Subscription, path: tuple[str | int, ...]) -> None:
        for name in subscription.destinations:
            folder = self._read.destinations[name].folder(subscription)
            other = self._folders.setdefault((name, folder), subscription.id)
            if other != subscription.id:
                raise self._error(
                    f"'{subscription.id}' would write over the files of '{other}' in the destination '{name}'",
                    (*path, "destinations"),
                    found=f"both in {folder}",
                    todo="put {recipient}, {feed} or {subscription} into the destination's path",
                )


def check_subscriptions(settings: Settings, exports: Iterable[Export]) -> tuple[str, ...]:
    """Check entities, jobs and schedules of all subscriptions against the exports that the models give.

    Returns warnings. Raises SettingsError with file and line.
    """
    known = tuple(exports)
    return tuple(warning for one in settings.subscriptions for warning in _check_subscription(settings, one, known))


def _check_subscription(settings: Settings, one: Subscription, exports: tuple[Export, ...]) -> Iterator[str]:
    feed = FEEDS[one.feed]
    own = [export for export in exports if export.feed == one.feed]
    entities = {export.entity for export in own}
    for entity in one.entities:
        if entity not in entities:
            file, line = settings.place(one, "entities")
            what = f"'{entity}' is not an entity of the feed {one.feed}"
            raise SettingsError(what, file=file, line=line, todo=nearest(entity, entities))
    _check_personal(settings, one, own)
    for fault in feed.check_options(one.options, own, safety_lag=settings.safety_lag):
        raise _option_error(settings._places, one.id, fault)  # noqa: SLF001 - the same module
    taken = [export for export in own if feed.cron(one, export) is not None]
    if not taken:
        yield f"{one.id}: receives nothing: no export of its entities has a schedule"
    yield from (f"{one.id}: {warning}" for warning in feed.warnings(one.options, taken))


def _check_personal(settings: Settings, one: Subscription, exports: Iterable[Export]) -> None:
    """Refuse treatments of columns that are not personal, and keys that would be left out."""
    file, line = settings.place(one, "personal")
    contracts = {export.entity: export.contract for export in exports}
    personal = [
        f"{entity}.{column.name}"
        for entity, contract in contracts.items()
        for column in contract.columns
        if column.is_personal
    ]
    for name, _ in one.personal.columns:
        if name not in personal:
            what = f"'{name}' is not a personal column of the feed {one.feed}"
            todo = f"{nearest(name, personal)}, or mark the column personal: true in its model"
            raise SettingsError(what, file=file, line=line, todo=todo)
    for entity, contract in contracts.items():
        left_out = set(one.personal.of(entity, contract, Treatment.LEFT_OUT)) & set(contract.key)
        if left_out and (not one.entities or entity in one.entities):
            name = f"{entity}.{min(left_out)}"
            what = f"'{name}' is part of a key, which cannot be left out for '{one.id}'"
            todo = f"hash it: personal: columns: {{{name}: hashed}}"
            raise SettingsError(what, file=file, line=line, todo=todo)


def _option_error(places: Mapping[tuple[str, str], tuple[str, int | None]], id_: str, fault: str) -> SettingsError:
    """Place what a feed says at the option that the text begins with, or at its subscription."""
    option, _, rest = fault.partition(" ")
    file, line = places.get((id_, option)) or places[id_, ""]
    return SettingsError(f"{option} of '{id_}': {rest}", file=file, line=line)


def _secret_parts(url: str) -> set[str]:
    """Return the passwords of a URL or connection text, as they are, decoded and encoded, and the text around them."""
    passwords = [match["password"] for match in _CREDENTIALS.finditer(url)]
    # Where an @ of a password is not escaped, a server takes what stands behind it for a host, and says so.
    passwords += [part for one in tuple(passwords) for part in one.split("@")]
    passwords += [match["quoted"] or match["plain"] for match in _PASSWORD.finditer(url)]
    known = [password for password in passwords if password]
    spellings = {form(one) for one in known for form in (str, unquote, unquote_plus)}
    spellings |= {
        form(one) for one in tuple(spellings) for form in (quote, quote_plus, lambda text: quote(text, safe=""))
    }
    return {*spellings, url} if known else set()

"""Reads offramp.yaml and the environment, and checks each name against the others. Errors name file and line."""

from __future__ import annotations

import os
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr, ValidationError

from offramp.domain.errors import SettingsError, nearest
from offramp.domain.personal import Personal, Treatment
from offramp.domain.subscriptions import Subscription
from offramp.domain.yaml_lines import Located, compose
from offramp.feeds.registry import FEEDS
from offramp.settings.checking import option_error
from offramp.settings.delivery_options import (
    DELIVERY_NAMES,
    SECRET_NAMES,
    destinations_in,
    faults,
    inherited,
    option_of,
)
from offramp.settings.destinations import DESTINATION, DestinationSettings, LocalDestination
from offramp.settings.secrets import CREDENTIALS
from offramp.settings.shapes import IN_FOLDERS, FileText, PostgresSource, SubscriptionText
from offramp.settings.urls import destination_at
from offramp.settings.values import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from offramp.domain.ports import Feed

CONFIG_VARIABLE = "OFFRAMP_CONFIG"
DEFAULT_FILE = "offramp.yaml"
ENVIRONMENT = "the environment"
_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://", "postgresql+psycopg://")


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
        read = FileText.model_validate(values)
    except ValidationError as refused:
        # The cause is cut off: it holds the whole input, secrets too.
        raise _explain(refused, located, values) from None
    return _Reading(read, located, variables).settings()


def place_settings(url: str, *, environment: Mapping[str, str] | None = None) -> tuple[DestinationSettings, str]:
    """Return the settings and the folder of a place given as a URL, without any file; see ``urls.destination_at``."""
    return destination_at(url, os.environ if environment is None else environment)


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
    return None if text is None else CREDENTIALS.sub("://***@", text)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A folder that belongs to a subscription, or to the platform itself (None)."""

    subscription_id: str | None
    by: str
    place: Path


class _Reading:
    """Turns what was read into settings, checking each name against the others."""

    def __init__(self, read: FileText, located: Located, variables: Mapping[str, str]) -> None:
        self._read = read
        self._located = located
        self._variables = variables
        self._root = Path(located.file).absolute().parent
        self._places: dict[tuple[str, str], tuple[str, int | None]] = {}
        folders = {f"folder of {name}": one.folder for name, one in read.sources.items() if isinstance(one, IN_FOLDERS)}
        own = {
            "lake": read.lake,
            "scratch": read.scratch,
            "dagster_home": read.dagster_home,
            "models": read.models / "models",
            "ledger": _ledger_file(read),
        }
        self._taken = [
            _Taken(None, f"the setting {key}", _place(self._root / folder))
            for key, folder in (own | folders).items()
            if folder is not None
        ]

    def settings(self) -> Settings:
        read, root = self._read, self._root
        sources = {
            name: one.model_copy(update={"folder": root / one.folder}) if isinstance(one, IN_FOLDERS) else one
            for name, one in read.sources.items()
        }
        for name, one in sources.items():
            if isinstance(one, PostgresSource):
                self._check_url(one.url.get_secret_value(), ("sources", name, "url"))
        self._destinations = {name: _below(root, one) for name, one in read.destinations.items()}
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
            destinations=self._destinations,
            subscriptions=subscriptions,
            overlooked=self._overlooked(),
            exposed=tuple(self._exposed()),
            places=self._places,
        )

    def _overlooked(self) -> tuple[str, ...]:
        """Return variables of the environment that look like options of a feed in use, and are none."""
        feeds = {one.feed for recipient in self._read.recipients.values() for one in recipient.subscriptions}
        valid = [pattern for feed in sorted(feeds) for pattern in (*FEEDS[feed].option_names(), *DELIVERY_NAMES)]
        starts = tuple(pattern.removesuffix("*") for pattern in valid if pattern.endswith("*"))
        return tuple(
            name
            for name in sorted(self._variables)
            if (name.upper().startswith(starts) or get_close_matches(name.upper(), valid, n=1, cutoff=0.85))
            and not any(fnmatchcase(name, pattern) for pattern in valid)
        )

    def _exposed(self) -> Iterator[str]:
        """Yield the keys of secrets that the file holds itself, rather than the name of a variable."""
        for path, written in self._located.texts.items():
            key, parent = path[-1], path[:-1]
            is_key = parent[:1] == ("destinations",) and isinstance(
                getattr(self._read.destinations.get(str(path[1])), str(key), None), SecretStr
            )
            if written and "${" not in written and (is_key or key in SECRET_NAMES):
                yield f"{key} in line {self._located.line_of(path)}"

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
        file = _ledger_file(self._read)
        if file is not None:
            return SecretStr(f"{_SQLITE}{self._root / file}")
        if not url.startswith(("postgresql://", "postgresql+psycopg://")):
            expected = "sqlite:///<path> or postgresql://<user>:<password>@<host>/<database>"
            raise self._error("the ledger's URL is of no known kind", ("ledger",), expected=expected)
        self._check_url(url, ("ledger",))
        return self._read.ledger

    def _subscription(self, recipient: str, text: SubscriptionText, path: tuple[str | int, ...]) -> Subscription:
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
        fault = feed.check_tenants(text.tenants)
        if fault is not None:
            raise self._error(fault, (*path, "tenants"), found=", ".join(text.tenants))
        options = self._options(feed, text, path)
        destinations = (*text.destinations, *self._destinations_of(text, options, path))
        if not destinations:
            what = f"'{text.id}' has no destination"
            todo = "add destinations: [<name>], or options such as S3_BUCKET"
            raise self._error(what, (*path, "id"), todo=todo)
        subscription = Subscription(
            id=text.id,
            recipient=recipient,
            feed=text.feed,
            tenants=tuple(text.tenants),
            starts_on=text.starts_on or first_day,
            destinations=destinations,
            entities=tuple(text.entities),
            initial=text.initial,
            sends_deletes=text.deletes,
            prefix=text.prefix,
            personal=self._personal(text, path),
            options={name: value for name, value in options.items() if name not in DELIVERY_NAMES},
            deliveries={name: self._destinations[name].delivery for name in destinations},
        )
        self._claim_folders(subscription, path)
        return subscription

    def _personal(self, text: SubscriptionText, path: tuple[str | int, ...]) -> Personal:
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

    def _options(self, feed: Feed, text: SubscriptionText, path: tuple[str | int, ...]) -> dict[str, str]:
        """Return the options of the environment under those of the file, each checked."""
        valid = (*feed.option_names(), *DELIVERY_NAMES)
        of_others = {name for other in FEEDS.values() if other is not feed for name in other.option_names()}
        outer = {
            # A block that was pasted from Windows brings the carriage returns of its lines.
            name: value.removesuffix("\r")
            for name, value in sorted(self._variables.items())
            if any(fnmatchcase(name, pattern) for pattern in valid) and name not in of_others
        }
        outer = inherited(outer, text.options)
        chosen = outer | text.options
        self._places[text.id, ""] = (self._located.file, self._located.line_of((*path, "id")))
        for key in ("entities", "personal", *text.options):
            here = (*path, "options", key) if key in text.options else (*path, key)
            self._places[text.id, key] = (self._located.file, self._located.line_of(here))
        self._places |= {(text.id, name): (ENVIRONMENT, None) for name in outer.keys() - text.options.keys()}
        own = {name: value for name, value in chosen.items() if name not in DELIVERY_NAMES}
        for name, value in own.items():
            if not any(fnmatchcase(name, pattern) for pattern in valid):
                said = f"{name} is not an option of {feed.name}; {nearest(name, valid)}"
                raise option_error(self._places, text.id, said)
            fault = feed.check_option(name, value)
            if fault is not None:
                raise option_error(self._places, text.id, f"{name} {fault}")
        for fault in (*faults(chosen), *feed.check_options(own, ())):
            raise option_error(self._places, text.id, fault)
        return chosen

    def _destinations_of(
        self, text: SubscriptionText, options: Mapping[str, str], path: tuple[str | int, ...]
    ) -> tuple[str, ...]:
        """Make the destinations that options name, and return their names."""
        found = []
        for short, settings in destinations_in(options).items():
            name = f"{text.id}:{short}"
            try:
                one = DESTINATION.validate_python(settings)
            except ValidationError as refused:
                fault = refused.errors(include_url=False, include_input=False)[0]
                said = f"{option_of(fault['loc'], str(settings['kind']))} does not do: {fault['msg']}"
                # The cause is cut off: it holds the whole input, secrets too.
                raise option_error(self._places, text.id, said) from None
            self._destinations[name] = _below(self._root, one)
            self._places[text.id, name] = (self._located.file, self._located.line_of((*path, "options")))
            found.append(name)
        return tuple(found)

    def _claim_folders(self, subscription: Subscription, path: tuple[str | int, ...]) -> None:
        """Refuse a folder in or above that of another subscription, or of the platform's own files.

        Letters' case counts for nothing, as on some disks, and names of destinations neither. At a server the
        folders of one account are compared, in a store those of one bucket.
        """
        for name in dict.fromkeys(subscription.destinations):
            settings = self._destinations[name]
            folder = settings.folder(subscription)
            place = _place(Path(folder)) if isinstance(settings, LocalDestination) else _remote(settings, folder)
            for taken in self._taken:
                if taken.subscription_id == subscription.id and place == taken.place:
                    raise self._error(
                        f"two destinations of '{subscription.id}' are one place: '{name}' and that of {taken.by}",
                        (*path, "destinations"),
                        found=settings.shown(subscription),
                        todo="take one of them out, or give them folders of their own",
                    )
                if taken.subscription_id != subscription.id and _are_nested(place, taken.place):
                    raise self._error(
                        f"'{subscription.id}' would write into the folder of {taken.by}, by the destination '{name}'",
                        (*path, "destinations"),
                        found=f"{settings.shown(subscription)} and {taken.place}",
                        todo="put {recipient}, {feed} or {subscription} into the destination's path, or set prefix:",
                    )
            self._taken.append(_Taken(subscription.id, f"'{subscription.id}' ({name})", place))


def _place(folder: Path) -> Path:
    return Path(os.path.realpath(folder).casefold())


def _remote(settings: DestinationSettings, folder: str) -> Path:
    return Path(f"{settings.authority}/{folder}".casefold())


def _below(root: Path, settings: DestinationSettings) -> DestinationSettings:
    """Return a destination's settings with their paths on this machine made absolute."""
    paths = {name: root / value for name, value in vars(settings).items() if isinstance(value, Path)}
    return settings.model_copy(update=paths)


def _ledger_file(read: FileText) -> Path | None:
    """Return the path of a ledger that is a file, as it stands in the settings; None for a server's."""
    url = read.ledger.get_secret_value()
    return Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None


def _are_nested(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)

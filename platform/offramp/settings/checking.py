"""Checks of subscriptions against the exports that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.errors import SettingsError, nearest
from offramp.domain.personal import Treatment
from offramp.feeds.registry import FEEDS
from offramp.settings.delivery_options import DELIVERY_NAMES
from offramp.settings.secrets import SHORTEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from offramp.domain.exports import Export
    from offramp.domain.subscriptions import Subscription
    from offramp.settings.values import Settings


def check_subscriptions(settings: Settings, exports: Iterable[Export]) -> tuple[str, ...]:
    """Check entities, jobs and schedules of all subscriptions against the exports that the models give.

    Returns warnings. Raises SettingsError with file and line.
    """
    known = tuple(exports)
    own = {name for one in settings.subscriptions for name in FEEDS[one.feed].option_names()}
    valid = sorted(own.union(DELIVERY_NAMES))
    overlooked = tuple(
        f"the variable {name} of the environment is no option, and is passed over; {nearest(name.upper(), valid)}"
        for name in settings.overlooked
    )
    exposed = tuple(
        f"{key} is a secret and stands in the file: write ${{NAME}} in its place, and set NAME in the environment"
        for key in settings.exposed
    )
    short = (
        f"{what} is shorter than {SHORTEST} characters, so it is not taken out of messages"
        for what in settings.short_secrets()
    )
    found = (warning for one in settings.subscriptions for warning in _check_subscription(settings, one, known))
    return (*overlooked, *exposed, *short, *found)


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
        raise option_error(settings.places, one.id, fault)
    for name, listed in one.deliveries.items():
        for fault in feed.check_delivery(listed, own):
            file, line = settings.place(one, name)
            raise SettingsError(f"the delivery list of '{name}' {fault}", file=file, line=line)
    taken = [export for export in own if feed.cron(one, export) is not None]
    if not taken:
        yield f"{one.id}: receives nothing: no export of its entities has a schedule"
    yield from (f"{one.id}: {warning}" for warning in feed.warnings(one.options, taken))
    for name in one.destinations:
        yield from (f"{one.id}: {name}: {warning}" for warning in settings.destinations[name].warnings())


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
        if left_out and one.takes(entity):
            name = f"{entity}.{min(left_out)}"
            what = f"'{name}' is part of a key, which cannot be left out for '{one.id}'"
            todo = f"hash it: personal: columns: {{{name}: hashed}}"
            raise SettingsError(what, file=file, line=line, todo=todo)


def option_error(places: Mapping[tuple[str, str], tuple[str, int | None]], id_: str, fault: str) -> SettingsError:
    """Place what a feed says at the option that the text begins with, or at its subscription."""
    option, _, rest = fault.partition(" ")
    file, line = places.get((id_, option)) or places[id_, ""]
    return SettingsError(f"{option} of '{id_}': {rest}", file=file, line=line)

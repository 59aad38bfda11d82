"""What belongs to a user's account: sub-profiles, free properties and stored payment methods.

When a user is erased, this goes too, within a day or two: profiles and payment methods are blanked and
marked, for views and payments point to them; properties are removed for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.draw import Draw, instants, spoil
from offramp.sources.demo.moments import Part
from offramp.sources.demo.picking import picked_alike
from offramp.sources.demo.versions import version
from offramp.sources.demo.words import (
    AGE_LIMITS,
    AVATARS,
    CAPTURES,
    CARD_STARTS,
    CURRENCIES,
    FIRST_NAMES,
    LANGUAGES,
    PROFILE_GENDERS,
    PROFILE_IDS,
    STORED_METHODS,
    USER_PROPERTIES,
    USER_VALUES,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from offramp.sources.demo.chapter import Beginning, First, Shift, Versions

_PROFILES_OF_A_USER = 5
_BLANK_NAME = "deleted"
_PERSONAL = ("payment_info", "ext_agreement_ref", "capture_attempt_log")
_LONGEST_LOG = 4000
_OWNER = ("user_id", "tenant", "registration_date")


def begin(beginning: Beginning) -> First:
    """Return what users have when the demo begins."""
    draw, state = beginning.draw, beginning.state
    owners = state.rows("users").select(pl.col("id").alias("user_id"), *_OWNER[1:])
    n = len(owners)
    counts = draw.rng.choice(6, n, p=(0.66, 0.14, 0.11, 0.06, 0.02, 0.01))
    owner, place = np.nonzero(draw.rng.random((n, len(USER_PROPERTIES))) < 0.2)
    stored = draw.rng.choice(3, n, p=(0.67, 0.28, 0.05))
    profiles = _profiles(draw, owners[np.repeat(np.arange(n), counts)], _turns(counts))
    is_deleted = pl.Series(draw.chance(0.06, len(profiles)))
    return {
        "users_profiles": _begun(beginning, profiles.with_columns(deleted=is_deleted)),
        "users_metadata": _begun(beginning, _properties(draw, owners[owner], place, first_id=1)),
        "users_payment_methods": _begun_methods(beginning, owners[np.repeat(np.arange(n), stored)]),
    }


def live(shift: Shift) -> Versions:
    """Return the versions of one part of a day. Most things change by day; profiles at night or in the evening."""
    users = shift.state.rows("users").select(pl.col("id").alias("user_id"), *_OWNER[1:], "deleted")
    owners, erased = users.filter(~pl.col("deleted")), users.filter("deleted")
    if shift.part is Part.WORK:
        return {
            "users_metadata": _live_properties(shift, owners, erased),
            "users_payment_methods": _live_methods(shift, owners, erased),
        }
    changes_at_night = shift.number % 2 == 0
    versions: dict[str, Sequence[pl.DataFrame]] = {}
    if changes_at_night == (shift.part is Part.NIGHT):
        versions["users_profiles"] = _live_profiles(shift, owners, erased)
    if shift.part is Part.NIGHT:
        versions["users_payment_methods"] = _captured(shift)
    return versions


def _turns(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return 1 up to each count, one after the other."""
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    return np.arange(len(starts)) - starts + 1


def _begun(beginning: Beginning, rows: pl.DataFrame) -> pl.DataFrame:
    """Return first versions: made after their user signed up, half of them changed since."""
    n = len(rows)
    when = beginning.before(n, days=700)
    changed = pl.max_horizontal("registration_date", instants(beginning.draw.rng.permutation(when.changed)))
    is_new = pl.Series(beginning.draw.chance(0.5, n))
    registered = pl.when(is_new).then(changed).otherwise("registration_date")
    rows = rows.with_columns(registered.alias("registered"), changed.alias("last_updated"))
    return version(rows.drop("registration_date"), when)


def _added(shift: Shift, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the first versions of new rows; what is made late at night is never older than its user."""
    when = shift.moments(len(rows))
    changed = pl.max_horizontal("registration_date", instants(when.changed))
    rows = rows.with_columns(changed.alias("registered"), changed.alias("last_updated"))
    return version(rows.drop("registration_date"), when)


def _split(rows: pl.DataFrame, erased: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of users that are still there, and those of erased users."""
    kept = rows.join(erased, on="user_id", how="anti", maintain_order="left")
    return kept, rows.join(erased, on="user_id", how="semi", maintain_order="left")


def _profiles(draw: Draw, owners: pl.DataFrame, turns: NDArray[np.int64]) -> pl.DataFrame:
    """Return profiles; ``turns`` numbers them within their users, so that ids that clients chose are different."""
    n = len(owners)
    chosen = draw.pick(PROFILE_IDS, n) + "-" + pl.Series(turns).cast(pl.String)
    # Days since 1970: from 1960 to 2022.
    birthdays = pl.Series(draw.whole(-3_653, 18_993, n)).cast(pl.Int32).cast(pl.Date)
    return owners.select(
        chosen.zip_with(pl.Series(draw.chance(0.08, n)), draw.uuid(n)).alias("subprofileid"),
        "user_id",
        _names(draw, n).alias("sub_profile_name"),
        birthdays.set(pl.Series(draw.chance(0.4, n)), None).alias("birth_date"),
        spoil(draw.pick(PROFILE_GENDERS, n), draw.chance(0.3, n)).alias("gender"),
        spoil(draw.pick(AGE_LIMITS, n), draw.chance(0.4, n)).alias("age_limit"),
        _settings(draw, n).alias("properties"),
        pl.lit(value=False).alias("deleted"),
        "tenant",
        "registration_date",
    )


def _names(draw: Draw, n: int) -> pl.Series:
    return draw.text(FIRST_NAMES, n, odd=0.1).str.slice(0, 30)


def _settings(draw: Draw, n: int) -> pl.Series:
    """Return compact JSON texts, their keys always in the same order."""
    settings = pl.DataFrame(
        {
            "avatar": draw.pick(AVATARS, n),
            "language": spoil(draw.pick(LANGUAGES, n), draw.chance(0.2, n)),
            "autoplay": pl.Series(draw.chance(0.7, n)),
            "volume": pl.Series(draw.whole(0, 101, n)),
            "greeting": draw.text(FIRST_NAMES, n, odd=0.3, null=0.3),
        }
    )
    return spoil(settings.to_struct("settings").struct.json_encode(), draw.chance(0.15, n))


def _live_profiles(shift: Shift, owners: pl.DataFrame, erased: pl.DataFrame) -> Sequence[pl.DataFrame]:
    draw, name = shift.draw, "users_profiles"
    every = shift.state.rows(name)
    rows, orphans = _split(every, erased)
    # Those that their users deleted before are blanked too.
    rows, orphans = rows.filter(~pl.col("deleted")), orphans.filter(pl.col("sub_profile_name") != _BLANK_NAME)
    gone, edits = draw.count(0.002 * len(rows)), draw.count(0.01 * len(rows))
    chosen = shift.choose(rows, gone + edits)
    edited = chosen.slice(gone)
    n = len(edited)
    counts = every.group_by("user_id").len("had")
    new = shift.choose(owners, draw.count(max(3.0, 6 * shift.scale)))
    had = new.join(counts, on="user_id", how="left", maintain_order="left").with_columns(pl.col("had").fill_null(0))
    new = had.filter(pl.col("had") < _PROFILES_OF_A_USER)
    blank = {column: pl.lit(None, every.schema[column]) for column in ("birth_date", "gender", "properties")}
    deleted = pl.lit(value=True)
    return [
        shift.change(name, chosen.slice(0, gone), deleted=deleted),
        shift.change(name, edited, sub_profile_name=_names(draw, n), properties=_settings(draw, n)),
        shift.change(name, orphans, sub_profile_name=pl.lit(_BLANK_NAME), deleted=deleted, **blank),
        _added(shift, _profiles(draw, new, new.get_column("had").cast(pl.Int64).to_numpy() + 1)).select(every.columns),
    ]


def _properties(draw: Draw, owners: pl.DataFrame, places: NDArray[np.int64], *, first_id: int) -> pl.DataFrame:
    """Return properties of users; ``places`` says which of USER_PROPERTIES each is."""
    names, hidden, changeable = (pl.Series(column).gather(places) for column in zip(*USER_PROPERTIES, strict=True))
    n = len(owners)
    return owners.select(
        pl.int_range(first_id, first_id + n, dtype=pl.Int64, eager=True).alias("id"),
        "user_id",
        names.alias("name"),
        _values(draw, n).alias("value"),
        hidden.alias("hidden"),
        changeable.alias("allow_user_to_update"),
        "tenant",
        "registration_date",
    )


def _values(draw: Draw, n: int) -> pl.Series:
    return draw.text(USER_VALUES, n, odd=0.12, null=0.04, empty=0.04)


def _live_properties(shift: Shift, owners: pl.DataFrame, erased: pl.DataFrame) -> Sequence[pl.DataFrame]:
    """Return set, changed and removed properties; all of them are set by day."""
    draw, name = shift.draw, "users_metadata"
    every = shift.state.rows(name)
    rows, orphans = _split(every, erased)
    cleared, edits = draw.count(max(1.0, 3 * shift.scale)), draw.count(0.01 * len(rows))
    chosen = shift.choose(rows, cleared + edits)
    edited = chosen.slice(cleared)
    new = shift.choose(owners, draw.count(max(4.0, 15 * shift.scale)))
    places = draw.whole(0, len(USER_PROPERTIES), len(new))
    added = _properties(draw, new, places, first_id=shift.state.next_id(name))
    # A property that was removed in this part may not come back in it: the ids differ, but readers join by name.
    added = added.join(every, on=("user_id", "name"), how="anti", maintain_order="left")
    return [
        shift.remove(pl.concat([chosen.slice(0, cleared), orphans])),
        shift.change(name, edited, value=_values(draw, len(edited))),
        _added(shift, added).select(every.columns),
    ]


def _methods(draw: Draw, owners: pl.DataFrame, providers: pl.DataFrame) -> pl.DataFrame:
    """Return stored payment methods without their dates, at providers of their users' tenants that can store them."""
    types = pl.DataFrame(STORED_METHODS, schema=("payment_method", "type"), orient="row")
    usable = providers.filter("enabled").join(types, on="payment_method", maintain_order="left")
    if not len(usable):
        owners, usable = owners.clear(), providers.with_columns(pl.lit(None, pl.String).alias("type"))
    chosen = picked_alike(draw, usable, owners.get_column("tenant"))
    n = len(owners)
    is_wallet = draw.chance(0.2, n) & (chosen.get_column("type") == "CREDIT_CARD").to_numpy()
    kind = spoil(chosen.get_column("type"), is_wallet, "PAYPAL")
    return owners.select(
        draw.uuid(n).alias("id"),
        "user_id",
        chosen.get_column("id").alias("payment_provider_id"),
        kind.alias("user_payment_method_type"),
        pl.lit("ACTIVE").alias("user_payment_method_status"),
        spoil(_masked(draw, kind), draw.chance(0.04, n)).alias("payment_info"),
        pl.lit(None, pl.Datetime("us")).alias("expire_date"),
        spoil("agr-" + draw.hex(12, n), draw.chance(0.25, n)).alias("ext_agreement_ref"),
        pl.Series(draw.chance(0.6, n)).alias("allow_one_click_buy"),
        pl.lit(None, pl.String).alias("capture_attempt_log"),
        spoil(owners.get_column("tenant").replace_strict(CURRENCIES), draw.chance(0.02, n)).alias("currency"),
        "tenant",
        "registration_date",
    ).filter(chosen.get_column("tenant") == owners.get_column("tenant"))


def _masked(draw: Draw, kind: pl.Series) -> pl.Series:
    n = len(kind)
    last = pl.Series(draw.whole(0, 10_000, n)).cast(pl.String).str.zfill(4)
    masked = {
        "CREDIT_CARD": draw.pick(CARD_STARTS, n) + "******" + last,
        "PAYPAL": draw.pick(LANGUAGES, n) + "***@example.com",
        "MOBILE": "+47 **** " + last,
        "DIRECT_DEBIT": "**** **** " + last,
    }
    result = last
    for name, text in masked.items():
        result = text.zip_with(kind == name, result)
    return result


def _dated(draw: Draw, rows: pl.DataFrame) -> pl.DataFrame:
    """Return payment methods with the end of their validity: that of a card is the last second of a month."""
    n = len(rows)
    months = pl.Series(draw.whole(1, 60, n)).cast(pl.String) + "mo"
    of_card = pl.col("registered").dt.truncate("1mo").dt.offset_by(pl.lit(months)) - pl.duration(seconds=1)
    of_other = pl.col("registered").dt.truncate("1d") + pl.duration(days=pl.lit(pl.Series(draw.whole(30, 1200, n))))
    is_open = pl.Series(draw.chance(0.4, n))
    is_card = pl.col("user_payment_method_type") == "CREDIT_CARD"
    return rows.with_columns(pl.when(is_card).then(of_card).when(~is_open).then(of_other).alias("expire_date"))


def _begun_methods(beginning: Beginning, owners: pl.DataFrame) -> pl.DataFrame:
    draw = beginning.draw
    rows = _dated(draw, _begun(beginning, _methods(draw, owners, beginning.state.rows("payment_providers"))))
    n, changed, expires = len(rows), pl.col("last_updated"), pl.col("expire_date")
    is_removed = pl.Series(draw.chance(0.06, n))
    is_over = (expires.cast(pl.Int64) < beginning.midnight).fill_null(value=False) & ~is_removed
    status = (
        pl.when(is_removed).then(pl.lit("REMOVED")).when(is_over).then(pl.lit("EXPIRED")).otherwise(pl.lit("ACTIVE"))
    )
    return rows.with_columns(
        status.alias("user_payment_method_status"),
        _log(draw, n, null=0.5).alias("capture_attempt_log"),
        pl.when(is_over).then(pl.max_horizontal(changed, expires)).otherwise(changed).alias("last_updated"),
    )


def _log(draw: Draw, n: int, *, null: float = 0.0) -> pl.Expr:
    """Return the line that an attempt to capture a payment leaves at the time of the change."""
    return pl.col("last_updated").dt.strftime("%Y-%m-%dT%H:%M:%SZ ") + draw.text(CAPTURES, n, odd=0.05, null=null)


def _captured(shift: Shift) -> Sequence[pl.DataFrame]:
    """Return the methods with which renewals were paid at night."""
    name = "users_payment_methods"
    rows = shift.state.rows(name).filter(pl.col("user_payment_method_status") == "ACTIVE")
    chosen = shift.choose(rows, shift.draw.count(0.01 * len(rows)))
    line = _log(shift.draw, len(chosen))
    log = pl.concat_str("capture_attempt_log", line, separator="\n", ignore_nulls=True).str.tail(_LONGEST_LOG)
    return [shift.change(name, chosen, capture_attempt_log=log)]


def _live_methods(shift: Shift, owners: pl.DataFrame, erased: pl.DataFrame) -> Sequence[pl.DataFrame]:
    """Return new, expired and removed payment methods, and those whose user allows to buy without being asked."""
    draw, name, status = shift.draw, "users_payment_methods", "user_payment_method_status"
    every = shift.state.rows(name)
    rows, orphans = _split(every, erased)
    is_stored = pl.col(status) != "REMOVED"
    rows = rows.filter(is_stored)
    orphans = orphans.filter(is_stored | pl.any_horizontal(pl.col(*_PERSONAL).is_not_null()))
    is_over = (pl.col(status) == "ACTIVE") & (pl.col("expire_date").cast(pl.Int64) < shift.midnight)
    is_over = is_over.fill_null(value=False)
    removed, edits = draw.count(max(0.5, 4 * shift.scale)), draw.count(max(1.0, 5 * shift.scale))
    chosen = shift.choose(rows.filter(~is_over), removed + edits)
    new = shift.choose(owners, draw.count(max(2.0, 8 * shift.scale)))
    blank = {column: pl.lit(None, pl.String) for column in _PERSONAL}
    gone = pl.lit("REMOVED")
    added = _added(shift, _methods(draw, new, shift.state.rows("payment_providers")))
    return [
        shift.change(name, rows.filter(is_over), **{status: pl.lit("EXPIRED")}),
        shift.change(name, chosen.slice(0, removed), **{status: gone}),
        shift.change(name, chosen.slice(removed), allow_one_click_buy=~pl.col("allow_one_click_buy")),
        shift.change(name, orphans, **{status: gone}, **blank),
        _dated(draw, added).select(every.columns),
    ]

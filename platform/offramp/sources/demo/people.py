"""The demo's users: they sign up, sign in, edit their profile and ask to be forgotten."""

from __future__ import annotations

import numpy as np
import polars as pl

from offramp.sources.demo.draw import DAY, Draw, instants, spoil
from offramp.sources.demo.moments import Moments, Part, moments
from offramp.sources.demo.schema import TABLES, TENANTS
from offramp.sources.demo.versions import State, changed_at, version
from offramp.sources.demo.words import COUNTRIES, EMAIL_STATES, FIRST_NAMES, GENDERS, LAST_NAMES

USERS = TABLES["users"]
PERSONAL = (
    "email", "first_name", "last_name", "date_of_birth", "mobile_number", "zip", "gender", "ext_user_id",
    "email_status",
)  # fmt: skip


def tenants(ids: pl.Series) -> pl.Series:
    """Return whose rows ids are: three of five are the first tenant's."""
    first, second = TENANTS
    return pl.select(pl.when(ids % 5 < 3).then(pl.lit(first)).otherwise(pl.lit(second))).to_series()


def new_users(draw: Draw, first_id: int, when: Moments) -> pl.DataFrame:
    """Return users who sign up at the given moments."""
    n = len(when.changed)
    ids = pl.int_range(first_id, first_id + n, dtype=pl.Int64, eager=True)
    tenant = tenants(ids)
    first, last = draw.text(FIRST_NAMES, n, odd=0.03), draw.text(LAST_NAMES, n, odd=0.03)
    domain = draw.pick(("example.org", "example.com", "mail.example.net"), n)
    user_name = "user" + ids.cast(pl.String)
    countries = {name: draw.pick(choices, n) for name, choices in COUNTRIES.items()}
    registered = instants(when.changed)
    return version(
        pl.DataFrame(
            {
                "id": ids,
                "user_name": user_name,
                "email": spoil(user_name + "@" + domain, draw.chance(0.02, n)),
                "first_name": spoil(first, draw.chance(0.05, n)),
                "last_name": spoil(last, draw.chance(0.05, n), ""),
                "date_of_birth": _birthdays(draw, n),
                "mobile_number": spoil(_phones(draw, n), draw.chance(0.3, n)),
                "zip": spoil(pl.Series(draw.whole(0, 100_000, n)).cast(pl.String).str.zfill(5), draw.chance(0.1, n)),
                "country": countries[TENANTS[0]].zip_with(tenant == TENANTS[0], countries[TENANTS[1]]),
                "gender": spoil(draw.pick(GENDERS, n), draw.chance(0.4, n)),
                "ext_user_id": spoil("00" + draw.hex(8, n), draw.chance(0.8, n)),
                "email_status": draw.pick(EMAIL_STATES, n),
                "enabled": pl.Series(~draw.chance(0.01, n)),
                "deleted": pl.Series(np.zeros(n, dtype=bool)),
                "registration_date": registered,
                "last_login": registered.clone(),
                "last_updated": registered.clone(),
                "tenant": tenant,
            }
        ),
        when,
    )


def _birthdays(draw: Draw, n: int) -> pl.Series:
    # Days since 1970: from 1930 to 2010. The mask hides one in ten.
    days = pl.Series(draw.whole(-14_610, 14_610, n)).cast(pl.Int32).cast(pl.Date)
    return days.set(pl.Series(draw.chance(0.1, n)), None)


def _phones(draw: Draw, n: int) -> pl.Series:
    number = pl.Series(draw.whole(0, 100_000_000, n)).cast(pl.String).str.zfill(8)
    return draw.pick(("+47 ", "0047", "+49 (0) ", "0"), n) + number


def live_users(draw: Draw, state: State, midnight: int, part: Part, scale: float) -> list[pl.DataFrame]:
    """Return the versions of one part of a day."""
    share = part.value[2]
    rows = state.rows("users").filter(~pl.col("deleted"))
    logins = draw.count(0.04 * len(rows) * share)
    edits = draw.count(0.01 * len(rows) * share)
    erased = draw.count(max(2.0, 3 * scale) * share)
    total = min(logins + edits + erased, len(rows))
    chosen = rows[draw.rng.choice(len(rows), total, replace=False).astype(np.uint32)]
    when = moments(draw, midnight, part, total)
    chosen = changed_at(USERS, chosen, when)
    signed_in = chosen.slice(0, logins)
    edited = chosen.slice(logins, edits)
    gone = chosen.slice(logins + edits)
    sign_ups = draw.count(12 * scale * share)
    return [
        version(signed_in.with_columns(last_login=pl.col("last_updated")), when.cut(0, logins)),
        version(_edit(draw, edited), when.cut(logins, logins + edits)),
        version(_erase(gone), when.cut(logins + edits, total)),
        new_users(draw, state.next_id("users"), moments(draw, midnight, part, sign_ups)),
    ]


def _edit(draw: Draw, rows: pl.DataFrame) -> pl.DataFrame:
    n = len(rows)
    return rows.with_columns(
        last_name=draw.text(LAST_NAMES, n, odd=0.2, null=0.05, empty=0.05),
        mobile_number=_phones(draw, n),
        email_status=draw.pick(EMAIL_STATES, n),
    )


def _erase(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(
        *(pl.lit(None, rows.schema[name]).alias(name) for name in PERSONAL),
        ("deleted-" + pl.col("id").cast(pl.String)).alias("user_name"),
        pl.lit(value=True).alias("deleted"),
        pl.lit(value=False).alias("enabled"),
    )


def first_users(draw: Draw, midnight: int, scale: float) -> pl.DataFrame:
    """Return the users with whom the demo begins: they signed up within the two years before."""
    n = max(20, round(3000 * scale))
    changed = np.sort(midnight - draw.whole(DAY, 730 * DAY, n)) // 1_000_000 * 1_000_000
    return new_users(draw, 1001, Moments(changed, np.full(n, midnight, dtype=np.int64)))

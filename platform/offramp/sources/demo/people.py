"""The demo's users: they sign up, sign in and out, edit their profile and ask to be forgotten.

``users_login_logout`` is a log, so no state remembers which sessions are open. A session's values follow from its user
and its sign-in alone: whoever writes its end finds them again in ``users.last_login``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.draw import DAY, HOUR, MINUTE, SECOND, Draw, instants, spoil
from offramp.sources.demo.moments import Moments, Part, moments
from offramp.sources.demo.schema import TABLES, TENANTS
from offramp.sources.demo.versions import COMMITTED, State, changed_at, version
from offramp.sources.demo.words import (
    AGENTS,
    COUNTRIES,
    EMAIL_STATES,
    FIRST_NAMES,
    GENDERS,
    LAST_NAMES,
    SESSION_ENDS,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.demo.chapter import Beginning, First, Shift, Versions

USERS = TABLES["users"]
PERSONAL = (
    "email", "first_name", "last_name", "date_of_birth", "mobile_number", "zip", "gender", "ext_user_id",
    "email_status",
)  # fmt: skip

# A user signs in on one device, and often on others shortly before.
_DEVICES = 4
_LONGEST_SESSION = 14 * HOUR
# A log row can say that it was ingested up to 90 s before it could be seen. A sign-in is older than that, so that
# its log_time is never cut.
_SETTLED = 91 * SECOND
_LOG = ("user_id", "log_time", "action", "platform", "ip", "geo_country", "user_agent", "session_id", "tenant")


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
    """Return the versions of one part of a day: sign-ins, which are the first frame, then edits, erasures, sign-ups."""
    share = part.value[2]
    rows = state.rows("users").filter(~pl.col("deleted"))
    logins = draw.count(0.04 * len(rows) * share)
    edits = draw.count(0.01 * len(rows) * share)
    # At the smallest scales two a day would be more than sign up.
    erased = draw.count(min(max(2.0, 3 * scale), 0.004 * len(rows)) * share)
    total = min(logins + edits + erased, len(rows))
    chosen = rows[draw.rng.choice(len(rows), total, replace=False).astype(np.uint32)]
    when = moments(draw, midnight, part, total)
    chosen = changed_at(USERS, chosen, when)
    signed_in = chosen.slice(0, logins)
    edited = chosen.slice(logins, edits)
    gone = chosen.slice(logins + edits)
    sign_ups = draw.count(12 * scale * share)
    return [
        version(_sign_in(signed_in, when.cut(0, logins)), when.cut(0, logins)),
        version(_edit(draw, edited), when.cut(logins, logins + edits)),
        version(_erase(gone), when.cut(logins + edits, total)),
        new_users(draw, state.next_id("users"), moments(draw, midnight, part, sign_ups)),
    ]


def begin(beginning: Beginning) -> First:
    """Return the users with whom the demo begins."""
    return {"users": first_users(beginning.draw, beginning.midnight, beginning.scale)}


def live(shift: Shift) -> Versions:
    """Return the versions of one part of a day."""
    users = live_users(shift.draw, shift.state, shift.midnight, shift.part, shift.scale)
    return {"users": users, "users_login_logout": _sign_ins(shift, users[0])}


def _sign_ins(shift: Shift, signed_in: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the log rows of a part of a day, given the versions of users who sign in."""
    users = shift.state.rows("users").filter(~pl.col("deleted"))
    start, end, _ = shift.part.value
    first, last = (shift.midnight + hour * HOUR for hour in (start, end))
    # Who never signed in since the sign-up has no session that could end.
    is_recent = (pl.col("last_login").cast(pl.Int64) >= first - _LONGEST_SESSION) & (
        pl.col("last_login") > pl.col("registration_date")
    )
    kinds = {"LOGIN": signed_in, "OPEN": users.filter(is_recent), "LOGIN_FAILED": _failed(shift, users)}
    rows = pl.concat([frame.with_columns(pl.lit(kind).alias("action")) for kind, frame in kinds.items()])
    platforms = shift.state.rows("platforms").filter("enabled").get_column("name")
    every = sessions(rows, platforms)
    has_failed, is_new = pl.col("action") == "LOGIN_FAILED", pl.col("action") == "LOGIN"
    ends = pl.col("ends_at").cast(pl.Int64)
    ended = every.filter(~has_failed & (is_new | (ends >= first)) & (ends < last) & pl.col("ending").is_not_null())
    begun = every.filter(is_new | (has_failed & (pl.col("device") == 0)))
    return [
        begun.select(*_LOG, COMMITTED).with_columns(session_id=pl.when(~has_failed).then("session_id")),
        _ends(shift, ended, last),
    ]


def sessions(sign_ins: pl.DataFrame, platforms: pl.Series) -> pl.DataFrame:
    """Return the sessions of users' last sign-ins: one that begins at ``last_login``, and some on other devices before.

    ``action`` is kept; ``ending`` is the one that ends a session at ``ends_at``, NULL where nothing tells of its end.
    """
    rows = sign_ins[np.repeat(np.arange(len(sign_ins)), _DEVICES)]
    device = np.tile(np.arange(_DEVICES, dtype=np.uint64), len(sign_ins))
    at = rows.get_column("last_login").cast(pl.Int64).to_numpy()
    known = rows.get_column("registration_date").cast(pl.Int64).to_numpy()
    users = _scattered(rows.get_column("id").to_numpy().astype(np.uint64))
    lots = _Lots(_scattered(users ^ (at // SECOND).astype(np.uint64)) + device)
    before = np.where(device == 0, 0, lots.whole(1, 90 * 60) * SECOND)
    begins = np.maximum(at - before, known)
    ends = begins + lots.whole(10 * 60, _LONGEST_SESSION // SECOND) * SECOND
    return rows.select(
        pl.col("id").alias("user_id"),
        instants(begins).alias("log_time"),
        "action",
        *_client(lots, rows, platforms),
        (lots.hex() + lots.hex()).alias("session_id"),
        "tenant",
        pl.Series("device", device),
        instants(ends).alias("ends_at"),
        spoil(lots.pick(SESSION_ENDS), lots.chance(0.15)).alias("ending"),
        COMMITTED,
    ).filter(pl.Series((device == 0) | lots.chance(0.45)))


def _client(lots: _Lots, rows: pl.DataFrame, platforms: pl.Series) -> list[pl.Series]:
    """Return from where a session was opened. Addresses are of the blocks that are kept for documentation."""
    old = lots.pick(("192.0.2.", "198.51.100.", "203.0.113.")) + pl.Series(lots.whole(0, 256)).cast(pl.String)
    address = ("2001:db8::" + lots.hex().str.slice(0, 4)).zip_with(pl.Series(lots.chance(0.2)), old)
    away = {name: lots.pick(COUNTRIES[name]) for name in TENANTS}
    country = away[TENANTS[0]].zip_with(rows.get_column("tenant") == TENANTS[0], away[TENANTS[1]])
    country = country.zip_with(pl.Series(lots.chance(0.1)), rows.get_column("country"))
    return [
        spoil(lots.pick(platforms), lots.chance(0.02)).alias("platform"),
        spoil(address, lots.chance(0.03)).alias("ip"),
        spoil(country, lots.chance(0.03)).alias("geo_country"),
        spoil(lots.pick(AGENTS), lots.chance(0.04)).alias("user_agent"),
    ]


def _ends(shift: Shift, rows: pl.DataFrame, last: int) -> pl.DataFrame:
    """Return the ends of sessions. They become visible after the sessions' beginnings and before a part is over."""
    n = len(rows)
    known = pl.max_horizontal("ends_at", COMMITTED).cast(pl.Int64) + 1
    lag = shift.draw.whole(0, 3 * SECOND, n)
    lag = np.where(shift.draw.chance(0.06, n), shift.draw.whole(5 * MINUTE, 5 * HOUR, n), lag)
    committed = pl.min_horizontal(known + pl.Series(lag), last - 1)
    return rows.select(
        *(pl.col({"log_time": "ends_at", "action": "ending"}.get(name, name)).alias(name) for name in _LOG),
        committed.cast(pl.Datetime("us")).alias(COMMITTED),
    )


def _failed(shift: Shift, users: pl.DataFrame) -> pl.DataFrame:
    """Return users with the instants at which they tried to sign in; that opens no session."""
    n = shift.count(0.02 * len(users))
    when = shift.moments(n)
    return users[shift.draw.whole(0, max(len(users), 1), n)].with_columns(
        pl.max_horizontal("registration_date", instants(when.changed)).alias("last_login"),
        instants(when.committed).alias(COMMITTED),
    )


class _Lots:
    """Random columns that follow from a column of numbers, a new one at every call."""

    def __init__(self, seeds: NDArray[np.uint64]) -> None:
        self._seeds = seeds

    def _next(self) -> NDArray[np.uint64]:
        self._seeds = _scattered(self._seeds)
        return self._seeds

    def whole(self, low: int, high: int) -> NDArray[np.int64]:
        """Return whole numbers in [low, high)."""
        return (self._next() % np.uint64(high - low)).astype(np.int64) + low

    def chance(self, share: float) -> NDArray[np.bool_]:
        """Return a mask that holds for a share."""
        return self.whole(0, 1_000_000) < round(share * 1_000_000)

    def pick(self, values: tuple[str, ...] | pl.Series) -> pl.Series:
        """Return values picked evenly."""
        return pl.Series(values).gather(self.whole(0, len(values)))

    def hex(self) -> pl.Series:
        """Return texts of 16 lower-case hex digits."""
        characters = self._next().astype(">u8").tobytes().hex().encode()
        return pl.Series(np.frombuffer(characters, dtype="S16").astype(str), dtype=pl.String)


def _scattered(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread numbers over 64 bits, each always to the same one (splitmix64, Steele and others 2014)."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _sign_in(rows: pl.DataFrame, when: Moments) -> pl.DataFrame:
    at = np.minimum(when.changed, (when.committed - _SETTLED) // SECOND * SECOND)
    # One second after the last one where the news of a sign-in comes late: two sign-ins never share an instant.
    last_login = pl.max_horizontal(pl.col("last_login") + pl.duration(seconds=1), instants(at))
    return rows.with_columns(last_login=last_login).with_columns(
        last_updated=pl.max_horizontal("last_updated", "last_login")
    )


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

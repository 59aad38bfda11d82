"""The rows that land of points: when each was received, under which ids, and which payloads make users active."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from offramp.domain.quoting import literal

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

# An id that is one is kept. The text is normalised first: disks of macOS spell the same name with other code points.
_USER = """
    case when regexp_full_match(lower(user_text), '[0-9a-f]{24}') then lower(user_text)
    else left(sha256(nfc_normalize(user_text)), 24) end
"""


def latest_arrivals(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, datetime]]:
    """Return by file the latest instant at which its own column says that a point was received."""
    rows = connection.execute(
        "select file, max(received_at) from points where received_at is not null group by file order by file"
    ).fetchall()
    return [(number, latest.replace(tzinfo=UTC)) for number, latest in rows]


def instant_text(instant: datetime) -> str:
    """Return an instant as ISO 8601 in UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def select_fixes(app_id: str, instant: datetime, since: datetime | None) -> str:
    """Return the SELECT of fixes that were received from ``since`` on."""
    return f"""
        with received as ({_received(instant, since)})
        select {literal(app_id)} as app_id, user_id, tracked_at, latitude, longitude, accuracy, speed, received_at
        from received where {_is_new(since)}
    """


def select_payloads(app_id: str, instant: datetime, since: datetime | None) -> str:
    """Return the SELECT of a payload ``trip`` per file, user and UTC day on which the file was received.

    Its id is made of these three, so a file that is read again gives the same one.
    """
    return f"""
        with received as ({_received(instant, since)}),
        days as (
            select name, user_id, cast(stated_at as date) as stated_on, max(tracked_at) as occurred_at,
                min(received_at) as received_at
            from received group by all
        )
        select {literal(app_id)} as app_id, user_id,
            left(sha256(concat_ws('/', {literal(app_id)}, user_id, stated_on, name)), 24) as payload_id,
            'trip' as kind, occurred_at, received_at
        from days where {_is_new(since)}
    """


SELECTS: dict[str, Callable[[str, datetime, datetime | None], str]] = {
    "fixes": select_fixes,
    "payloads": select_payloads,
}
"""By table: app id, read point and the instant from which rows are wanted (None: all) give its SELECT."""


def _received(instant: datetime, since: datetime | None) -> str:
    """Return the SELECT of points with ``user_id`` and ``received_at``: never after the read point ``instant``.

    ``stated_at`` is what file or column say. A lake takes no row that was received before ``since``; a file that
    came since then, by a copy that kept its time or with an old ``received_at``, is received when it came.
    """
    came = "stated_at"
    if since is not None:
        came = f"case when stated_at < {_timestamp(since)} then greatest(stood_at, stated_at) else stated_at end"
    return f"""
        select *, {_USER} as user_id, least({came}, {_timestamp(instant)}) as received_at
        from (
            select files.name, coalesce(points.user_text, files.user_text) as user_text, points.tracked_at,
                points.latitude, points.longitude, points.accuracy, points.speed, files.stood_at,
                coalesce(points.received_at, files.arrived_at) as stated_at
            from points join files using (file)
        )
    """


def _is_new(since: datetime | None) -> str:
    return "true" if since is None else f"received_at >= {_timestamp(since)}"


def _timestamp(instant: datetime) -> str:
    return f"timestamp '{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"

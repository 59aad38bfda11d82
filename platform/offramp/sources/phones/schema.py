"""The raw tables of the phones: what a phone uploads is known from ``received_at`` on."""

from __future__ import annotations

from offramp.sources.demo.table import DemoTable, columns

RECEIVED = "received_at"
LINKED = "linked_at"
APP_IDS = ("5a689ab0e97b960500002109", "5c2e3f80a1d94b0600007b3e")


def _uploaded(name: str, text: str, key: tuple[str, ...]) -> DemoTable:
    return DemoTable(name, columns(text), RECEIVED, key, RECEIVED)


TABLES: dict[str, DemoTable] = {
    table.name: table
    for table in (
        _uploaded(
            "fixes",
            """
            app_id varchar
            user_id varchar
            tracked_at timestamp
            latitude double
            longitude double
            accuracy double
            speed double
            received_at timestamp
            """,
            ("user_id", "tracked_at", "latitude", "longitude"),
        ),
        _uploaded(
            "sdk_events",
            """
            app_id varchar
            user_id varchar
            event_id varchar
            occurred_at timestamp
            kind varchar
            activity varchar
            confidence double
            battery double
            received_at timestamp
            """,
            ("event_id",),
        ),
        _uploaded(
            "payloads",
            """
            app_id varchar
            user_id varchar
            payload_id varchar
            kind varchar
            occurred_at timestamp
            received_at timestamp
            """,
            ("payload_id",),
        ),
        _uploaded(
            "sensor_events",
            """
            app_id varchar
            user_id varchar
            event_id varchar
            kind varchar
            started_at timestamp
            ended_at timestamp
            magnitude double
            mean double
            angle double
            received_at timestamp
            """,
            ("event_id",),
        ),
        _uploaded(
            "waypoints",
            """
            app_id varchar
            user_id varchar
            tracked_at timestamp
            latitude double
            longitude double
            speed double
            speed_limit double
            road varchar
            received_at timestamp
            """,
            ("user_id", "tracked_at"),
        ),
        DemoTable(
            "venues",
            columns(
                """
                venue_id varchar
                name varchar
                brand varchar
                latitude double
                longitude double
                types varchar
                opening_hours varchar
                """
            ),
            None,
            ("venue_id",),
        ),
        DemoTable(
            "user_links",
            columns(
                """
                app_id varchar
                user_id varchar
                external_id varchar
                linked_at timestamp
                """
            ),
            LINKED,
            ("user_id",),
        ),
    )
}
UPLOADED = tuple(name for name, table in TABLES.items() if table.is_log)

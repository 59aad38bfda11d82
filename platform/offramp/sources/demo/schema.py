"""The demo's tables: columns in the order of media_exports.md section 8, then ``tenant``."""

from __future__ import annotations

from dataclasses import dataclass

TENANTS = ("aurora", "borealis")


@dataclass(frozen=True, slots=True)
class DemoTable:
    """A table of the demo. ``columns`` are (name, DuckDB type); ``is_log`` marks rows that are only added."""

    name: str
    columns: tuple[tuple[str, str], ...]
    change_column: str
    key: str = "id"
    ingestion_column: str | None = None

    @property
    def is_log(self) -> bool:
        """True for events: a row is written once and never changes."""
        return self.ingestion_column is not None


def _columns(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (line.split(maxsplit=1) for line in text.strip().splitlines())
    return tuple((name, kind.strip()) for name, kind in pairs)


_TABLES = (
    DemoTable(
        "users",
        _columns("""
            id bigint
            user_name varchar
            email varchar
            first_name varchar
            last_name varchar
            date_of_birth date
            mobile_number varchar
            zip varchar
            country varchar
            gender varchar
            ext_user_id varchar
            email_status varchar
            enabled boolean
            deleted boolean
            registration_date timestamp
            last_login timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "assets",
        _columns("""
            id bigint
            asset_type_id bigint
            title varchar
            description varchar
            subtitle varchar
            external_id varchar
            duration bigint
            accurate_duration decimal(12,3)
            live boolean
            live_broadcast_time timestamp
            drm_protected boolean
            archive boolean
            views bigint
            vote_count bigint
            keywords varchar
            deleted boolean
            create_time timestamp
            published_date timestamp
            update_time timestamp
            tenant varchar
        """),
        change_column="update_time",
    ),
    DemoTable(
        "asset_types",
        _columns("""
            id bigint
            name varchar
            description varchar
            external_id varchar
            active boolean
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "assets_views",
        _columns("""
            id bigint
            asset_id bigint
            category_id bigint
            user_id bigint
            subprofileid varchar
            platform varchar
            ip varchar
            geo_country varchar
            geo_isp varchar
            live boolean
            viewing_session varchar
            device_id varchar
            device_type varchar
            user_agent varchar
            duration decimal(12,3)
            watched_seconds bigint
            registered timestamp
            tenant varchar
            ingested_at timestamp
        """),
        change_column="registered",
        ingestion_column="ingested_at",
    ),
    DemoTable(
        "platforms",
        _columns("""
            id bigint
            name varchar
            description varchar
            region varchar
            enabled boolean
            registered timestamp
            last_updated timestamp
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "vvs_pools",
        _columns("""
            id uuid
            campaign_id uuid
            name varchar
            voucher_type varchar
            code_prefix varchar
            code_length bigint
            size bigint
            available_count bigint
            redeemed_count bigint
            start_date timestamptz
            expiry timestamptz
            created_at timestamptz
            updated_at timestamptz
            tenant varchar
        """),
        change_column="updated_at",
    ),
    DemoTable(
        "categories",
        _columns("""
            id bigint
            parent_id bigint
            asset_type_id bigint
            level_type varchar
            title varchar
            description varchar
            external_id varchar
            sort_index bigint
            deleted boolean
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
)

TABLES = {table.name: table for table in _TABLES}

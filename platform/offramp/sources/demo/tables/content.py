"""The content: assets, categories, platforms, files and views. (media_exports.md section 8)"""

from __future__ import annotations

from offramp.sources.demo.table import DemoTable, columns

TABLES = (
    DemoTable(
        "assets",
        columns("""
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
        "assets_items",
        columns("""
            id bigint
            asset_id bigint
            file_id bigint
            item_type varchar
            media_format varchar
            protocol varchar
            bitrate bigint
            drm_protected boolean
            sort_index bigint
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "assets_metadata",
        columns("""
            id bigint
            asset_id bigint
            name varchar
            value varchar
            lang varchar
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "assets_platforms",
        columns("""
            asset_id bigint
            platform_id bigint
            published boolean
            live_published boolean
            publish_start timestamp
            publish_end timestamp
            downloadable boolean
            license_start timestamp
            license_end timestamp
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
        key=("asset_id", "platform_id"),
    ),
    DemoTable(
        "assets_relations",
        columns("""
            id bigint
            from_asset_id bigint
            to_asset_id bigint
            relation_type varchar
            sort_index bigint
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "assets_views",
        columns("""
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
        "asset_categories",
        columns("""
            id bigint
            asset_id bigint
            category_id bigint
            sort_index bigint
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "asset_types",
        columns("""
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
        "categories",
        columns("""
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
    DemoTable(
        "categories_metadata",
        columns("""
            id bigint
            category_id bigint
            name varchar
            value varchar
            lang varchar
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "categories_platforms",
        columns("""
            category_id bigint
            platform_id bigint
            published boolean
            publish_start timestamp
            publish_end timestamp
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
        key=("category_id", "platform_id"),
    ),
    DemoTable(
        "platforms",
        columns("""
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
        "publishers",
        columns("""
            id bigint
            name varchar
            tenant_id bigint
            country varchar
            enabled boolean
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "subtitles",
        columns("""
            id bigint
            asset_id bigint
            locale varchar
            name varchar
            type varchar
            content_type varchar
            uri varchar
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "tags",
        columns("""
            id bigint
            name varchar
            lang varchar
            tag_type varchar
            usage_count bigint
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "tenants",
        columns("""
            id bigint
            name varchar
            display_name varchar
            environment varchar
            time_zone varchar
            currency varchar
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "video_files",
        columns("""
            file_id bigint
            asset_id bigint
            media_format varchar
            bitrate bigint
            file_size bigint
            width bigint
            height bigint
            codec varchar
            duration decimal(12,3)
            file_name varchar
            checksum_md5 varchar
            status varchar
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
        key=("file_id",),
    ),
    DemoTable(
        "video_files_published",
        columns("""
            file_id bigint
            server_id bigint
            path varchar
            status varchar
            registered timestamp
            published_at timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
        key=("file_id", "server_id"),
    ),
    DemoTable(
        "video_files_deleted",
        columns("""
            file_id bigint
            server_id bigint
            published_at timestamp
            deleted_at timestamp
            reason varchar
            tenant varchar
            ingested_at timestamp
        """),
        change_column="deleted_at",
        key=("file_id", "server_id", "deleted_at"),
        ingestion_column="ingested_at",
    ),
)

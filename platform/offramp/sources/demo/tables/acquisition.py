"""What was acquired from whom, and what may be done with it. (media_exports.md section 8)"""

from __future__ import annotations

from offramp.sources.demo.table import DemoTable, columns

TABLES = (
    DemoTable(
        "acquisition_manager_contracts",
        columns("""
            id bigint
            provider_id bigint
            contract_number varchar
            title varchar
            status varchar
            signed_date date
            start_date date
            end_date date
            currency varchar
            total_value decimal(14,2)
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "acquisition_manager_episodes",
        columns("""
            id bigint
            season_id bigint
            show_id bigint
            asset_id bigint
            episode_number bigint
            title varchar
            original_title varchar
            duration bigint
            production_year bigint
            external_id varchar
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "acquisition_manager_licenses",
        columns("""
            id bigint
            contract_id bigint
            content_type varchar
            content_id bigint
            license_start timestamp
            license_end timestamp
            license_model varchar
            exclusive boolean
            max_runs bigint
            holdback_until timestamp
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "acquisition_manager_movies",
        columns("""
            id bigint
            asset_id bigint
            title varchar
            original_title varchar
            production_year bigint
            production_country varchar
            duration bigint
            age_limit varchar
            external_id varchar
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "acquisition_manager_permissions",
        columns("""
            id bigint
            license_id bigint
            territory varchar
            platform_id bigint
            language varchar
            permission_type varchar
            allowed boolean
            max_devices bigint
            max_concurrent_streams bigint
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "acquisition_manager_providers",
        columns("""
            id bigint
            name varchar
            provider_type varchar
            country varchar
            contact_email varchar
            enabled boolean
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "acquisition_manager_seasons",
        columns("""
            id bigint
            show_id bigint
            season_number bigint
            title varchar
            episode_count bigint
            production_year bigint
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "acquisition_manager_shows",
        columns("""
            id bigint
            category_id bigint
            title varchar
            original_title varchar
            production_country varchar
            genre varchar
            age_limit varchar
            external_id varchar
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
)

"""The money: products, payments and the vouchers of old. (media_exports.md section 8)"""

from __future__ import annotations

from offramp.sources.demo.table import DemoTable, columns

TABLES = (
    DemoTable(
        "payment_providers",
        columns("""
            id bigint
            name varchar
            payment_method varchar
            enabled boolean
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "payment_status_log",
        columns("""
            id bigint
            payment_transaction_id bigint
            users_access_id bigint
            status_from varchar
            status_to varchar
            status_text varchar
            provider_response_code varchar
            registered timestamp
            tenant varchar
            ingested_at timestamp
        """),
        change_column="registered",
        ingestion_column="ingested_at",
    ),
    DemoTable(
        "payment_transaction_cuts",
        columns("""
            id bigint
            payment_transaction_id bigint
            party_type varchar
            publisher_id bigint
            percentage decimal(7,4)
            amount decimal(12,2)
            currency varchar
            registered timestamp
            tenant varchar
            ingested_at timestamp
        """),
        change_column="registered",
        ingestion_column="ingested_at",
    ),
    DemoTable(
        "payment_transaction_types",
        columns("""
            id bigint
            name varchar
            sign bigint
            description varchar
        """),
        change_column=None,
    ),
    DemoTable(
        "payment_transactions",
        columns("""
            id bigint
            users_access_id bigint
            user_id bigint
            payment_transaction_type_id bigint
            payment_type_id bigint
            payment_provider_id bigint
            users_payment_method_id uuid
            original_transaction_id bigint
            order_ref varchar
            external_order_ref varchar
            amount decimal(12,2)
            vat decimal(12,2)
            currency varchar
            status varchar
            voucher_code varchar
            ip varchar
            registered timestamp
            captured_at timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "payment_types",
        columns("""
            id bigint
            name varchar
            description varchar
        """),
        change_column=None,
    ),
    DemoTable(
        "product_group_access",
        columns("""
            id bigint
            product_group_id bigint
            category_id bigint
            asset_id bigint
            platform_id bigint
            access_start timestamp
            access_end timestamp
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "product_groups",
        columns("""
            id bigint
            name varchar
            description varchar
            access_type varchar
            sale_status varchar
            sort_index bigint
            check_access_for_program_relations boolean
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "product_periods",
        columns("""
            id bigint
            name varchar
            payment_type_id bigint
            period varchar
            period_seconds bigint
            registered timestamp
        """),
        change_column=None,
    ),
    DemoTable(
        "product_providers",
        columns("""
            id bigint
            product_id bigint
            payment_provider_id bigint
            description varchar
            init_price decimal(12,2)
            init_period varchar
            discounted_price decimal(12,2)
            recurring_price decimal(12,2)
            recurring_discounted_price decimal(12,2)
            auto_renew_warning_enabled boolean
            autorenew_warning_channel varchar
            product_payment_status varchar
            enabled boolean
            sort_index bigint
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "products",
        columns("""
            id bigint
            product_group_id bigint
            product_period_id bigint
            name varchar
            comment varchar
            price decimal(12,2)
            currency varchar
            minimum_periods bigint
            product_status varchar
            enabled boolean
            sort_index bigint
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "vouchers",
        columns("""
            code varchar
            pool varchar
            pool_name varchar
            product_id bigint
            product_payment_id bigint
            voucher_type varchar
            discount_type varchar
            discount_fraction decimal(5,4)
            discount_fraction_recurring decimal(5,4)
            usages bigint
            max_usages bigint
            available boolean
            start_date timestamp
            expiry timestamp
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
        key=("code",),
    ),
)

"""The voucher service's own tables. (media_exports.md section 8)"""

from __future__ import annotations

from offramp.sources.demo.table import DemoTable, columns

TABLES = (
    DemoTable(
        "vvs_campaign_products",
        columns("""
            campaign_id uuid
            product_id uuid
            discount_id uuid
            created_at timestamptz
            updated_at timestamptz
            tenant varchar
        """),
        change_column="updated_at",
        key=("campaign_id", "product_id"),
    ),
    DemoTable(
        "vvs_campaigns",
        columns("""
            id uuid
            name varchar
            description varchar
            status varchar
            discount_id uuid
            start_date timestamptz
            end_date timestamptz
            max_redemptions bigint
            max_redemptions_per_user bigint
            redemption_count bigint
            created_by varchar
            created_at timestamptz
            updated_at timestamptz
            tenant varchar
        """),
        change_column="updated_at",
    ),
    DemoTable(
        "vvs_discounts",
        columns("""
            id uuid
            name varchar
            discount_type varchar
            discount_fraction decimal(5,4)
            discount_fraction_recurring decimal(5,4)
            discount_amount decimal(12,2)
            currency varchar
            free_period varchar
            recurring_periods bigint
            created_at timestamptz
            updated_at timestamptz
            tenant varchar
        """),
        change_column="updated_at",
    ),
    DemoTable(
        "vvs_pools",
        columns("""
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
        "vvs_products",
        columns("""
            id uuid
            product_id bigint
            product_group_id bigint
            product_payment_ids json
            name varchar
            enabled boolean
            created_at timestamptz
            updated_at timestamptz
            tenant varchar
        """),
        change_column="updated_at",
    ),
    DemoTable(
        "vvs_voucher_redemptions",
        columns("""
            id uuid
            voucher_id uuid
            campaign_id uuid
            user_id bigint
            users_access_id bigint
            discount_id uuid
            discount_amount decimal(12,2)
            currency varchar
            status varchar
            redeemed_at timestamptz
            created_at timestamptz
            updated_at timestamptz
            tenant varchar
        """),
        change_column="updated_at",
    ),
    DemoTable(
        "vvs_vouchers",
        columns("""
            id uuid
            code varchar
            pool_id uuid
            status varchar
            usages bigint
            max_usages bigint
            assigned_user_id bigint
            start_date timestamptz
            expiry timestamptz
            created_at timestamptz
            updated_at timestamptz
            tenant varchar
        """),
        change_column="updated_at",
    ),
)

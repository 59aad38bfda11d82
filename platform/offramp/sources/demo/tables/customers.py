"""The customers: users, their access, what they do and what is thought of it. (media_exports.md section 8)"""

from __future__ import annotations

from offramp.sources.demo.table import DemoTable, columns

TABLES = (
    DemoTable(
        "users",
        columns("""
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
        "users_login_logout",
        columns("""
            id bigint
            user_id bigint
            log_time timestamp
            action varchar
            platform varchar
            ip varchar
            geo_country varchar
            user_agent varchar
            session_id varchar
            tenant varchar
            ingested_at timestamp
        """),
        change_column="log_time",
        ingestion_column="ingested_at",
    ),
    DemoTable(
        "users_metadata",
        columns("""
            id bigint
            user_id bigint
            name varchar
            value varchar
            hidden boolean
            allow_user_to_update boolean
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "users_payment_methods",
        columns("""
            id uuid
            user_id bigint
            payment_provider_id bigint
            user_payment_method_type varchar
            user_payment_method_status varchar
            payment_info varchar
            expire_date timestamp
            ext_agreement_ref varchar
            allow_one_click_buy boolean
            capture_attempt_log varchar
            currency varchar
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
    ),
    DemoTable(
        "users_profiles",
        columns("""
            subprofileid varchar
            user_id bigint
            sub_profile_name varchar
            birth_date date
            gender varchar
            age_limit varchar
            properties json
            deleted boolean
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
        key=("user_id", "subprofileid"),
    ),
    DemoTable(
        "users_access",
        columns("""
            id bigint
            user_id bigint
            product_group_id bigint
            product_id bigint
            product_payment_id bigint
            payment_provider_id bigint
            platform_id bigint
            asset_id bigint
            category_id bigint
            status_id bigint
            startdate timestamp
            enddate timestamp
            access_end_date timestamp
            earliest_end_date timestamp
            autorenew_status bigint
            autorenew_errors bigint
            price decimal(12,2)
            init_price decimal(12,2)
            currency varchar
            period varchar
            active_periods bigint
            order_ref varchar
            external_order_ref varchar
            voucher_code varchar
            discount decimal(12,2)
            upgrade_order_id bigint
            change_action varchar
            trial_override varchar
            ip varchar
            isp varchar
            registered timestamp
            user_stop_date timestamp
            auto_renew_stop_date timestamp
            last_activity_date timestamp
            tenant varchar
        """),
        change_column="last_activity_date",
    ),
    DemoTable(
        "users_access_comments",
        columns("""
            id bigint
            users_access_id bigint
            user_id bigint
            author varchar
            comment varchar
            registered timestamp
            tenant varchar
            ingested_at timestamp
        """),
        change_column="registered",
        ingestion_column="ingested_at",
    ),
    DemoTable(
        "users_access_crm",
        columns("""
            users_access_id bigint
            user_id bigint
            crm_customer_id varchar
            ext_user_id varchar
            referrer varchar
            app_name varchar
            campaign_code varchar
            stop_reason varchar
            win_back boolean
            registered timestamp
            last_updated timestamp
            tenant varchar
        """),
        change_column="last_updated",
        key=("users_access_id",),
    ),
    DemoTable(
        "audits",
        columns("""
            id bigint
            registered timestamp
            actor_type varchar
            actor_id varchar
            action varchar
            entity varchar
            entity_id varchar
            ip varchar
            old_value varchar
            new_value varchar
            comment varchar
            tenant varchar
            ingested_at timestamp
        """),
        change_column="registered",
        ingestion_column="ingested_at",
    ),
    DemoTable(
        "churn_predict",
        columns("""
            run_id varchar
            users_access_id bigint
            user_id bigint
            product_group_id bigint
            model_version varchar
            feature_date date
            horizon_days bigint
            churn_probability decimal(7,6)
            churn_decile bigint
            top_reason varchar
            scored_at timestamp
            tenant varchar
            ingested_at timestamp
        """),
        change_column="scored_at",
        key=("run_id", "users_access_id"),
        ingestion_column="ingested_at",
    ),
    DemoTable(
        "churn_training",
        columns("""
            run_id varchar
            users_access_id bigint
            user_id bigint
            feature_date date
            horizon_days bigint
            label_churned boolean
            tenure_days bigint
            product_group_id bigint
            period_days bigint
            price decimal(12,2)
            voucher_used boolean
            autorenew_errors bigint
            views_7d bigint
            views_30d bigint
            watched_hours_30d decimal(9,2)
            active_days_30d bigint
            days_since_last_view bigint
            logins_30d bigint
            platforms_30d bigint
            profiles_count bigint
            built_at timestamp
            tenant varchar
            ingested_at timestamp
        """),
        change_column="built_at",
        key=("run_id", "users_access_id"),
        ingestion_column="ingested_at",
    ),
)

-- One row per tenant, model run and subscription that the run scored. Rows are only added.
select
    cast(run_id as varchar) as run_id,
    cast(users_access_id as bigint) as users_access_id,
    cast(user_id as bigint) as user_id,
    cast(product_group_id as bigint) as product_group_id,
    cast(model_version as varchar) as model_version,
    cast(feature_date as date) as feature_date,
    cast(horizon_days as bigint) as horizon_days,
    cast(churn_probability as decimal(7,6)) as churn_probability,
    cast(churn_decile as bigint) as churn_decile,
    cast(top_reason as varchar) as top_reason,
    cast(scored_at as timestamp) as scored_at,
    cast(tenant as varchar) as tenant
from {{ source('media', 'churn_predict') }}

-- One row per payment plan, that is how long a period lasts and how it is paid; every tenant shares them.
select
    cast(id as bigint) as id,
    cast(name as varchar) as name,
    cast(payment_type_id as bigint) as payment_type_id,
    cast(period as varchar) as period,
    cast(period_seconds as bigint) as period_seconds,
    cast(registered as timestamp) as registered
from {{ source('media', 'product_periods') }}

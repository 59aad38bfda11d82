-- One row per tenant, item and day on which it was clicked.
select
    cast(daily.item_id as bigint) as item_id,
    cast(daily.clicks as bigint) as clicks,
    cast(daily.counted_at as timestamp) as counted_at,
    cast(daily.tenant as varchar) as tenant
from {{ source('shop_layers', 'daily') }} as daily

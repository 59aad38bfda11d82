-- One row per tenant and product, as the product is now.
select
    cast(id as bigint) as id,
    cast(product_group_id as bigint) as product_group_id,
    cast(product_period_id as bigint) as product_period_id,
    cast(name as varchar) as name,
    cast(comment as varchar) as comment,
    cast(price as decimal(12,2)) as price,
    cast(currency as varchar) as currency,
    cast(minimum_periods as bigint) as minimum_periods,
    cast(product_status as varchar) as product_status,
    cast(enabled as boolean) as enabled,
    cast(sort_index as bigint) as sort_index,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'products') }}

-- One row per tenant and item, as the item is now.
select
    cast(id as bigint) as id,
    cast(title as varchar) as title,
    cast(amount as bigint) as amount,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('shop', 'items') }}

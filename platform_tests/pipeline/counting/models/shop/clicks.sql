-- One row per click.
select
    cast(id as bigint) as id,
    cast(item_id as bigint) as item_id,
    cast(registered as timestamp) as registered,
    cast(tenant as varchar) as tenant
from {{ source('shop', 'clicks') }}

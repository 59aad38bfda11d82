-- One row per tenant and publisher, as the publisher is now.
select
    cast(id as bigint) as id,
    cast(name as varchar) as name,
    cast(tenant_id as bigint) as tenant_id,
    cast(country as varchar) as country,
    cast(enabled as boolean) as enabled,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'publishers') }}

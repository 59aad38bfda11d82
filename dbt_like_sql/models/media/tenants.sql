-- One row per tenant of the environment, as the tenant is now.
select
    cast(id as bigint) as id,
    cast(name as varchar) as name,
    cast(display_name as varchar) as display_name,
    cast(environment as varchar) as environment,
    cast(time_zone as varchar) as time_zone,
    cast(currency as varchar) as currency,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'tenants') }}

-- One row per tenant and payment service provider that the tenant has set up, as it is now.
select
    cast(id as bigint) as id,
    cast(name as varchar) as name,
    cast(payment_method as varchar) as payment_method,
    cast(enabled as boolean) as enabled,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'payment_providers') }}

-- One row per tenant and content owner or distributor, as it is now.
select
    cast(id as bigint) as id,
    cast(name as varchar) as name,
    cast(provider_type as varchar) as provider_type,
    cast(country as varchar) as country,
    cast(contact_email as varchar) as contact_email,
    cast(enabled as boolean) as enabled,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'acquisition_manager_providers') }}

-- One row per tenant and asset type, as the asset type is now.
select
    cast(id as bigint) as id,
    cast(name as varchar) as name,
    cast(description as varchar) as description,
    cast(external_id as varchar) as external_id,
    cast(active as boolean) as active,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'asset_types') }}

-- One row per tenant and metadata entry of an asset, as the entry is now. A name in two languages makes two rows.
select
    cast(id as bigint) as id,
    cast(asset_id as bigint) as asset_id,
    cast(name as varchar) as name,
    cast(value as varchar) as value,
    cast(lang as varchar) as lang,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'assets_metadata') }}

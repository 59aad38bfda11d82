-- One row per tenant and extra placement of an asset in a category, as the placement is now.
select
    cast(id as bigint) as id,
    cast(asset_id as bigint) as asset_id,
    cast(category_id as bigint) as category_id,
    cast(sort_index as bigint) as sort_index,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'asset_categories') }}

-- One row per tenant and category or asset that a product group opens, as it is now.
select
    cast(id as bigint) as id,
    cast(product_group_id as bigint) as product_group_id,
    cast(category_id as bigint) as category_id,
    cast(asset_id as bigint) as asset_id,
    cast(platform_id as bigint) as platform_id,
    cast(access_start as timestamp) as access_start,
    cast(access_end as timestamp) as access_end,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'product_group_access') }}

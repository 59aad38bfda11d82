-- One row per tenant and category, as the category is now. A deleted category stays, with deleted = true.
select
    cast(id as bigint) as id,
    cast(parent_id as bigint) as parent_id,
    cast(asset_type_id as bigint) as asset_type_id,
    cast(level_type as varchar) as level_type,
    cast(title as varchar) as title,
    cast(description as varchar) as description,
    cast(external_id as varchar) as external_id,
    cast(sort_index as bigint) as sort_index,
    cast(deleted as boolean) as deleted,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'categories') }}

-- One row per tenant and relation from one asset to another, as it is now. Two assets that are linked have two rows.
select
    cast(id as bigint) as id,
    cast(from_asset_id as bigint) as from_asset_id,
    cast(to_asset_id as bigint) as to_asset_id,
    cast(relation_type as varchar) as relation_type,
    cast(sort_index as bigint) as sort_index,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'assets_relations') }}

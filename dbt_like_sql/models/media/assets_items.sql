-- One row per tenant and playable item of an asset, as the item is now.
select
    cast(id as bigint) as id,
    cast(asset_id as bigint) as asset_id,
    cast(file_id as bigint) as file_id,
    cast(item_type as varchar) as item_type,
    cast(media_format as varchar) as media_format,
    cast(protocol as varchar) as protocol,
    cast(bitrate as bigint) as bitrate,
    cast(drm_protected as boolean) as drm_protected,
    cast(sort_index as bigint) as sort_index,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'assets_items') }}

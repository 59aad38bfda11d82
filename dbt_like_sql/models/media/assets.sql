-- One row per tenant and video asset, as the asset is now. A deleted asset stays, with deleted = true.
select
    cast(id as bigint) as id,
    cast(asset_type_id as bigint) as asset_type_id,
    cast(title as varchar) as title,
    cast(description as varchar) as description,
    cast(subtitle as varchar) as subtitle,
    cast(external_id as varchar) as external_id,
    cast(duration as bigint) as duration,
    cast(accurate_duration as decimal(12,3)) as accurate_duration,
    cast(live as boolean) as live,
    cast(live_broadcast_time as timestamp) as live_broadcast_time,
    cast(drm_protected as boolean) as drm_protected,
    cast(archive as boolean) as archive,
    cast(views as bigint) as views,
    cast(vote_count as bigint) as vote_count,
    cast(keywords as varchar) as keywords,
    cast(deleted as boolean) as deleted,
    cast(create_time as timestamp) as create_time,
    cast(published_date as timestamp) as published_date,
    cast(update_time as timestamp) as update_time,
    cast(tenant as varchar) as tenant
from {{ source('media', 'assets') }}

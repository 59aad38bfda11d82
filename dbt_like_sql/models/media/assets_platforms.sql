-- One row per tenant, asset and platform, as the asset is published there now.
select
    cast(asset_id as bigint) as asset_id,
    cast(platform_id as bigint) as platform_id,
    cast(published as boolean) as published,
    cast(live_published as boolean) as live_published,
    cast(publish_start as timestamp) as publish_start,
    cast(publish_end as timestamp) as publish_end,
    cast(downloadable as boolean) as downloadable,
    cast(license_start as timestamp) as license_start,
    cast(license_end as timestamp) as license_end,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'assets_platforms') }}

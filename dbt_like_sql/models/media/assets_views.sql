-- One row per tenant and started view. Rows are only added; a late one keeps its true start time.
select
    cast(id as bigint) as id,
    cast(asset_id as bigint) as asset_id,
    cast(category_id as bigint) as category_id,
    cast(user_id as bigint) as user_id,
    cast(subprofileid as varchar) as subprofileid,
    cast(platform as varchar) as platform,
    cast(ip as varchar) as ip,
    cast(geo_country as varchar) as geo_country,
    cast(geo_isp as varchar) as geo_isp,
    cast(live as boolean) as live,
    cast(viewing_session as varchar) as viewing_session,
    cast(device_id as varchar) as device_id,
    cast(device_type as varchar) as device_type,
    cast(user_agent as varchar) as user_agent,
    cast(duration as decimal(12,3)) as duration,
    cast(watched_seconds as bigint) as watched_seconds,
    cast(registered as timestamp) as registered,
    cast(tenant as varchar) as tenant
from {{ source('media', 'assets_views') }}

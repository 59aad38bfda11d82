-- One row per tenant and subtitle file of an asset, as the file is now.
select
    cast(id as bigint) as id,
    cast(asset_id as bigint) as asset_id,
    cast(locale as varchar) as locale,
    cast(name as varchar) as name,
    cast(type as varchar) as type,
    cast(content_type as varchar) as content_type,
    cast(uri as varchar) as uri,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'subtitles') }}

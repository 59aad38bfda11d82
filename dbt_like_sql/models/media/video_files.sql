-- One row per tenant and rendition of an asset, as the file is now.
select
    cast(file_id as bigint) as file_id,
    cast(asset_id as bigint) as asset_id,
    cast(media_format as varchar) as media_format,
    cast(bitrate as bigint) as bitrate,
    cast(file_size as bigint) as file_size,
    cast(width as bigint) as width,
    cast(height as bigint) as height,
    cast(codec as varchar) as codec,
    cast(duration as decimal(12,3)) as duration,
    cast(file_name as varchar) as file_name,
    cast(checksum_md5 as varchar) as checksum_md5,
    cast(status as varchar) as status,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'video_files') }}

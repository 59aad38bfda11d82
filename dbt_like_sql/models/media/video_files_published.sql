-- One row per tenant, file and server that the file lies on or is being placed on now.
select
    cast(file_id as bigint) as file_id,
    cast(server_id as bigint) as server_id,
    cast(path as varchar) as path,
    cast(status as varchar) as status,
    cast(registered as timestamp) as registered,
    cast(published_at as timestamp) as published_at,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'video_files_published') }}

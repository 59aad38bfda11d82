-- One row per tenant, file, server and removal from the server. Rows are only added.
select
    cast(file_id as bigint) as file_id,
    cast(server_id as bigint) as server_id,
    cast(published_at as timestamp) as published_at,
    cast(deleted_at as timestamp) as deleted_at,
    cast(reason as varchar) as reason,
    cast(tenant as varchar) as tenant
from {{ source('media', 'video_files_deleted') }}

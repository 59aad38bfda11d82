-- One row per platform that content is published on; every tenant shares them.
select
    cast(id as bigint) as id,
    cast(name as varchar) as name,
    cast(description as varchar) as description,
    cast(region as varchar) as region,
    cast(enabled as boolean) as enabled,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated
from {{ source('media', 'platforms') }}

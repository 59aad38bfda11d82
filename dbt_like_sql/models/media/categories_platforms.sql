-- One row per tenant, category and platform, as the category is published there now.
select
    cast(category_id as bigint) as category_id,
    cast(platform_id as bigint) as platform_id,
    cast(published as boolean) as published,
    cast(publish_start as timestamp) as publish_start,
    cast(publish_end as timestamp) as publish_end,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'categories_platforms') }}

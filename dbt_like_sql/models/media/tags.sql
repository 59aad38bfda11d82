-- One row per tenant and tag of the vocabulary, as the tag is now.
select
    cast(id as bigint) as id,
    cast(name as varchar) as name,
    cast(lang as varchar) as lang,
    cast(tag_type as varchar) as tag_type,
    cast(usage_count as bigint) as usage_count,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'tags') }}

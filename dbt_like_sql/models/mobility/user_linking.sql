-- One row per user with a link, as it is now.
select
    cast(l.user_id as varchar) as user_id,
    cast(l.external_id as varchar) as external_id,
    l.app_id
from {{ source('mobility', 'user_links') }} as l

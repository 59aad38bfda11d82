-- One row per active user and segment, as of the data day.
select
    cast(s.user_id as varchar) as user_id,
    cast(a.metadata_user_id as varchar) as metadata_user_id,
    cast(s.segment_id as varchar) as segment_id,
    s.app_id
from {{ ref('segment_rows') }} as s
join {{ ref('active_users') }} as a
    on a.app_id = s.app_id
    and a.user_id = s.user_id

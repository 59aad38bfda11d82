-- One row per moment of an active user within the last nine weeks; moments of one user may overlap.
select
    cast(moments.user_id as varchar) as user_id,
    cast(users.metadata_user_id as varchar) as metadata_user_id,
    cast(moments.start as varchar) as start,
    cast(moments."end" as varchar) as "end",
    cast(moments.moment_definition_id as varchar) as moment_definition_id,
    cast('{"name": ' || cast(to_json(moments.name) as varchar) || '}' as json) as meta,
    cast(if(moments.ended_at is null, -1, moments.seconds) as bigint) as duration,
    cast(moments.started_at as timestamp) as started_at,
    cast(moments.until_at as timestamp) as until_at,
    cast(moments.app_id as varchar) as app_id
from {{ ref('moment_rows') }} as moments
join {{ ref('active_users') }} as users
    on users.app_id = moments.app_id
    and users.user_id = moments.user_id

-- One row per tenant and sign-in, sign-out, failed try or expiry of a session. Rows are only added.
select
    cast(id as bigint) as id,
    cast(user_id as bigint) as user_id,
    cast(log_time as timestamp) as log_time,
    cast(action as varchar) as action,
    cast(platform as varchar) as platform,
    cast(ip as varchar) as ip,
    cast(geo_country as varchar) as geo_country,
    cast(user_agent as varchar) as user_agent,
    cast(session_id as varchar) as session_id,
    cast(tenant as varchar) as tenant
from {{ source('media', 'users_login_logout') }}

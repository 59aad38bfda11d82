-- One row per tenant and end user, as the user is now. An erased user stays, with its personal columns empty.
select
    cast(id as bigint) as id,
    cast(user_name as varchar) as user_name,
    cast(email as varchar) as email,
    cast(first_name as varchar) as first_name,
    cast(last_name as varchar) as last_name,
    cast(date_of_birth as date) as date_of_birth,
    cast(mobile_number as varchar) as mobile_number,
    cast(zip as varchar) as zip,
    cast(country as varchar) as country,
    cast(gender as varchar) as gender,
    cast(ext_user_id as varchar) as ext_user_id,
    cast(email_status as varchar) as email_status,
    cast(enabled as boolean) as enabled,
    cast(deleted as boolean) as deleted,
    cast(registration_date as timestamp) as registration_date,
    cast(last_login as timestamp) as last_login,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'users') }}

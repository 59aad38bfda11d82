-- One row per tenant and property of a user, as the property is now.
select
    cast(id as bigint) as id,
    cast(user_id as bigint) as user_id,
    cast(name as varchar) as name,
    cast(value as varchar) as value,
    cast(hidden as boolean) as hidden,
    cast(allow_user_to_update as boolean) as allow_user_to_update,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'users_metadata') }}

-- One row per tenant, user and sub-profile, as it is now. A deleted one stays, with deleted = true.
select
    cast(subprofileid as varchar) as subprofileid,
    cast(user_id as bigint) as user_id,
    cast(sub_profile_name as varchar) as sub_profile_name,
    cast(birth_date as date) as birth_date,
    cast(gender as varchar) as gender,
    cast(age_limit as varchar) as age_limit,
    cast(properties as json) as properties,
    cast(deleted as boolean) as deleted,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'users_profiles') }}

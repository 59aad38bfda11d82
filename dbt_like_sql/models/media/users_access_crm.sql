-- One row per tenant and order that customer relations know of, as they know it now.
select
    cast(users_access_id as bigint) as users_access_id,
    cast(user_id as bigint) as user_id,
    cast(crm_customer_id as varchar) as crm_customer_id,
    cast(ext_user_id as varchar) as ext_user_id,
    cast(referrer as varchar) as referrer,
    cast(app_name as varchar) as app_name,
    cast(campaign_code as varchar) as campaign_code,
    cast(stop_reason as varchar) as stop_reason,
    cast(win_back as boolean) as win_back,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'users_access_crm') }}

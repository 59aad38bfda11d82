-- One row per tenant and permission or prohibition of a licence, as it is now.
select
    cast(id as bigint) as id,
    cast(license_id as bigint) as license_id,
    cast(territory as varchar) as territory,
    cast(platform_id as bigint) as platform_id,
    cast(language as varchar) as language,
    cast(permission_type as varchar) as permission_type,
    cast(allowed as boolean) as allowed,
    cast(max_devices as bigint) as max_devices,
    cast(max_concurrent_streams as bigint) as max_concurrent_streams,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'acquisition_manager_permissions') }}

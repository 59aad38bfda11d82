-- One row per tenant and licence, which is one window for one title, as the licence is now.
select
    cast(id as bigint) as id,
    cast(contract_id as bigint) as contract_id,
    cast(content_type as varchar) as content_type,
    cast(content_id as bigint) as content_id,
    cast(license_start as timestamp) as license_start,
    cast(license_end as timestamp) as license_end,
    cast(license_model as varchar) as license_model,
    cast(exclusive as boolean) as exclusive,
    cast(max_runs as bigint) as max_runs,
    cast(holdback_until as timestamp) as holdback_until,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'acquisition_manager_licenses') }}

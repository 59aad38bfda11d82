-- One row per tenant and contract with a content owner, as the contract is now.
select
    cast(id as bigint) as id,
    cast(provider_id as bigint) as provider_id,
    cast(contract_number as varchar) as contract_number,
    cast(title as varchar) as title,
    cast(status as varchar) as status,
    cast(signed_date as date) as signed_date,
    cast(start_date as date) as start_date,
    cast(end_date as date) as end_date,
    cast(currency as varchar) as currency,
    cast(total_value as decimal(14,2)) as total_value,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'acquisition_manager_contracts') }}

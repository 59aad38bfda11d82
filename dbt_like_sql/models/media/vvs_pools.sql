-- One row per tenant and pool of voucher codes, as the pool is now.
select
    cast(id as uuid) as id,
    cast(campaign_id as uuid) as campaign_id,
    cast(name as varchar) as name,
    cast(voucher_type as varchar) as voucher_type,
    cast(code_prefix as varchar) as code_prefix,
    cast(code_length as bigint) as code_length,
    cast(size as bigint) as size,
    cast(available_count as bigint) as available_count,
    cast(redeemed_count as bigint) as redeemed_count,
    cast(start_date as timestamptz) as start_date,
    cast(expiry as timestamptz) as expiry,
    cast(created_at as timestamptz) as created_at,
    cast(updated_at as timestamptz) as updated_at,
    cast(tenant as varchar) as tenant
from {{ source('media', 'vvs_pools') }}

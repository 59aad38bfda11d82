-- One row per tenant and voucher code, as the voucher is now.
select
    cast(id as uuid) as id,
    cast(code as varchar) as code,
    cast(pool_id as uuid) as pool_id,
    cast(status as varchar) as status,
    cast(usages as bigint) as usages,
    cast(max_usages as bigint) as max_usages,
    cast(assigned_user_id as bigint) as assigned_user_id,
    cast(start_date as timestamptz) as start_date,
    cast(expiry as timestamptz) as expiry,
    cast(created_at as timestamptz) as created_at,
    cast(updated_at as timestamptz) as updated_at,
    cast(tenant as varchar) as tenant
from {{ source('media', 'vvs_vouchers') }}

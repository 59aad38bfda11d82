-- One row per tenant and voucher code of the core platform, as the voucher is now; newer codes are in vvs_vouchers.
select
    cast(code as varchar) as code,
    cast(pool as varchar) as pool,
    cast(pool_name as varchar) as pool_name,
    cast(product_id as bigint) as product_id,
    cast(product_payment_id as bigint) as product_payment_id,
    cast(voucher_type as varchar) as voucher_type,
    cast(discount_type as varchar) as discount_type,
    cast(discount_fraction as decimal(5,4)) as discount_fraction,
    cast(discount_fraction_recurring as decimal(5,4)) as discount_fraction_recurring,
    cast(usages as bigint) as usages,
    cast(max_usages as bigint) as max_usages,
    cast(available as boolean) as available,
    cast(start_date as timestamp) as start_date,
    cast(expiry as timestamp) as expiry,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'vouchers') }}

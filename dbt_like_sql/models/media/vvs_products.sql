-- One row per tenant and product as the voucher service knows it, as it is now.
select
    cast(id as uuid) as id,
    cast(product_id as bigint) as product_id,
    cast(product_group_id as bigint) as product_group_id,
    cast(product_payment_ids as json) as product_payment_ids,
    cast(name as varchar) as name,
    cast(enabled as boolean) as enabled,
    cast(created_at as timestamptz) as created_at,
    cast(updated_at as timestamptz) as updated_at,
    cast(tenant as varchar) as tenant
from {{ source('media', 'vvs_products') }}

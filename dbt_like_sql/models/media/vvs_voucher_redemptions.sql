-- One row per tenant and redemption of a voucher, as it is now. A reserved one becomes redeemed or cancelled.
select
    cast(id as uuid) as id,
    cast(voucher_id as uuid) as voucher_id,
    cast(campaign_id as uuid) as campaign_id,
    cast(user_id as bigint) as user_id,
    cast(users_access_id as bigint) as users_access_id,
    cast(discount_id as uuid) as discount_id,
    cast(discount_amount as decimal(12,2)) as discount_amount,
    cast(currency as varchar) as currency,
    cast(status as varchar) as status,
    cast(redeemed_at as timestamptz) as redeemed_at,
    cast(created_at as timestamptz) as created_at,
    cast(updated_at as timestamptz) as updated_at,
    cast(tenant as varchar) as tenant
from {{ source('media', 'vvs_voucher_redemptions') }}

-- One row per tenant and voucher campaign, as the campaign is now.
select
    cast(id as uuid) as id,
    cast(name as varchar) as name,
    cast(description as varchar) as description,
    cast(status as varchar) as status,
    cast(discount_id as uuid) as discount_id,
    cast(start_date as timestamptz) as start_date,
    cast(end_date as timestamptz) as end_date,
    cast(max_redemptions as bigint) as max_redemptions,
    cast(max_redemptions_per_user as bigint) as max_redemptions_per_user,
    cast(redemption_count as bigint) as redemption_count,
    cast(created_by as varchar) as created_by,
    cast(created_at as timestamptz) as created_at,
    cast(updated_at as timestamptz) as updated_at,
    cast(tenant as varchar) as tenant
from {{ source('media', 'vvs_campaigns') }}

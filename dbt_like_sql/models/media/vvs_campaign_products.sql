-- One row per tenant, campaign and product that the campaign covers, as it is now.
select
    cast(campaign_id as uuid) as campaign_id,
    cast(product_id as uuid) as product_id,
    cast(discount_id as uuid) as discount_id,
    cast(created_at as timestamptz) as created_at,
    cast(updated_at as timestamptz) as updated_at,
    cast(tenant as varchar) as tenant
from {{ source('media', 'vvs_campaign_products') }}

-- One row per tenant and item that was clicked, with its rank.
select
    cast(totals.item_id as bigint) as item_id,
    cast(totals.clicks as bigint) as clicks,
    cast(rank() over (partition by totals.tenant order by totals.clicks desc, totals.item_id) as bigint) as place,
    cast(totals.last_at as timestamp) as last_at,
    cast(totals.tenant as varchar) as tenant
from {{ source('shop_layers', 'totals') }} as totals

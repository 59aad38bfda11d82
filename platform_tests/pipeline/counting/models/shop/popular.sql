-- One row per tenant and item, the most popular first.
select
    cast(ranks.item_id as bigint) as item_id,
    cast(ranks.clicks as bigint) as "clicks.all",
    cast(concat('item ', ranks.item_id) as varchar) as title,
    cast(ranks.place as bigint) as place,
    cast(ranks.last_at as timestamp) as last_at,
    cast(ranks.tenant as varchar) as tenant
from {{ ref('ranks') }} as ranks

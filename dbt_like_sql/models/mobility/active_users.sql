-- One row per tenant and user of whom a trip event, trip or stationary event arrived in the last seven days before the
-- data day's end. Everyone else is in no lifestyle export. A link that was made after that end is not known yet.
with active as (
    select distinct
        payloads.app_id,
        payloads.user_id
    from {{ source('mobility', 'payloads') }} as payloads
    cross join {{ source('mobility_layers', 'day') }} as day
    where payloads.received_at >= day.until - interval 7 days
        and payloads.received_at < day.until
),

links as (
    select
        user_links.app_id,
        user_links.user_id,
        user_links.external_id
    from {{ source('mobility', 'user_links') }} as user_links
    cross join {{ source('mobility_layers', 'day') }} as day
    where user_links.linked_at < day.until
)

select
    cast(active.user_id as varchar) as user_id,
    cast(links.external_id as varchar) as metadata_user_id,
    cast(active.app_id as varchar) as app_id
from active
left join links
    on links.app_id = active.app_id
    and links.user_id = active.user_id

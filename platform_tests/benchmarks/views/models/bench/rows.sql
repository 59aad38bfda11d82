-- One row per id.
select
    cast(id as bigint) as id,
    cast(asset_id as bigint) as asset_id,
    cast(name as varchar) as name,
    cast(url as varchar) as url,
    cast(price as decimal(12, 3)) as price,
    cast(live as boolean) as live,
    cast(registered as timestamp) as registered,
    cast(born_on as date) as born_on,
    cast(country as varchar) as country,
    cast(user_agent as varchar) as user_agent,
    cast(seconds as bigint) as seconds,
    cast(tenant as varchar) as tenant
from {{ source('bench', 'rows') }}

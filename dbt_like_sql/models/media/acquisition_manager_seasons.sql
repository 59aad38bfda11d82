-- One row per tenant and acquired season of a show, as the season is now.
select
    cast(id as bigint) as id,
    cast(show_id as bigint) as show_id,
    cast(season_number as bigint) as season_number,
    cast(title as varchar) as title,
    cast(episode_count as bigint) as episode_count,
    cast(production_year as bigint) as production_year,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'acquisition_manager_seasons') }}

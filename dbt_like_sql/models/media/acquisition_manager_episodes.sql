-- One row per tenant and acquired episode, as the episode is now.
select
    cast(id as bigint) as id,
    cast(season_id as bigint) as season_id,
    cast(show_id as bigint) as show_id,
    cast(asset_id as bigint) as asset_id,
    cast(episode_number as bigint) as episode_number,
    cast(title as varchar) as title,
    cast(original_title as varchar) as original_title,
    cast(duration as bigint) as duration,
    cast(production_year as bigint) as production_year,
    cast(external_id as varchar) as external_id,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'acquisition_manager_episodes') }}

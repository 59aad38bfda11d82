-- One row per tenant and acquired film, as the film is now.
select
    cast(id as bigint) as id,
    cast(asset_id as bigint) as asset_id,
    cast(title as varchar) as title,
    cast(original_title as varchar) as original_title,
    cast(production_year as bigint) as production_year,
    cast(production_country as varchar) as production_country,
    cast(duration as bigint) as duration,
    cast(age_limit as varchar) as age_limit,
    cast(external_id as varchar) as external_id,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'acquisition_manager_movies') }}

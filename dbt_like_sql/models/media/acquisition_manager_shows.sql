-- One row per tenant and acquired show, as the show is now.
select
    cast(id as bigint) as id,
    cast(category_id as bigint) as category_id,
    cast(title as varchar) as title,
    cast(original_title as varchar) as original_title,
    cast(production_country as varchar) as production_country,
    cast(genre as varchar) as genre,
    cast(age_limit as varchar) as age_limit,
    cast(external_id as varchar) as external_id,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'acquisition_manager_shows') }}

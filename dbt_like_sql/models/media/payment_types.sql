-- One row per way in which a product is paid over time; every tenant shares them.
select
    cast(id as bigint) as id,
    cast(name as varchar) as name,
    cast(description as varchar) as description
from {{ source('media', 'payment_types') }}

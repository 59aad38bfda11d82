-- One row per type of payment transaction; every tenant shares them.
select
    cast(id as bigint) as id,
    cast(name as varchar) as name,
    cast(sign as bigint) as sign,
    cast(description as varchar) as description
from {{ source('media', 'payment_transaction_types') }}

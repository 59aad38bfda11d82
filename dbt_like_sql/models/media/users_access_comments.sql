-- One row per tenant and note of customer care on an order. Rows are only added.
select
    cast(id as bigint) as id,
    cast(users_access_id as bigint) as users_access_id,
    cast(user_id as bigint) as user_id,
    cast(author as varchar) as author,
    cast(comment as varchar) as comment,
    cast(registered as timestamp) as registered,
    cast(tenant as varchar) as tenant
from {{ source('media', 'users_access_comments') }}

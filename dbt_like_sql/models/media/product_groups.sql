-- One row per tenant and product group, as the product group is now.
select
    cast(id as bigint) as id,
    cast(name as varchar) as name,
    cast(description as varchar) as description,
    cast(access_type as varchar) as access_type,
    cast(sale_status as varchar) as sale_status,
    cast(sort_index as bigint) as sort_index,
    cast(check_access_for_program_relations as boolean) as check_access_for_program_relations,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'product_groups') }}

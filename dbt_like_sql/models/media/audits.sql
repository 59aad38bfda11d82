-- One row per tenant and action that staff, users or services took in the platform. Rows are only added.
select
    cast(id as bigint) as id,
    cast(registered as timestamp) as registered,
    cast(actor_type as varchar) as actor_type,
    cast(actor_id as varchar) as actor_id,
    cast(action as varchar) as action,
    cast(entity as varchar) as entity,
    cast(entity_id as varchar) as entity_id,
    cast(ip as varchar) as ip,
    cast(old_value as varchar) as old_value,
    cast(new_value as varchar) as new_value,
    cast(comment as varchar) as comment,
    cast(tenant as varchar) as tenant
from {{ source('media', 'audits') }}

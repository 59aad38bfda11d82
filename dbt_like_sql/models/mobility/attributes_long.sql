-- One row per active user and attribute, also where the value is empty.
with definitions as (
    select
        family,
        list(name order by position) as names
    from {{ ref('attribute_definitions') }}
    group by family
),

listed as (
    select
        attribute_values.app_id,
        attribute_values.user_id,
        unnest(definitions.names) as attribute_name,
        unnest(from_json(attribute_values.texts, '["VARCHAR"]')) as attribute_value
    from {{ ref('attribute_values') }} as attribute_values
    inner join definitions
        on definitions.family = attribute_values.family
)

select
    cast(listed.user_id as varchar) as user_id,
    cast(users.metadata_user_id as varchar) as metadata_user_id,
    cast(listed.attribute_name as varchar) as attribute_name,
    cast(listed.attribute_value as varchar) as attribute_value,
    cast(listed.app_id as varchar) as app_id
from listed
inner join {{ ref('active_users') }} as users
    on users.app_id = listed.app_id
    and users.user_id = listed.user_id

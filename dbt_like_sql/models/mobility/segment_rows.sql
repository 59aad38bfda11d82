-- One row per active user and segment, of all families. A segment is given from the least number of local days with
-- data that its definition asks for. Stored, because gates, deliveries and the UI count it again.
with families as (
    {%- for family in ['leisure', 'loyalty', 'wellbeing', 'mobility', 'home', 'work', 'driving'] %}
    {%- if not loop.first %}
    union all
    {%- endif %}
    select user_id, segment_id, app_id from {{ ref('segment_' ~ family) }}
    {%- endfor %}
)
select
    f.user_id,
    f.segment_id,
    f.app_id
from families as f
join {{ ref('segment_people') }} as p
    on p.app_id = f.app_id
    and p.user_id = f.user_id
join {{ ref('segment_definitions') }} as d
    on d.id = f.segment_id
where
    d.is_computed
    and p.data_days >= d.least_days

-- One row per active user and segment of loyalty: at least 5 visits to venues of a kind, 60 of 100 to one brand of it.
-- A venue without a brand is a brand of its own.
with visits as (
    select
        v.app_id,
        v.user_id,
        coalesce(v.venue_brand, v.venue_id) as brand,
        unnest([
            case when list_has_any(v.venue_types, ['bar', 'pub']) then 'leisure.wining_and_dining.brand_loyal.bar' end,
            case when list_has_any(v.venue_types, ['cafe']) then 'leisure.wining_and_dining.brand_loyal.cafe' end,
            case when list_has_any(v.venue_types, ['restaurant', 'resto'])
                then 'leisure.wining_and_dining.brand_loyal.restaurant' end,
            case when list_has_any(v.venue_types, ['bar', 'pub', 'restaurant', 'resto'])
                then 'leisure.wining_and_dining.brand_loyalty.restaurant_bar' end,
            case when list_has_any(v.venue_types, ['supermarket'])
                then 'leisure.shopping.brand_loyalty.supermarket' end,
            case when list_has_all(v.venue_types, ['shop', 'retail']) then 'leisure.shopping.brand_loyal.retail' end,
            case when list_has_any(v.venue_types, ['shop']) then 'leisure.shopping.brand_loyalty' end,
            case when list_has_any(v.venue_types, ['gasstation', 'fuel'])
                then 'mobility.driving.brand_loyalty.gas_stations' end
        ]) as segment_id
    from {{ source('mobility_layers', 'visits') }} as v
    join {{ ref('segment_people') }} as p
        on p.app_id = v.app_id
        and p.user_id = v.user_id
    where
        v.venue_id is not null
        and coalesce(v.significance, '') not in ('home', 'work')
),
brands as (
    select
        v.app_id,
        v.user_id,
        v.segment_id,
        v.brand,
        count(*) as visits
    from visits as v
    where v.segment_id is not null
    group by
        v.app_id,
        v.user_id,
        v.segment_id,
        v.brand
)
select
    user_id,
    cast(segment_id as varchar) as segment_id,
    app_id
from brands
group by
    app_id,
    user_id,
    segment_id
having
    sum(visits) >= 5
    and max(visits) * 100 >= sum(visits) * 60

-- One row per active user and segment of driving. Scores are means over the metres of the window's drives that have
-- them, and count from 50 km (mobility_offloads.md section 4). Drives as a passenger do not count.
{% set scores = ['legal_v2', 'anticipative_v2', 'smooth_v2', 'focus'] %}
with drives as (
    select
        r.app_id,
        r.user_id,
        r.distance,
        r.motorway_metres,
        r.motorway_metres + r.city_metres + r.noncity_metres as road_metres
        {%- for score in scores %},
        r.{{ score }},
        case when r.{{ score }} >= 0 then r.distance end as {{ score }}_metres
        {%- endfor %}
    from {{ ref('drives_newest') }} as r
    cross join {{ source('mobility_layers', 'day') }} as d
    where
        r.occupant_role <> 'passenger'
        and r.ended_at > d.window_start
        and r.processed_at < d.until
),
facts as (
    select
        r.app_id,
        r.user_id,
        sum(r.distance) as metres,
        sum(r.motorway_metres) as motorway_metres,
        sum(r.road_metres) as road_metres
        {%- for score in scores %},
        coalesce(sum(r.{{ score }}_metres), 0) as {{ score }}_metres,
        -- Metres times the score in millionths: whole numbers, whose sum knows no order.
        coalesce(sum(cast(r.{{ score }} * 1000000 as bigint) * r.{{ score }}_metres), 0) as {{ score }}_sum
        {%- endfor %}
    from drives as r
    join {{ ref('segment_people') }} as p
        on p.app_id = r.app_id
        and p.user_id = r.user_id
    group by
        r.app_id,
        r.user_id
),
given as (
    select
        f.app_id,
        f.user_id,
        unnest([
            case
                when legal_v2_metres < 50000 then null
                when legal_v2_sum >= legal_v2_metres * 900000 then 'mobility.driving.legal_driver'
                when legal_v2_sum < legal_v2_metres * 700000 then 'mobility.driving.illegal_driver'
            end,
            case when anticipative_v2_metres >= 50000 and anticipative_v2_sum >= anticipative_v2_metres * 800000
                then 'mobility.driving.anticipative_driver' end,
            case
                when smooth_v2_metres < 50000 then null
                when smooth_v2_sum < smooth_v2_metres * 500000 then 'mobility.driving.aggressive_driver'
                when
                    smooth_v2_sum >= smooth_v2_metres * 800000
                    and anticipative_v2_metres >= 50000
                    and anticipative_v2_sum >= anticipative_v2_metres * 700000
                    then 'mobility.driving.efficient_driver'
            end,
            case when focus_metres >= 50000 and focus_sum < focus_metres * 970000
                then 'mobility.driving.distracted_driver' end,
            case when metres >= 50000 and motorway_metres * 2 >= road_metres and road_metres > 0
                then 'mobility.driving.motorway_driver' end
        ]) as segment_id
    from facts as f
)
select
    user_id,
    cast(segment_id as varchar) as segment_id,
    app_id
from given
where segment_id is not null

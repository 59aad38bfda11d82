-- One row per active user and segment of commute, transport and travel. Each user has one level of mobility, and each
-- commuter is short, normal or long.
with trips as (
    select
        p.app_id,
        p.user_id,
        p.data_days,
        coalesce(sum(t.seconds), 0) as moving_seconds,
        count(t.mode) filter (where t.mode = 'car') as car_trips,
        count(t.mode) filter (where t.mode <> 'insufficient_data') as known_trips,
        count(distinct cast(t.local_start as date)) filter (where t.mode in ('train', 'bus', 'tram')) as public_days,
        count(t.mode) filter (where t.mode = 'flight') as flights
    from {{ ref('segment_people') }} as p
    left join {{ source('mobility_layers', 'trips') }} as t
        on t.app_id = p.app_id
        and t.user_id = p.user_id
    group by
        p.app_id,
        p.user_id,
        p.data_days
),
commutes as (
    select
        c.app_id,
        c.user_id,
        count(*) as commutes,
        sum(c.seconds) as seconds,
        sum(c.distance) as distance,
        sum(c.green_distance) as green_distance,
        count(*) filter (where c.public_legs > 0) as public_commutes
    from {{ ref('segment_commutes') }} as c
    group by
        c.app_id,
        c.user_id
    having count(*) >= 6
),
given as (
    select
        t.app_id,
        t.user_id,
        unnest([
            case
                when t.moving_seconds >= t.data_days * 90 * 60 then 'mobility.transport.mobility.high'
                when t.moving_seconds >= t.data_days * 30 * 60 then 'mobility.transport.mobility.moderate'
                else 'mobility.transport.mobility.limited'
            end,
            case when t.public_days * 7 >= t.data_days * 2 then 'mobility.transport.public_transports_user' end,
            case when t.flights >= 3 and t.flights * 14 >= t.data_days then 'mobility.travel.frequent_flyer' end,
            case when t.car_trips >= t.data_days and t.car_trips * 5 >= t.known_trips * 4
                then 'mobility.driving.die_hard_driver' end,
            case
                when c.distance >= c.commutes * 30000 then 'mobility.commute.long_commuter'
                when c.distance >= c.commutes * 10000 then 'mobility.commute.normal_commuter'
                when c.distance >= 0 then 'mobility.commute.short_commuter'
            end,
            case when c.seconds <= c.commutes * 20 * 60 then 'mobility.commute.easy_commuter' end,
            case when c.seconds >= c.commutes * 60 * 60 then 'mobility.commute.heavy_commuter' end,
            case when c.distance > 0 and c.green_distance * 100 >= c.distance * 60
                then 'mobility.commute.green_commuter' end,
            case when c.public_commutes * 2 >= c.commutes then 'mobility.transport.public_transports_commuter' end
        ]) as segment_id
    from trips as t
    left join commutes as c
        on c.app_id = t.app_id
        and c.user_id = t.user_id
)
select
    user_id,
    cast(segment_id as varchar) as segment_id,
    app_id
from given
where segment_id is not null

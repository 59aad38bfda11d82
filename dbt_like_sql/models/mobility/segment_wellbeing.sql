-- One row per active user and segment of wellbeing and social life. Each user has one level of physical activity and
-- one of social activity. A week in 7 local days with data; minutes a week as in the WHO's guidelines of 2020.
with moving as (
    select
        p.app_id,
        p.user_id,
        cast(t.local_start as date) as local_on,
        sum(t.seconds) filter (where t.mode = 'walking') as walking_seconds,
        sum(t.seconds) filter (where t.mode = 'biking') as biking_seconds,
        sum(t.seconds) filter (where t.mode = 'running') as running_seconds,
        0 as sport_seconds,
        0 as social_seconds
    from {{ ref('segment_people') }} as p
    join {{ source('mobility_layers', 'trips') }} as t
        on t.app_id = p.app_id
        and t.user_id = p.user_id
    where t.mode in ('walking', 'biking', 'running')
    group by
        p.app_id,
        p.user_id,
        cast(t.local_start as date)
),
staying as (
    select
        p.app_id,
        p.user_id,
        cast(v.local_start as date) as local_on,
        0 as walking_seconds,
        0 as biking_seconds,
        0 as running_seconds,
        sum(v.seconds) filter (where list_has_any(v.venue_types, ['sport'])) as sport_seconds,
        sum(v.seconds) filter (
            where
                list_has_any(
                    v.venue_types,
                    ['drinks', 'restaurant', 'resto', 'culture', 'leisure', 'sport', 'religion', 'residential']
                )
        ) as social_seconds
    from {{ ref('segment_people') }} as p
    join {{ source('mobility_layers', 'visits') }} as v
        on v.app_id = p.app_id
        and v.user_id = p.user_id
    where coalesce(v.significance, '') not in ('home', 'work')
    group by
        p.app_id,
        p.user_id,
        cast(v.local_start as date)
),
parts as (
    select app_id, user_id, local_on, walking_seconds, biking_seconds, running_seconds, sport_seconds, social_seconds
    from moving
    union all
    select app_id, user_id, local_on, walking_seconds, biking_seconds, running_seconds, sport_seconds, social_seconds
    from staying
),
days as (
    select
        app_id,
        user_id,
        local_on,
        coalesce(sum(walking_seconds), 0) as walking_seconds,
        coalesce(sum(biking_seconds), 0) as biking_seconds,
        coalesce(sum(running_seconds), 0) as running_seconds,
        coalesce(sum(sport_seconds), 0) as sport_seconds,
        coalesce(sum(social_seconds), 0) as social_seconds
    from parts
    group by
        app_id,
        user_id,
        local_on
),
facts as (
    select
        p.app_id,
        p.user_id,
        p.data_days,
        coalesce(sum(d.walking_seconds), 0) as walking_seconds,
        coalesce(sum(d.biking_seconds), 0) as biking_seconds,
        coalesce(sum(d.walking_seconds + d.biking_seconds + d.running_seconds + d.sport_seconds), 0) as active_seconds,
        coalesce(sum(d.social_seconds), 0) as social_seconds,
        count(*) filter (where d.sport_seconds + d.running_seconds >= 1200) as sport_days
    from {{ ref('segment_people') }} as p
    left join days as d
        on d.app_id = p.app_id
        and d.user_id = p.user_id
    group by
        p.app_id,
        p.user_id,
        p.data_days
),
given as (
    select
        f.app_id,
        f.user_id,
        unnest([
            case when walking_seconds * 7 >= data_days * 210 * 60 then 'leisure.wellbeing.healthy_walker' end,
            case when biking_seconds * 7 >= data_days * 90 * 60 then 'leisure.wellbeing.healthy_biker' end,
            case when sport_days * 7 >= data_days * 2 then 'leisure.wellbeing.sportive' end,
            case
                when active_seconds * 7 >= data_days * 300 * 60 then 'leisure.wellbeing.physical_activity.high'
                when active_seconds * 7 >= data_days * 150 * 60 then 'leisure.wellbeing.physical_activity.moderate'
                else 'leisure.wellbeing.physical_activity.limited'
            end,
            case
                when social_seconds * 7 >= data_days * 8 * 3600 then 'work_life.social.social_activity.high'
                when social_seconds * 7 >= data_days * 3 * 3600 then 'work_life.social.social_activity.moderate'
                else 'work_life.social.social_activity.limited'
            end
        ]) as segment_id
    from facts as f
)
select
    user_id,
    cast(segment_id as varchar) as segment_id,
    app_id
from given
where segment_id is not null

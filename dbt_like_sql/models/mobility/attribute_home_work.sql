-- One row per user: time at home, at work and at places of other significance, by periods and parts of the day.
{% set parts = [('morning', 21600, 39600), ('noon', 39600, 50400), ('afternoon', 50400, 64800), ('evening', 64800, 79200)] %}
{% set weekly = ['nonhome_nonwork', 'nonregular', 'poi', 'poi_regular', 'regular'] %}
with daily as (
    select
        app_id,
        user_id,
        on_date,
        days_ago,
        weekday,
        coalesce(sum(seconds) filter (where significance = 'home'), 0) as home,
        -- Business hours are 09:00 to 17:00 from Monday to Friday.
        coalesce(
            sum(greatest(0, least(to_second, 61200) - greatest(from_second, 32400)))
            filter (where significance = 'home' and weekday < 5),
            0
        ) as home_business,
        coalesce(sum(seconds) filter (where significance = 'work'), 0) as work,
        {% for part, start, stop in parts %}
        coalesce(
            sum(greatest(0, least(to_second, {{ stop }}) - greatest(from_second, {{ start }})))
            filter (where significance = 'work'),
            0
        ) as work_{{ part }},
        {% endfor %}
        coalesce(
            sum(greatest(0, to_second - greatest(from_second, 68400))) filter (where significance = 'work'), 0
        ) as work_late,
        coalesce(sum(seconds) filter (where significance not in ('home', 'work')), 0) as nonhome_nonwork,
        coalesce(sum(seconds) filter (where significance = 'nonregular'), 0) as nonregular,
        coalesce(sum(seconds) filter (where significance = 'poi'), 0) as poi,
        coalesce(sum(seconds) filter (where significance in ('poi', 'regular')), 0) as poi_regular,
        coalesce(sum(seconds) filter (where significance = 'regular'), 0) as regular
    from {{ ref('attribute_stays') }}
    group by app_id, user_id, on_date, days_ago, weekday
),

nights as (
    select
        app_id,
        user_id,
        on_date,
        days_ago,
        weekday,
        home,
        home_business,
        work,
        {% for part, start, stop in parts %}
        work_{{ part }},
        {% endfor %}
        -- What is left of the day is night: 22:00 to 06:00.
        work - work_morning - work_noon - work_afternoon - work_evening as work_night,
        work_late,
        {% for kind in weekly %}
        {{ kind }}{% if not loop.last %},{% endif %}

        {% endfor %}
    from daily
),

weekdays as (
    select
        app_id,
        user_id,
        weekday,
        count(*) as days,
        -- An hour at work makes a working day.
        count(*) filter (where work >= 3600) as worked
    from daily
    group by app_id, user_id, weekday
),

working as (
    select
        app_id,
        user_id,
        string_agg(cast(weekday as varchar), ', ' order by weekday) filter (where worked * 2 >= days) as weekdays
    from weekdays
    group by app_id, user_id
),

weeks as (
    select
        app_id,
        user_id,
        days_ago // 7 as week,
        sum(work) as work
    from daily
    group by app_id, user_id, days_ago // 7
),

work_weeks as (
    select
        app_id,
        user_id,
        max(work) as most,
        avg(work) as mean
    from weeks
    group by app_id, user_id
),

totals as (
    select
        app_id,
        user_id,
        avg(home) filter (where home > 0) as home_day,
        avg(home - home_business) filter (where home > home_business) as home_nonbusiness_day,
        avg(home) filter (where home > 0 and weekday >= 5) as home_weekend_day,
        coalesce(sum(home) filter (where days_ago < 7), 0) as home_week,
        coalesce(sum(home) filter (where days_ago < 7 and weekday >= 5), 0) as home_weekend_week,
        avg(work) filter (where work > 0) as work_day,
        {% for part in ['morning', 'noon', 'afternoon', 'evening', 'night'] %}
        avg(work_{{ part }}) filter (where work > 0) as work_{{ part }}_day,
        {% endfor %}
        coalesce(sum(work) filter (where days_ago < 7), 0) as work_week,
        count(*) filter (where work > 0 and days_ago < 7) as work_days,
        count(*) filter (where work_late > 0 and days_ago < 7) as late_days,
        count(*) filter (where work_night > 0 and days_ago < 30) as night_days,
        {% for kind in weekly %}
        coalesce(sum({{ kind }}) filter (where days_ago < 7), 0) as {{ kind }}{% if not loop.last %},{% endif %}

        {% endfor %}
    from nights
    group by app_id, user_id
)

select
    cast(totals.user_id as varchar) as user_id,
    cast('[' || coalesce(working.weekdays, '') || ']' as varchar) as "semantic.time.working_days.value",
    cast(round(totals.home_nonbusiness_day, 4) as double) as "stationary.home.non_business.time.day.value",
    cast(round(totals.home_day, 4) as double) as "stationary.home.time.day.value",
    cast(totals.home_week as double) as "stationary.home.time.week.value",
    cast(round(totals.home_weekend_day, 4) as double) as "stationary.home.weekend.time.day.value",
    cast(totals.home_weekend_week as double) as "stationary.home.weekend.time.week.value",
    cast(totals.nonhome_nonwork as double) as "stationary.nonhome.nonwork.time.week.value",
    cast(totals.nonregular as double) as "stationary.nonregular.time.week.value",
    cast(totals.nonregular as double) as "stationary.nonwork.nonregular.time.week.value",
    cast(totals.poi_regular as double) as "stationary.nonwork.poi.regular.time.week.value",
    cast(totals.poi as double) as "stationary.poi.time.week.value",
    cast(totals.regular as double) as "stationary.regular.time.week.value",
    {% for part in ['morning', 'noon', 'afternoon', 'evening', 'night'] %}
    cast(round(totals.work_{{ part }}_day, 4) as double) as "stationary.work.{{ part }}.time.day.value",
    {% endfor %}
    cast(totals.work_days as double) as "stationary.work.days_in_week.value",
    cast(totals.night_days as double) as "stationary.work.night.days_in_month.value",
    cast(round(totals.work_day, 4) as double) as "stationary.work.time.day.value",
    cast(work_weeks.most as double) as "stationary.work.time.week.max.value",
    cast(round(work_weeks.mean, 4) as double) as "stationary.work.time.week.mean.value",
    cast(totals.late_days as double) as "work.late.days_in_week.value",
    cast(totals.work_week as double) as "working.atwork.time.week.value",
    cast(totals.app_id as varchar) as app_id
from totals
inner join working
    on working.app_id = totals.app_id
    and working.user_id = totals.user_id
inner join work_weeks
    on work_weeks.app_id = totals.app_id
    and work_weeks.user_id = totals.user_id

-- One row per name of a moment: those of the documentation's library page, and those seen in samples of offloads.
-- Where both have a name for one thing (home and at_home, city_name and city, sport_routine and sporting) moments hold
-- the one that offloads were seen to hold. Nothing that is predicted is delivered.
{%- set usually = ' Usually is the median of ten days from Monday to Friday, of four at weekends.' %}
{%- set computed = [
    ('afternoon', 'semantic_time', 'moment_semantic_time', 1, 'From two hours after the start of lunch to the evening; it holds the early evening too.'),
    ('evening', 'semantic_time', 'moment_semantic_time', 1, 'From two hours after the user usually leaves work (15:30 to 18:30, else 17:00) to the night.' ~ usually),
    ('late_morning', 'semantic_time', 'moment_semantic_time', 1, 'From 10:00, at weekends 10:30, or 90 minutes after the start of the morning, to lunch.'),
    ('lunch', 'semantic_time', 'moment_semantic_time', 1, 'Two hours from when the user usually eats out at noon (11:30 to 13:30, else 12:00, at weekends 12:30).' ~ usually),
    ('morning', 'semantic_time', 'moment_semantic_time', 1, 'From about 45 minutes before the user usually leaves home first (04:30 to 09:30, else 06:00, at weekends 08:00) to the late morning.' ~ usually),
    ('night', 'semantic_time', 'moment_semantic_time', 1, 'From about 45 minutes after the user usually comes home last (22:30 to 01:30, else 23:00, at weekends 23:30) to the morning.' ~ usually),
    ('weekday', 'semantic_time', 'moment_semantic_time', 1, 'A local day from Monday to Friday in the zone of its longest stay, 86399 seconds unless clocks change.'),
    ('weekend', 'semantic_time', 'moment_semantic_time', 1, 'A local Saturday or Sunday in the zone of its longest stay, 86399 seconds unless clocks change.'),
    ('city', 'geography', 'moment_geography', 1, 'Being in a city, with its name in meta, one moment for each local day; city_name on the library page.'),
    ('country', 'geography', 'moment_geography', 1, 'Being in a country, with its name in meta, one moment for each local day.'),
    ('at_home', 'location', 'moment_location', 1, 'A stay at home; home on the library page.'),
    ('nearby_home', 'location', 'moment_location', 1, 'A stay, neither at home nor at work, within 500 m of home.'),
    ('nearby_poi', 'location', 'moment_location', 1, 'A stay within 500 m of a place of interest to the user that is neither at home, at work nor at a place of interest.'),
    ('nearby_work', 'location', 'moment_location', 1, 'A stay, neither at home nor at work, within 500 m of work.'),
    ('afternoon_drinks', 'activity', 'moment_activity', 1, 'A stay of 15 minutes or more at a bar, club, cafe or bakery that begins from 14:30 to 18:00.'),
    ('breakfast_out', 'activity', 'moment_activity', 1, 'A stay of 10 to 90 minutes at a restaurant, cafe or bakery that begins from 05:00 to 11:00.'),
    ('children_drop_off', 'activity', 'moment_activity', 2, 'A stay of at most 20 minutes at a school or kindergarten from Monday to Friday that begins from 06:30 to 10:00, at a place where it was so on two days.'),
    ('commute_from_home', 'activity', 'moment_ways', 1, 'The way from home to work: at most three hours, stays of up to 30 minutes on it included.'),
    ('commute_from_work', 'activity', 'moment_ways', 1, 'The way from work to home: at most three hours, stays of up to 30 minutes on it included.'),
    ('dinner_out', 'activity', 'moment_activity', 1, 'A stay of 20 minutes or more at a restaurant that begins from 17:00 to 22:00.'),
    ('dogwalk', 'activity', 'moment_ways', 7, 'A way on foot from home to home of 5 to 90 minutes with no stop but in parks, of users who go so on seven days and on half of the days on which they leave home.'),
    ('evening_drinks', 'activity', 'moment_activity', 1, 'A stay of 15 minutes or more at a bar, club, cafe or bakery that begins from 18:00 to 23:00.'),
    ('evening_entertainment', 'activity', 'moment_activity', 1, 'A stay of 45 minutes or more at a cinema, theatre, concert, bowling alley, casino or museum that begins from 17:00 to 23:00.'),
    ('lunch_out', 'activity', 'moment_activity', 1, 'A stay of 10 minutes to three hours at a restaurant, cafe or bakery that begins from 11:00 to 14:30.'),
    ('night_out', 'activity', 'moment_activity', 1, 'A stay at a bar or club of which half an hour or more lies between 23:00 and 05:00.'),
    ('shopping_routine', 'activity', 'moment_activity', 3, 'A stay at a shop at which the user was on three days.'),
    ('sporting', 'activity', 'moment_activity', 1, 'A stay of 20 minutes or more at a place for sport, or a run of 10 minutes or more; sport_routine on the library page.'),
    ('working_at_work', 'activity', 'moment_work', 1, 'A stay of 15 minutes or more at work; without its hours from 00:00 to 06:00, unless the user was at work then on three stays and on a fifth of all.'),
    ('working_remote', 'activity', 'moment_work', 1, 'From Monday to Friday, 90 minutes or more at an office that is not the own one, a cafe or a library; or three hours or more at home between 09:00 and 17:00 on a day without work at work, of users who were at work on that day of the week three times.'),
    ('business_trip', 'travel', 'moment_travel', 2, 'From leaving home to coming home with nights 50 km or more away, and two hours at an office from Monday to Friday; or at most two nights at a hotel within Monday to Friday, without sights.'),
    ('holiday', 'travel', 'moment_travel', 3, 'From leaving home to coming home with two nights or more 50 km or more away, if it is no business trip.')
] %}
{%- set renamed = [
    ('city_name', 'geography', 'city'),
    ('home', 'location', 'at_home'),
    ('sport_routine', 'activity', 'sporting')
] %}
{%- set predicted = [
    'about_to_children_drop_off', 'about_to_commute_from_home', 'about_to_commute_from_work', 'about_to_shopping',
    'about_to_sport', 'about_to_working'
] %}
with names as (
{%- for id, category, family, least_days, definition in computed %}
    select
        '{{ id }}' as moment_definition_id,
        '{{ category }}' as category,
        '{{ family }}' as family,
        '{{ definition }}' as definition,
        {{ least_days }} as least_days,
        '{{ id }}' as computed_as
    union all
{%- endfor %}
{%- for id, category, name in renamed %}
    select
        '{{ id }}' as moment_definition_id,
        '{{ category }}' as category,
        null as family,
        'The library page has this name for what offloads call {{ name }}, and so do we.' as definition,
        null as least_days,
        '{{ name }}' as computed_as
    union all
{%- endfor %}
{%- for id in predicted %}
    select
        '{{ id }}' as moment_definition_id,
        'about_to_routine' as category,
        null as family,
        'A prediction; offloads hold what was, never what may be.' as definition,
        null as least_days,
        null as computed_as
    {%- if not loop.last %}
    union all
    {%- endif %}
{%- endfor %}
)

select
    cast(names.moment_definition_id as varchar) as moment_definition_id,
    cast(names.category as varchar) as category,
    cast(names.family as varchar) as family,
    cast(names.definition as varchar) as definition,
    cast(names.least_days as integer) as least_days,
    cast(names.family is not null as boolean) as is_computed,
    cast(names.computed_as as varchar) as computed_as
from names

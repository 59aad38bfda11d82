-- One row per user with stays at venues: how often, on how many days and how long, by kind of venue.
-- Home and work do not count, except for education: who tends a bar is no guest of it.
{% set cuisines = [
    'american', 'asian', 'barbecue', 'fastfood', 'french', 'german', 'greek', 'grill', 'international', 'italian',
    'mediterranean', 'mexican', 'seafood', 'snack'
] %}
{% set shops = ['animals', 'beauty', 'diy', 'food', 'general', 'health', 'hobby', 'retail', 'stationery', 'transport'] %}
{% set leisures = ['bowling', 'cinema', 'gambling', 'music', 'park', 'tourism', 'welness'] %}
{% set plain = [
    'culture', 'drinks', 'bar', 'cafe', 'club', 'education', 'food', 'gas_station', 'health', 'restaurant', 'shop',
    'supermarket', 'sport', 'uber'
] %}
with daily as (
    select
        app_id,
        user_id,
        days_ago,
        venue_types,
        coalesce(significance, '') in ('home', 'work') as is_own,
        stay_seconds <= 1200 as is_short,
        count(*) filter (where is_first) as visits,
        sum(seconds) as seconds
    from {{ ref('attribute_stays') }}
    where venue_types <> '||'
    group by
        app_id,
        user_id,
        days_ago,
        venue_types,
        coalesce(significance, '') in ('home', 'work'),
        stay_seconds <= 1200
),

kinds as (
    select
        app_id,
        user_id,
        days_ago,
        cast(1 as bigint) << days_ago as date_bit,
        visits,
        seconds,
        not is_own and contains(venue_types, '|culture|') as is_culture,
        not is_own and contains(venue_types, '|drinks|') as is_drinks,
        not is_own and contains(venue_types, '|drinks|') and contains(venue_types, '|bar|') as is_bar,
        not is_own and contains(venue_types, '|drinks|') and contains(venue_types, '|cafe|') as is_cafe,
        not is_own and contains(venue_types, '|drinks|') and contains(venue_types, '|club|') as is_club,
        contains(venue_types, '|education|') as is_education,
        not is_own and contains(venue_types, '|food|') and not contains(venue_types, '|shop|') as is_food,
        not is_own and contains(venue_types, '|gasstation|') as is_gas_station,
        not is_own and contains(venue_types, '|health|') and not contains(venue_types, '|shop|') as is_health,
        not is_own and contains(venue_types, '|restaurant|') as is_restaurant,
        {% for cuisine in cuisines %}
        not is_own and contains(venue_types, '|restaurant|') and contains(venue_types, '|{{ cuisine }}|')
            as is_restaurant_{{ cuisine }},
        {% endfor %}
        not is_own and contains(venue_types, '|shop|') as is_shop,
        {% for shop in shops %}
        not is_own and contains(venue_types, '|shop|') and contains(venue_types, '|{{ shop }}|')
            as is_shop_{{ shop }},
        {% endfor %}
        not is_own and contains(venue_types, '|shop|') and contains(venue_types, '|supermarket|') as is_supermarket,
        not is_own and contains(venue_types, '|sport|') as is_sport,
        {% for leisure in leisures if leisure != 'welness' %}
        not is_own and contains(venue_types, '|leisure|') and contains(venue_types, '|{{ leisure }}|')
            as is_leisure_{{ leisure }},
        {% endfor %}
        not is_own and (contains(venue_types, '|wellness|') or contains(venue_types, '|spa|')) as is_leisure_welness,
        not is_own
        and is_short
        and (contains(venue_types, '|school|') or contains(venue_types, '|kindergarten|')) as is_uber
    from daily
),

totals as (
    select
        app_id,
        user_id,
        {% for kind in plain %}
        sum(visits) filter (where is_{{ kind }}) as {{ kind }}_visits,
        sum(visits) filter (where is_{{ kind }} and days_ago < 7) as {{ kind }}_visits_week,
        sum(visits) filter (where is_{{ kind }} and days_ago < 30) as {{ kind }}_visits_month,
        sum(seconds) filter (where is_{{ kind }}) as {{ kind }}_seconds,
        sum(seconds) filter (where is_{{ kind }} and days_ago < 7) as {{ kind }}_seconds_week,
        bit_or(date_bit) filter (where is_{{ kind }}) as {{ kind }}_dates,
        {% endfor %}
        {% for cuisine in cuisines %}
        sum(visits) filter (where is_restaurant_{{ cuisine }} and days_ago < 7) as {{ cuisine }}_week,
        sum(visits) filter (where is_restaurant_{{ cuisine }} and days_ago < 30) as {{ cuisine }}_month,
        {% endfor %}
        {% for shop in shops %}
        sum(visits) filter (where is_shop_{{ shop }} and days_ago < 7) as shop_{{ shop }}_week,
        sum(visits) filter (where is_shop_{{ shop }} and days_ago < 30) as shop_{{ shop }}_month,
        sum(seconds) filter (where is_shop_{{ shop }}) as shop_{{ shop }}_seconds,
        bit_or(date_bit) filter (where is_shop_{{ shop }}) as shop_{{ shop }}_dates,
        {% endfor %}
        {% for leisure in leisures %}
        bit_or(date_bit) filter (where is_leisure_{{ leisure }}) as {{ leisure }}_dates{% if not loop.last %},{% endif %}

        {% endfor %}
    from kinds
    group by app_id, user_id
)

select
    cast(user_id as varchar) as user_id,
    cast(culture_visits_week as bigint) as "stationary.culture.count.week.value",
    {% for kind in ['bar', 'cafe', 'club'] %}
    cast(bit_count({{ kind }}_dates & 127) as bigint) as "stationary.drinks.{{ kind }}.days_in_week.value",
    {% endfor %}
    cast(drinks_visits_week as double) as "stationary.drinks.count.week.value",
    cast(bit_count(drinks_dates & 127) as double) as "stationary.drinks.days_in_week.value",
    cast(drinks_seconds_week as double) as "stationary.drinks.time.week.value",
    cast(bit_count(education_dates & 127) as double) as "stationary.education.days_in_week.value",
    cast(round(education_seconds / nullif(education_visits, 0), 4) as double) as "stationary.education.duration.value",
    cast(food_visits_week as double) as "stationary.food.count.week.value",
    cast(food_seconds_week as double) as "stationary.food.time.week.value",
    cast(gas_station_visits_month as double) as "stationary.gas_station.count.month.value",
    cast(gas_station_visits_week as double) as "stationary.gas_station.count.week.value",
    cast(health_visits_month as double) as "stationary.health.count.month.value",
    cast(bit_count(health_dates & 127) as double) as "stationary.health.days_in_week.value",
    cast(round(health_seconds / nullif(health_visits, 0), 4) as double) as "stationary.health.duration.value",
    {% for leisure in leisures %}
    cast(bit_count({{ leisure }}_dates & 1073741823) as {{ 'double' if leisure == 'cinema' else 'bigint' }})
        as "stationary.leisure.{{ leisure }}.days_in_month.value",
    {% endfor %}
    {% for cuisine in cuisines %}
    cast({{ cuisine }}_month as {{ 'double' if cuisine in ['asian', 'fastfood', 'greek', 'italian'] else 'bigint' }})
        as "stationary.restaurant.{{ cuisine }}.count.month.value",
    cast({{ cuisine }}_week as {{ 'double' if cuisine == 'fastfood' else 'bigint' }}) as "stationary.restaurant.{{ cuisine }}.count.week.value",
    {% endfor %}
    cast(restaurant_visits_week as double) as "stationary.restaurant.count.week.value",
    cast(restaurant_seconds_week as double) as "stationary.restaurant.time.week.value",
    {% for shop in shops %}
    {% set kind = 'double' if shop == 'food' else 'bigint' %}
    cast(bit_count(shop_{{ shop }}_dates & 127) as {{ kind }})
        as "stationary.shop.{{ shop }}.count.days_in_week.value",
    cast(shop_{{ shop }}_week as {{ kind }}) as "stationary.shop.{{ shop }}.count.week.value",
    cast(round(shop_{{ shop }}_seconds / nullif(bit_count(shop_{{ shop }}_dates), 0), 4) as double)
        as "stationary.shop.{{ shop }}.time.day.value",
    {% endfor %}
    cast(shop_animals_month as bigint) as "stationary.shop.animals.count.month.value",
    cast(shop_diy_month as double) as "stationary.shop.diy.count.month.value",
    cast(bit_count(shop_dates & 127) as double) as "stationary.shop.days_in_week.value",
    cast(round(shop_seconds / nullif(shop_visits, 0), 4) as double) as "stationary.shop.duration.value",
    cast(supermarket_visits_week as double) as "stationary.shop.supermarket.count.week.value",
    cast(shop_seconds_week as double) as "stationary.shop.time.week.value",
    cast(bit_count(sport_dates & 127) as double) as "stationary.sport.days_in_week.value",
    cast(round(sport_seconds / nullif(sport_visits, 0), 4) as double) as "stationary.sport.duration.value",
    cast(sport_seconds_week as double) as "stationary.sport.time.week.value",
    cast(bit_count(uber_dates & 127) as double) as "stationary.uber.days_in_week.value",
    cast(app_id as varchar) as app_id
from totals

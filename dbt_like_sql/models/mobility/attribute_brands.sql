-- One row per user with stays at venues: the brand or name that the user visits most, by kind of venue.
-- A tie in visits goes to the longer time, then to the first name in order. Home and work do not count but for education.
{% set kinds = [
    'culture', 'drinks', 'drinks.bar', 'drinks.cafe', 'education', 'food', 'gas_station', 'health', 'restaurant', 'shop',
    'shop.retail', 'shop.supermarket', 'sport'
] %}
with venues as (
    select
        app_id,
        user_id,
        venue,
        venue_types,
        coalesce(significance, '') in ('home', 'work') as is_own,
        count(*) filter (where is_first) as visits,
        sum(seconds) as seconds
    from {{ ref('attribute_stays') }}
    where venue_types <> '||'
        and venue <> ''
    group by app_id, user_id, venue, venue_types, coalesce(significance, '') in ('home', 'work')
),

listed as (
    select
        app_id,
        user_id,
        venue,
        visits,
        seconds,
        unnest([
            if(not is_own and contains(venue_types, '|culture|'), 'culture', null),
            if(not is_own and contains(venue_types, '|drinks|'), 'drinks', null),
            if(not is_own and contains(venue_types, '|drinks|') and contains(venue_types, '|bar|'), 'drinks.bar', null),
            if(not is_own and contains(venue_types, '|drinks|') and contains(venue_types, '|cafe|'), 'drinks.cafe', null),
            if(contains(venue_types, '|education|'), 'education', null),
            if(not is_own and contains(venue_types, '|food|') and not contains(venue_types, '|shop|'), 'food', null),
            if(not is_own and contains(venue_types, '|gasstation|'), 'gas_station', null),
            if(not is_own and contains(venue_types, '|health|') and not contains(venue_types, '|shop|'), 'health', null),
            if(not is_own and contains(venue_types, '|restaurant|'), 'restaurant', null),
            if(not is_own and contains(venue_types, '|shop|'), 'shop', null),
            if(not is_own and contains(venue_types, '|shop|') and contains(venue_types, '|retail|'), 'shop.retail', null),
            if(
                not is_own and contains(venue_types, '|shop|') and contains(venue_types, '|supermarket|'),
                'shop.supermarket',
                null
            ),
            if(not is_own and contains(venue_types, '|sport|'), 'sport', null)
        ]) as kind
    from venues
),

summed as (
    select
        app_id,
        user_id,
        kind,
        venue,
        sum(visits) as visits,
        sum(seconds) as seconds
    from listed
    where kind is not null
        and visits > 0
    group by app_id, user_id, kind, venue
),

ranked as (
    select
        app_id,
        user_id,
        kind,
        venue,
        visits / sum(visits) over (partition by app_id, user_id, kind) as share,
        row_number() over (partition by app_id, user_id, kind order by visits desc, seconds desc, venue) as place
    from summed
)

select
    cast(user_id as varchar) as user_id,
    {% for kind in kinds %}
    cast(round(max(share) filter (where kind = '{{ kind }}'), 4) as double)
        as "stationary.{{ kind }}.homogeneity.value",
    cast(max(venue) filter (where kind = '{{ kind }}') as varchar) as "stationary.{{ kind }}.mostcommon.value",
    {% endfor %}
    cast(app_id as varchar) as app_id
from ranked
where place = 1
group by app_id, user_id

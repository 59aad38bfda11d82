-- One row per active user and segment of entertainment, shopping, wining and dining that follows from how many local
-- days the user spent at kinds of venues. A venue that is the user's home or work counts for nobody's leisure.
{% set cuisines = [
    'american', 'asian', 'fastfood', 'french', 'german', 'greek', 'grill', 'international', 'italian', 'mexican',
    'seafood', 'snack',
] %}
{% set kinds = {
    'bar': ['bar', 'pub', 'biergarten'],
    'club': ['club', 'nightclub'],
    'culture': ['culture', 'museum', 'theatre', 'gallery', 'concerthall', 'opera'],
    'game': ['gaming', 'arcade', 'bowling', 'gambling', 'casino', 'videogames'],
    'nature': ['park', 'nature', 'forest', 'beach', 'garden'],
    'beauty': ['beauty', 'cosmetics', 'hairdresser', 'wellness', 'spa'],
    'fashion': ['clothes', 'shoes', 'fashion', 'boutique', 'jewelry'],
    'restaurant': ['restaurant', 'resto'],
} %}
with days as (
    select
        v.app_id,
        v.user_id,
        cast(v.local_start as date) as local_on,
        {%- for kind, types in kinds.items() %}
        bool_or(list_has_any(v.venue_types, {{ types }})) as {{ kind }},
        {%- endfor %}
        {%- for cuisine in cuisines %}
        bool_or(
            list_has_any(v.venue_types, {{ kinds.restaurant }}) and list_contains(v.venue_types, '{{ cuisine }}')
        ) as {{ cuisine }},
        {%- endfor %}
        bool_or(
            list_has_all(v.venue_types, ['shop', 'food'])
            and not list_has_any(v.venue_types, ['supermarket', 'convenience'])
        ) as delicacies,
        bool_or(list_has_any(v.venue_types, ['shop']) and not list_has_any(v.venue_types, ['food'])) as shop
    from {{ source('mobility_layers', 'visits') }} as v
    where coalesce(v.significance, '') not in ('home', 'work')
    group by
        v.app_id,
        v.user_id,
        cast(v.local_start as date)
),
facts as (
    select
        p.app_id,
        p.user_id,
        p.data_days,
        {%- for kind in kinds %}
        count(*) filter (where d.{{ kind }}) as {{ kind }}_days,
        {%- endfor %}
        {%- for cuisine in cuisines %}
        count(*) filter (where d.{{ cuisine }}) as {{ cuisine }}_days,
        {%- endfor %}
        count(*) filter (where d.delicacies) as delicacies_days,
        count(*) filter (where d.shop) as shop_days
    from {{ ref('segment_people') }} as p
    join days as d
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
            case when bar_days * 7 >= data_days then 'leisure.entertainment.bar_goer' end,
            case when club_days >= 2 and club_days * 21 >= data_days then 'leisure.entertainment.clubber' end,
            case when culture_days * 14 >= data_days then 'leisure.entertainment.culture_buff' end,
            case when game_days * 14 >= data_days then 'leisure.entertainment.gamer' end,
            case when nature_days * 7 >= data_days then 'leisure.entertainment.nature_lover' end,
            case when beauty_days * 21 >= data_days then 'leisure.shopping.beauty_queen' end,
            case when fashion_days * 14 >= data_days then 'leisure.shopping.fashionista' end,
            case when delicacies_days * 7 >= data_days then 'leisure.shopping.foodie' end,
            case when shop_days * 7 >= data_days * 3 then 'leisure.shopping.shopaholic' end,
            case when restaurant_days * 7 >= data_days then 'leisure.wining_and_dining.resto_lover' end
            {%- for cuisine in cuisines %},
            case when {{ cuisine }}_days * 21 >= data_days
                then 'leisure.wining_and_dining.resto_lover.{{ cuisine }}' end
            {%- endfor %}
        ]) as segment_id
    from facts as f
)
select
    user_id,
    cast(segment_id as varchar) as segment_id,
    app_id
from given
where segment_id is not null

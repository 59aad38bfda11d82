"""What is told about the demo's content: tenants, publishers, tags, metadata of assets and categories, subtitles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from offramp.sources.demo.draw import Draw, spoil
from offramp.sources.demo.moments import Moments, Part
from offramp.sources.demo.people import tenants
from offramp.sources.demo.picking import drawn_within, made, numbered, published_assets, shown_categories, without
from offramp.sources.demo.schema import TENANTS
from offramp.sources.demo.words import (
    ASSET_FACTS,
    CATEGORY_FACTS,
    ODD,
    PUBLISHER_COUNTRIES,
    PUBLISHERS,
    SENTENCES,
    SUBTITLE_CONTENTS,
    SUBTITLE_LOCALES,
    SUBTITLE_TYPES,
    TAG_TYPES,
    TAG_WORDS,
    TENANT_LANGUAGES,
    TENANT_NAMES,
    TENANT_ZONES,
    TITLES,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from offramp.sources.demo.chapter import Beginning, First, Shift, Versions

FACTS, CATEGORY, SUBTITLES = "assets_metadata", "categories_metadata", "subtitles"
PUBLISHER_ID = "publisher-id"

# What is told of an asset or category: the name, the language (``own`` is the tenant's), how many have it.
_ASSET_ENTRIES = (
    ("title", "own", 1.0), ("title", "en_US", 0.7), ("synopsis", "own", 0.6), ("synopsis", "en_US", 0.3),
    ("genre", "own", 1.0), ("genre", "en_US", 0.4), ("production-year", "*", 0.95), ("production-country", "*", 0.7),
    ("age-limit", "*", 0.8), ("director", "*", 0.5), ("aspect-ratio", "*", 0.4),
)  # fmt: skip
_CATEGORY_ENTRIES = (
    (PUBLISHER_ID, "*", 1.0), ("title", "own", 0.9), ("title", "en_US", 0.5), ("synopsis", "own", 0.6),
    ("colour", "*", 0.5), ("contact", "*", 0.4),
)  # fmt: skip
_FREE = ("title", "synopsis", "director", "contact")


def begin(beginning: Beginning) -> First:
    """Return what is told when the demo begins."""
    draw, state = beginning.draw, beginning.state
    publishers = _publishers(draw, beginning.before(sum(len(names) for names in PUBLISHERS.values())))
    assets = published_assets(state)
    told = numbered(_facts(draw, assets, _ASSET_ENTRIES, ASSET_FACTS), 1)
    categories = numbered(_category_facts(draw, shown_categories(state), publishers), 1)
    subtitled = numbered(_subtitled(draw, assets), 1)
    return {
        "tenants": _tenants(beginning.before(len(TENANTS))),
        "publishers": publishers,
        "tags": _tags(draw, 1, beginning.before(48)),
        FACTS: made(FACTS, told, beginning.before(len(told))),
        CATEGORY: made(CATEGORY, categories, beginning.before(len(categories))),
        SUBTITLES: made(SUBTITLES, subtitled, beginning.before(len(subtitled))),
    }


def live(shift: Shift) -> Versions:
    """Return the versions of one part of a day; what is slow to change does so on few days."""
    day = shift.number
    match shift.part:
        case Part.NIGHT:
            return {FACTS: [_retold(shift)], "tags": _live_tags(shift) if day % 3 == 1 else []}
        case Part.WORK:
            return {
                "tenants": [_renamed(shift)] if day % 14 == 3 else [],
                "publishers": _live_publishers(shift) if day % 7 in (3, 5) else [],
                FACTS: _live_facts(shift),
                SUBTITLES: _live_subtitles(shift) if day % 2 == 1 else [],
            }
        case Part.EVENING:
            return {CATEGORY: _live_categories(shift)} if day % 2 == 0 else {}


# Tenants, publishers and tags


def _tenants(when: Moments) -> pl.DataFrame:
    rows = pl.DataFrame(
        {
            "id": pl.int_range(1, len(TENANTS) + 1, dtype=pl.Int64, eager=True),
            "name": TENANTS,
            "display_name": [TENANT_NAMES[tenant][0] for tenant in TENANTS],
            "environment": ["production"] * len(TENANTS),
            "time_zone": [TENANT_ZONES[tenant][0] for tenant in TENANTS],
            "currency": [TENANT_ZONES[tenant][1] for tenant in TENANTS],
            "tenant": TENANTS,
        }
    )
    return made("tenants", rows, when)


def _renamed(shift: Shift) -> pl.DataFrame:
    """Return a tenant under another display name; they take turns."""
    tenant = TENANTS[shift.number // 14 % len(TENANTS)]
    row = shift.state.rows("tenants").filter(pl.col("name") == tenant)
    return shift.change("tenants", row, display_name=shift.draw.pick(TENANT_NAMES[tenant], len(row)))


def _publishers(draw: Draw, when: Moments) -> pl.DataFrame:
    """Return the first publishers, tenant by tenant."""
    tenant = [tenant for tenant, names in PUBLISHERS.items() for _ in names]
    rows = pl.DataFrame({"name": [name for names in PUBLISHERS.values() for name in names], "tenant": tenant})
    return _published(draw, numbered(rows, 1), when)


def _published(draw: Draw, rows: pl.DataFrame, when: Moments) -> pl.DataFrame:
    n = len(rows)
    rows = rows.with_columns(
        tenant_id=(pl.col("tenant") == TENANTS[1]).cast(pl.Int64) + 1,
        country=spoil(draw.pick(PUBLISHER_COUNTRIES, n), draw.chance(0.2, n)),
        enabled=pl.Series(~draw.chance(0.1, n)),
    )
    return made("publishers", rows, when)


def _live_publishers(shift: Shift) -> list[pl.DataFrame]:
    """Return a new publisher or another country for one, each once a week."""
    draw, state = shift.draw, shift.state
    added = int(shift.number % 7 == 5)
    new = numbered(pl.DataFrame({"name": draw.text(TITLES, added, odd=0.4)}), state.next_id("publishers"))
    new = new.with_columns(tenant=tenants(new.get_column("id")))
    row = shift.choose(state.rows("publishers"), int(shift.number % 7 == 3))
    return [
        _published(draw, new, shift.moments(added)),
        shift.change("publishers", row, country=draw.pick(PUBLISHER_COUNTRIES, len(row)), enabled=~pl.col("enabled")),
    ]


def _tags(draw: Draw, first_id: int, when: Moments) -> pl.DataFrame:
    """Return tags; the id gives word and language, and a number once all words have been used in all languages."""
    n = len(when.changed)
    languages = ("*", "en_US", *TENANT_LANGUAGES.values())
    ids = pl.int_range(first_id, first_id + n, dtype=pl.Int64, eager=True)
    place, turn = (ids - 1) // len(TAG_WORDS), (ids - 1) // (len(TAG_WORDS) * len(languages))
    number = pl.select(pl.when(turn > 0).then(" " + (turn + 1).cast(pl.String)).otherwise(pl.lit(""))).to_series()
    strange = spoil(" " + draw.pick(ODD, n), ~draw.chance(0.15, n), "")
    rows = pl.DataFrame(
        {
            "id": ids,
            "name": pl.Series(TAG_WORDS).gather((ids - 1) % len(TAG_WORDS)) + number + strange,
            "lang": pl.Series(languages).gather(place % len(languages)),
            "tag_type": spoil(draw.pick(TAG_TYPES, n), draw.chance(0.15, n)),
            "usage_count": draw.whole(0, 200, n),
            "tenant": tenants(ids),
        }
    )
    return made("tags", rows, when)


def _live_tags(shift: Shift) -> list[pl.DataFrame]:
    """Return tags as they are counted anew at night, and at times a new one."""
    draw, state = shift.draw, shift.state
    counted = shift.choose(state.rows("tags"), 8)
    step = pl.lit(pl.Series(draw.whole(-3, 12, len(counted))))
    new = shift.moments(shift.number % 2)
    return [
        shift.change("tags", counted, usage_count=pl.max_horizontal(pl.col("usage_count") + step, 0)),
        _tags(draw, state.next_id("tags"), new),
    ]


# Metadata of assets and categories


def _facts(
    draw: Draw, owners: pl.DataFrame, entries: Sequence[tuple[str, str, float]], choices: Mapping[str, Sequence[str]]
) -> pl.DataFrame:
    """Return metadata of owners, at most one row for each of their entries."""
    kinds = pl.DataFrame(entries, schema=["name", "lang", "_share"], orient="row")
    rows = owners.join(kinds, how="cross", maintain_order="left_right")
    rows = rows.filter(pl.lit(pl.Series(draw.rng.random(len(rows)))) < pl.col("_share"))
    own = pl.col("tenant").replace_strict(TENANT_LANGUAGES, return_dtype=pl.String)
    return rows.drop("_share").with_columns(
        pl.when(pl.col("lang") == "own").then(own).otherwise("lang").alias("lang"),
        value=_values(draw, rows.get_column("name"), choices),
    )


def _values(draw: Draw, names: pl.Series, choices: Mapping[str, Sequence[str]]) -> pl.Series:
    """Return a value for each name. A part of the free texts is odd, empty or NULL."""
    n = len(names)
    # Every name has to be listed; what stands for a publisher is set by its caller.
    listed = pl.DataFrame(
        {
            "name": [PUBLISHER_ID, *(name for name, values in choices.items() for _ in values)],
            "value": ["", *(value for values in choices.values() for value in values)],
        }
    )
    plain = drawn_within(draw, listed, "name", names).get_column("value")
    strange = draw.text(SENTENCES, n, odd=0.7, null=0.1, empty=0.1)
    return strange.zip_with(names.is_in(_FREE) & pl.Series(draw.chance(0.25, n)), plain)


def _category_facts(draw: Draw, categories: pl.DataFrame, publishers: pl.DataFrame) -> pl.DataFrame:
    """Return metadata of categories, the publisher of each among them: one of its tenant."""
    rows = _facts(draw, categories, _CATEGORY_ENTRIES, CATEGORY_FACTS)
    publisher = _publisher_ids(draw, rows, publishers)
    return rows.with_columns(value=pl.when(pl.col("name") == PUBLISHER_ID).then(publisher).otherwise("value"))


def _publisher_ids(draw: Draw, rows: pl.DataFrame, publishers: pl.DataFrame) -> pl.Series:
    choices = publishers.select("id", "tenant")
    return drawn_within(draw, choices, "tenant", rows.get_column("tenant")).get_column("id").cast(pl.String)


def _retold(shift: Shift) -> pl.DataFrame:
    """Return metadata of assets with other values, as a nightly import brings them."""
    rows = shift.state.rows(FACTS)
    chosen = shift.choose(rows, shift.draw.count(max(4.0, 0.003 * len(rows))))
    return shift.change(FACTS, chosen, value=_values(shift.draw, chosen.get_column("name"), ASSET_FACTS))


def _live_facts(shift: Shift) -> list[pl.DataFrame]:
    """Return metadata of new assets, titles in one more language, and synopses that are removed for good."""
    draw, state, rows = shift.draw, shift.state, shift.state.rows(FACTS)
    assets = published_assets(state)
    told = _facts(draw, without(assets, state, FACTS), _ASSET_ENTRIES, ASSET_FACTS)
    titled = shift.choose(assets, draw.count(max(1.0, shift.scale))).sort("asset_id")
    titled = titled.with_columns(
        name=pl.lit("title"), lang=pl.lit("sv_SE"), value=draw.text(TITLES, len(titled), odd=0.3)
    )
    titled = titled.join(told, on="asset_id", how="anti", maintain_order="left")
    titled = titled.join(rows, on=("asset_id", "name", "lang"), how="anti", maintain_order="left")
    new = numbered(pl.concat([told, titled.select(told.columns)]), state.next_id(FACTS))
    synopses = rows.filter((pl.col("name") == "synopsis") & (pl.col("lang") == "en_US"))
    return [
        made(FACTS, new, shift.moments(len(new))),
        shift.remove(shift.choose(synopses, draw.count(max(0.5, shift.scale)))),
    ]


def _live_categories(shift: Shift) -> list[pl.DataFrame]:
    """Return metadata of new shows, other values, and a channel or show that another publisher takes over."""
    draw, state, rows = shift.draw, shift.state, shift.state.rows(CATEGORY)
    publishers, is_publisher = state.rows("publishers"), pl.col("name") == PUBLISHER_ID
    fresh = without(shown_categories(state), state, CATEGORY, "category_id")
    new = numbered(_category_facts(draw, fresh, publishers), state.next_id(CATEGORY))
    sold = shift.choose(rows.filter(is_publisher), int(shift.number % 5 == 3))
    edited = shift.choose(rows.filter(~is_publisher), draw.count(2))
    return [
        made(CATEGORY, new, shift.moments(len(new))),
        shift.change(CATEGORY, sold, value=_publisher_ids(draw, sold, publishers)),
        shift.change(CATEGORY, edited, value=_values(draw, edited.get_column("name"), CATEGORY_FACTS)),
    ]


# Subtitles


def _subtitled(draw: Draw, assets: pl.DataFrame) -> pl.DataFrame:
    """Return subtitles in the language of an asset's tenant, and a part of those in further languages."""
    locales = pl.DataFrame(
        [
            (tenant, *locale, not place)
            for tenant, all_ in SUBTITLE_LOCALES.items()
            for place, locale in enumerate(all_)
        ],
        schema=["tenant", "locale", "name", "_is_own"],
        orient="row",
    )
    rows = assets.join(locales, on="tenant", how="inner", maintain_order="left_right")
    rows = rows.filter(pl.col("_is_own") | pl.lit(pl.Series(draw.chance(0.4, len(rows)))))
    n = len(rows)
    strange = draw.text(SENTENCES, n, odd=0.8)
    rows = rows.with_columns(
        name=strange.zip_with(pl.Series(draw.chance(0.1, n)), rows.get_column("name")),
        type=draw.pick(SUBTITLE_TYPES, n),
        content_type=draw.pick(SUBTITLE_CONTENTS, n),
    )
    return rows.with_columns(uri=_addresses(draw, rows))


def _addresses(draw: Draw, rows: pl.DataFrame) -> pl.Series:
    """Return where subtitles are served; one in twenty is not yet."""
    n = len(rows)
    folder = rows.select(pl.format("https://subtitles.example.org/{}/{}/{}", "tenant", "asset_id", "locale"))
    return spoil(folder.to_series() + "-" + draw.hex(8, n) + ".vtt?a=1&b=2", draw.chance(0.05, n))


def _live_subtitles(shift: Shift) -> list[pl.DataFrame]:
    """Return subtitles of new assets, further ones, others that are served elsewhere, and some less."""
    draw, state, rows = shift.draw, shift.state, shift.state.rows(SUBTITLES)
    assets = published_assets(state)
    further = shift.choose(assets, draw.count(max(1.0, 2 * shift.scale))).sort("asset_id")
    wanted = pl.concat([without(assets, state, SUBTITLES), further]).unique("asset_id", maintain_order=True)
    new = _subtitled(draw, wanted).join(rows, on=("asset_id", "locale", "type"), how="anti", maintain_order="left")
    new = numbered(new, state.next_id(SUBTITLES))
    moved, removed = (draw.count(max(least, mean * shift.scale)) for least, mean in ((3.0, 6.0), (1.0, 2.0)))
    chosen = shift.choose(rows, moved + removed)
    return [
        made(SUBTITLES, new, shift.moments(len(new))),
        shift.change(SUBTITLES, chosen.head(moved), uri=_addresses(draw, chosen.head(moved))),
        shift.remove(chosen.slice(moved)),
    ]

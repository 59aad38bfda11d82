"""New rows of the acquisition manager: owners, contracts, titles, licences, permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.draw import DAY, Draw, decimals, instants, spoil
from offramp.sources.demo.people import tenants
from offramp.sources.demo.picking import picked_alike, some_numbers, where
from offramp.sources.demo.schema import TENANTS
from offramp.sources.demo.versions import version
from offramp.sources.demo.words import (
    COUNTRIES,
    OWNERS,
    RATINGS,
    TITLES,
    TITLES_ABROAD,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.demo.moments import Moments


PREFIX = "acquisition_manager_"
PROVIDERS, CONTRACTS, SHOWS, SEASONS, EPISODES, MOVIES, LICENSES, PERMISSIONS = (
    PREFIX + name
    for name in ("providers", "contracts", "shows", "seasons", "episodes", "movies", "licenses", "permissions")
)
_CURRENCIES = ("NOK", "EUR", "USD", "GBP")


def following_ids(first_id: int, n: int) -> pl.Series:
    """Return n ids that follow each other."""
    return pl.int_range(first_id, first_id + n, dtype=pl.Int64, eager=True)


def _dated(columns: dict[str, pl.Series], tenant: pl.Series, when: Moments) -> pl.DataFrame:
    """Return rows with what every table here has at its end."""
    changed = instants(when.changed)
    return version(pl.DataFrame({**columns, "registered": changed, "last_updated": changed, "tenant": tenant}), when)


def _countries(draw: Draw, tenant: pl.Series) -> pl.Series:
    first, second = (draw.pick(COUNTRIES[name], len(tenant)) for name in TENANTS)
    return first.zip_with(tenant == TENANTS[0], second)


def new_providers(draw: Draw, first_id: int, when: Moments) -> pl.DataFrame:
    """Return owners of content and those who sell for them."""
    n = len(when.changed)
    ids = following_ids(first_id, n)
    tenant = tenants(ids)
    return _dated(
        {
            "id": ids,
            "name": draw.text(OWNERS, n, odd=0.2),
            "provider_type": draw.pick(("STUDIO", "DISTRIBUTOR", "SPORTS", "AGGREGATOR"), n),
            "country": spoil(_countries(draw, tenant), draw.chance(0.15, n)),
            "contact_email": spoil("rights+" + ids.cast(pl.String) + "@example.org", draw.chance(0.25, n)),
            "enabled": pl.Series(~draw.chance(0.1, n)),
        },
        tenant,
        when,
    )


def new_contracts(
    draw: Draw, providers: pl.DataFrame, states: pl.Series, when: Moments, *, first_id: int
) -> pl.DataFrame:
    """Return a contract with each given provider. What is over has ended before its row changed."""
    n = len(when.changed)
    ids = following_ids(first_id, n)
    is_over = states.is_in(["EXPIRED", "TERMINATED"]).to_numpy()
    is_signed = ~states.is_in(["DRAFT", "PENDING"]).to_numpy()
    today = when.changed // DAY
    start = np.where(is_over, today - draw.whole(400, 900, n), today + draw.whole(-60, 60, n))
    end = np.where(is_over, today - draw.whole(1, 30, n), start + draw.whole(400, 1500, n))
    has_end = is_over | ~draw.chance(0.2, n)
    is_known = pl.Series(draw.chance(0.85, n))
    return _dated(
        {
            "id": ids,
            "provider_id": providers.get_column("id"),
            "contract_number": draw.pick(("AM-", "00", "K/", "№ "), n) + ids.cast(pl.String).str.zfill(6),
            "title": draw.text(TITLES, n, odd=0.2),
            "status": states,
            "signed_date": where(is_signed, _days(start - draw.whole(1, 40, n))),
            "start_date": _days(start),
            "end_date": where(has_end, _days(end)),
            "currency": where(is_known, draw.pick(_CURRENCIES, n)),
            "total_value": where(is_known, contract_values(draw, n)),
        },
        providers.get_column("tenant"),
        when,
    )


def contract_values(draw: Draw, n: int) -> pl.Series:
    """Return what contracts are worth."""
    return decimals(pl.Series(draw.whole(1_000, 9_000_000, n) * 25), 14, 2)


def _days(days: NDArray[np.int64]) -> pl.Series:
    return pl.Series(days).cast(pl.Int32).cast(pl.Date)


def _titled(draw: Draw, n: int) -> dict[str, pl.Series]:
    return {
        "title": draw.text(TITLES, n, odd=0.15),
        "original_title": draw.text(TITLES_ABROAD, n, odd=0.1, null=0.4, empty=0.05),
    }


def new_shows(draw: Draw, tenant: pl.Series, categories: pl.Series, when: Moments, *, first_id: int) -> pl.DataFrame:
    """Return shows, each with its category or none yet."""
    n = len(tenant)
    return _dated(
        {
            "id": following_ids(first_id, n),
            "category_id": categories,
            **_titled(draw, n),
            "production_country": spoil(_countries(draw, tenant), draw.chance(0.2, n)),
            "genre": draw.text(("Drama", "Crime; Thriller", "Kids", "Sport", "Reality"), n, odd=0.05, null=0.2),
            "age_limit": spoil(draw.pick(RATINGS, n), draw.chance(0.2, n)),
            "external_id": _owner_ids(draw, n),
        },
        tenant,
        when,
    )


def _owner_ids(draw: Draw, n: int) -> pl.Series:
    return spoil(draw.pick(("10.5240/", "00", "own:"), n) + draw.hex(8, n), draw.chance(0.2, n))


def new_seasons(
    draw: Draw, shows: pl.DataFrame, numbers: NDArray[np.int64], when: Moments, *, first_id: int
) -> pl.DataFrame:
    """Return the season of each given show that has the given number."""
    n = len(shows)
    number = pl.Series(numbers)
    return _dated(
        {
            "id": following_ids(first_id, n),
            "show_id": shows.get_column("id"),
            "season_number": number,
            "title": spoil("Season " + number.cast(pl.String), draw.chance(0.3, n)).zip_with(
                pl.Series(draw.chance(0.7, n)), draw.text(TITLES, n, odd=0.4)
            ),
            "episode_count": some_numbers(draw, 4, 25, n, null=0.2),
            "production_year": some_numbers(draw, 1998, 2027, n, null=0.1),
        },
        shows.get_column("tenant"),
        when,
    )


def new_episodes(
    draw: Draw, seasons: pl.DataFrame, numbers: NDArray[np.int64], when: Moments, *, first_id: int
) -> pl.DataFrame:
    """Return the episode of each given season that has the given number; none is delivered yet."""
    n = len(seasons)
    return _dated(
        {
            "id": following_ids(first_id, n),
            "season_id": seasons.get_column("id"),
            "show_id": seasons.get_column("show_id"),
            "asset_id": pl.Series([None] * n, dtype=pl.Int64),
            "episode_number": pl.Series(numbers),
            **_titled(draw, n),
            "duration": some_numbers(draw, 600, 4_000, n, null=0.1),
            "production_year": some_numbers(draw, 1998, 2027, n, null=0.1),
            "external_id": _owner_ids(draw, n),
        },
        seasons.get_column("tenant"),
        when,
    )


def new_movies(draw: Draw, first_id: int, when: Moments) -> pl.DataFrame:
    """Return films; none is delivered yet."""
    n = len(when.changed)
    ids = following_ids(first_id, n)
    tenant = tenants(ids)
    return _dated(
        {
            "id": ids,
            "asset_id": pl.Series([None] * n, dtype=pl.Int64),
            **_titled(draw, n),
            "production_year": some_numbers(draw, 1931, 2027, n, null=0.1),
            "production_country": spoil(_countries(draw, tenant), draw.chance(0.2, n)),
            "duration": some_numbers(draw, 3_600, 11_000, n, null=0.1),
            "age_limit": spoil(draw.pick(RATINGS, n), draw.chance(0.2, n)),
            "external_id": _owner_ids(draw, n),
        },
        tenant,
        when,
    )


def new_licenses(
    draw: Draw, content: pl.DataFrame, contracts: pl.DataFrame, when: Moments, *, first_id: int
) -> pl.DataFrame:
    """Return a licence for each title, by a contract of its tenant and within the days of that contract."""
    n = len(content)
    contract = picked_alike(draw, contracts, content.get_column("tenant"))
    start = contract.get_column("start_date").cast(pl.Datetime("us"))
    from_day = pl.Series(draw.whole(0, 60, n) * DAY).cast(pl.Duration("us"))
    end = contract.get_column("end_date").cast(pl.Datetime("us")) + pl.Series(np.full(n, DAY)).cast(pl.Duration("us"))
    holdback = start + from_day + pl.Series(draw.whole(1, 120, n) * DAY).cast(pl.Duration("us"))
    return _dated(
        {
            "id": following_ids(first_id, n),
            "contract_id": contract.get_column("id"),
            "content_type": content.get_column("content_type"),
            "content_id": content.get_column("content_id"),
            "license_start": start + from_day,
            "license_end": end,
            "license_model": draw.pick(("SVOD", "SVOD", "TVOD", "AVOD", "EST", "FREE"), n),
            "exclusive": pl.Series(draw.chance(0.3, n)),
            "max_runs": some_numbers(draw, 1, 50, n, null=0.6),
            "holdback_until": where(draw.chance(0.2, n), holdback),
        },
        content.get_column("tenant"),
        when,
    )


def new_permissions(
    draw: Draw, platforms: pl.Series, licenses: pl.DataFrame, when: Moments, *, first_id: int
) -> pl.DataFrame:
    """Return a permission, or a prohibition, by each given licence."""
    n = len(licenses)
    tenant = licenses.get_column("tenant")
    return _dated(
        {
            "id": following_ids(first_id, n),
            "license_id": licenses.get_column("id"),
            "territory": _countries(draw, tenant),
            "platform_id": platforms.gather(draw.whole(0, len(platforms), n)).set(pl.Series(draw.chance(0.6, n)), None),
            "language": spoil(draw.pick(("no", "nb-NO", "de", "pl", "en-GB"), n), draw.chance(0.4, n)),
            "permission_type": draw.pick(("STREAM", "STREAM", "DOWNLOAD", "LIVE", "CATCHUP"), n),
            "allowed": pl.Series(~draw.chance(0.1, n)),
            "max_devices": some_numbers(draw, 1, 11, n, null=0.5),
            "max_concurrent_streams": some_numbers(draw, 1, 5, n, null=0.4),
        },
        tenant,
        when,
    )

from __future__ import annotations

import polars as pl
import pytest

from offramp.feeds.mobility.local_time import zones_of
from offramp.feeds.mobility.visits.addresses import addresses_of
from offramp.feeds.mobility.visits.cities import all_cities
from offramp.feeds.mobility.visits.countries import country_name


def address(latitude: float, longitude: float, zone: str | None = None) -> dict[str, str | None]:
    points = pl.DataFrame({"latitude": [latitude], "longitude": [longitude]})
    zones = (
        zones_of(points.get_column("latitude"), points.get_column("longitude")) if zone is None else pl.Series([zone])
    )
    return addresses_of(points.with_columns(zones.alias("timezone"))).row(0, named=True)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("NO", "Norge"),
        ("BE", "België"),
        ("CH", "Schweiz"),
        ("JP", "日本"),
        ("US", "United States"),
        ("AQ", "Antarctica"),
        ("XX", "XX"),
    ],
)
def test_countries_are_called_as_in_their_first_official_language(code: str, name: str) -> None:
    assert country_name(code) == name


def test_the_kind_of_city_follows_from_its_people() -> None:
    assert address(59.9139, 10.7522)["city_type"] == "big_city"
    assert address(51.0543, 3.7174) == {
        "country_code": "BE",
        "country": "België",
        "region": "BE.VLG",
        "city": "Gent",
        "city_type": "city",
    }
    assert address(51.1, 3.4456)["city_type"] in {"town", "rural"}
    assert address(69.0, 23.5)["city_type"] == "rural"


def test_a_quarter_belongs_to_the_city_around_it() -> None:
    assert address(52.4975, 13.4034)["city"] == "Berlin"


def test_a_place_far_from_any_settlement_has_the_country_of_its_clocks_and_no_city() -> None:
    found = address(-24.9, 127.0)
    assert (found["country_code"], found["city"], found["city_type"]) == ("AU", None, "rural")


def test_of_the_settlements_beside_a_border_that_of_the_own_time_zone_counts() -> None:
    kehl_and_strasbourg = [
        address(48.573, 7.805, zone=zone)["country_code"] for zone in ("Europe/Berlin", "Europe/Paris")
    ]
    assert kehl_and_strasbourg == ["DE", "FR"]


def test_a_zone_without_settlements_nearby_hides_none() -> None:
    assert address(46.0, 4.0, zone="Europe/Oslo")["country_code"] == "FR"


def test_the_open_sea_has_no_address() -> None:
    assert address(0.0, -30.0) == {
        "country_code": None,
        "country": None,
        "region": None,
        "city": None,
        "city_type": "unknown",
    }


def test_no_points_have_no_addresses() -> None:
    empty = pl.DataFrame(schema={"latitude": pl.Float64, "longitude": pl.Float64, "timezone": pl.String})
    assert addresses_of(empty).shape == (0, 5)


def test_addresses_do_not_depend_on_their_neighbours() -> None:
    cities = all_cities().select(latitude="target_latitude", longitude="target_longitude").head(300)
    points = cities.with_columns(pl.all() + 0.01)
    zoned = points.with_columns(zones_of(points["latitude"], points["longitude"]).alias("timezone"))
    backwards = addresses_of(zoned.reverse()).reverse()
    assert addresses_of(zoned).equals(backwards)
    assert addresses_of(zoned.head(10)).equals(backwards.head(10))

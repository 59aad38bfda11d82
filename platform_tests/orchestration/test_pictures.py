from __future__ import annotations

import base64
import math
import re
import struct
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
import yaml

from offramp.domain.windows import DAY
from offramp.orchestration.pictures.drawing import can_draw, lying_bars, new_figure, number_text, png, shown
from offramp.orchestration.pictures.exports import export_pictures
from offramp.orchestration.pictures.layers import layer_pictures
from offramp.orchestration.pictures.person import person_day
from offramp.pipeline.deliver import deliver_day
from offramp.pipeline.layers import build_day, landing_of_day, layer_of, layer_relation
from offramp.settings.reading import load_settings
from offramp.sources.phones.schema import APP_IDS
from offramp.wiring import open_rooms
from platform_tests.orchestration.house import REPOSITORY

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from offramp.pipeline.rooms import Rooms

SOURCE = "mobility_layers"
BEGINS = date(2026, 10, 12)
# A Friday. Its build is the first, and takes all that had arrived by then.
DAY_SHOWN = BEGINS + 11 * DAY
MOST_BYTES = 40_000
INSTANTS = tuple(f"timestamp '{one:%Y-%m-%d}'" for one in (DAY_SHOWN, DAY_SHOWN + DAY))


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Rooms:
    """Twenty people, twelve days in one build, and the offloads of that day."""
    root = tmp_path_factory.mktemp("pictures")
    text = {
        "models": str(REPOSITORY / "dbt_like_sql"),
        "lake": "lake",
        "ledger": "sqlite:///ledger.db",
        "scratch": "scratch",
        "first_day": DAY_SHOWN,
        "sources": {
            "mobility": {"kind": "phones", "seed": 7, "scale": 0.3, "start_on": BEGINS, "folder": "phones"},
        },
        "destinations": {"outbox": {"kind": "local", "path": "outbox"}},
        "recipients": {
            "north": {
                "subscriptions": [
                    {
                        "id": "north",
                        "feed": "mobility",
                        "tenants": [APP_IDS[0]],
                        "destinations": ["outbox"],
                        "options": {"CRON_SCHEDULE_LIFESTYLE": "0 3 * * *"},
                    }
                ]
            }
        },
    }
    (root / "offramp.yaml").write_text(yaml.safe_dump(text))
    settings = load_settings(root / "offramp.yaml", environment={})
    rooms = open_rooms(settings, clock=lambda: datetime(2026, 11, 1, tzinfo=UTC))
    for name in ("timeline", "driving", "visits"):
        build_day(rooms, SOURCE, name, DAY_SHOWN)
    deliver_day(rooms, rooms.exports["mobility/offload/segments"], DAY_SHOWN).raise_if_incomplete()
    return rooms


def metadata(rooms: Rooms, layer: str, day: date = DAY_SHOWN) -> dict[str, Any]:
    record = build_day(rooms, SOURCE, layer, day)
    return layer_pictures(rooms, SOURCE, layer_of(rooms, SOURCE, layer), record)


def pictures_of(found: dict[str, Any]) -> dict[str, bytes]:
    """The PNGs of metadata by name."""
    texts = {name: str(one.md_str) for name, one in found.items() if isinstance(one, dg.MarkdownMetadataValue)}
    matches = {name: re.fullmatch(r"!\[[^]]+\]\(data:image/png;base64,([^)]+)\)", text) for name, text in texts.items()}
    return {name: base64.b64decode(one[1]) for name, one in matches.items() if one}


def size_of(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


@pytest.mark.parametrize(
    ("layer", "names", "numbers"),
    [
        ("timeline", {"build"}, {"users", "fixes_arrived", "kilometres", "minutes_stayed"}),
        ("driving", {"scores"}, {"users", "kilometres", "drives_without_sensors"}),
        (
            "visits",
            {"day_of_one_person", "day_of_all"},
            {"users", "users_on_the_way", "trips_of_the_day", "kilometres", "stays_of_the_day", "minutes_stayed"},
        ),
    ],
)
def test_a_layer_has_numbers_that_plot_and_small_pictures(
    layer: str, names: set[str], numbers: set[str], rooms: Rooms
) -> None:
    found = metadata(rooms, layer)

    drawn = pictures_of(found)
    assert set(drawn) == names
    assert {name for name, one in found.items() if isinstance(one, int)} == numbers
    assert set(found) == names | numbers
    assert all(found[name] > 0 for name in numbers - {"drives_without_sensors"})
    for picture in drawn.values():
        width, height = size_of(picture)
        assert 400 < width < 1_000
        assert 200 < height < 1_000
        assert 2_000 < len(picture) < MOST_BYTES


def test_the_same_build_gives_the_same_bytes(rooms: Rooms) -> None:
    assert pictures_of(metadata(rooms, "visits")) == pictures_of(metadata(rooms, "visits"))
    assert pictures_of(metadata(rooms, "timeline")) == pictures_of(metadata(rooms, "timeline"))


def test_metadata_names_nobody_and_no_place(rooms: Rooms) -> None:
    landing = landing_of_day(rooms, "mobility", DAY_SHOWN)
    with rooms.engine.open((layer_relation(rooms, SOURCE, "places", landing, "places"),)) as session:
        users = {str(one) for (one,) in session.rows("select distinct user_id from places")}
        points = session.rows("select latitude, longitude, city from places")

    text = " ".join(
        str(getattr(one, "md_str", one)).split("base64,")[0]
        for layer in ("timeline", "driving", "visits")
        for one in metadata(rooms, layer).values()
    )

    assert len(users) >= 15
    assert [one for one in users if one in text] == []
    assert [point for point in points for value in point if str(value)[:7] in text and len(str(value)) > 4] == []


def test_the_person_is_shown_by_kilometres_from_home(rooms: Rooms) -> None:
    landing = landing_of_day(rooms, "mobility", DAY_SHOWN)
    relations = tuple(layer_relation(rooms, SOURCE, one, landing, one) for one in ("places", "visits", "trips"))
    with rooms.engine.open(relations) as session:
        day = person_day(session, *INSTANTS)

    assert day is not None
    homes = [stay for stay in day.stays if stay.kind == "home"]
    assert homes
    assert all(math.hypot(home.east, home.north) < 0.2 for home in homes)
    far = max(abs(value) for trip in day.trips for value in (*trip.east, *trip.north))
    assert 0.5 < far < 60
    assert all(len(trip.east) == len(trip.north) <= 102 for trip in day.trips)
    hours = [(one.since, one.until) for one in day.stays] + [(one.since, one.until) for one in day.trips]
    assert all(-12 <= since <= until <= 38 for since, until in hours)


def test_a_day_on_which_nothing_was_found_has_a_sentence(rooms: Rooms) -> None:
    # Nobody had a phone yet.
    before = BEGINS - 400 * DAY
    record = build_day(rooms, SOURCE, "visits", DAY_SHOWN).model_copy(update={"day": before, "rows": {}})

    found = layer_pictures(rooms, SOURCE, layer_of(rooms, SOURCE, "visits"), record)

    assert pictures_of(found) == {}
    assert found["day_of_one_person"].md_str == "nobody with a home moved on this day"
    assert found["day_of_all"].md_str == "nobody stayed or moved on this day"
    assert found["trips_of_the_day"] == found["kilometres"] == 0


def test_empty_builds_of_other_layers_have_a_sentence_too(rooms: Rooms) -> None:
    drives = build_day(rooms, SOURCE, "driving", DAY_SHOWN).model_copy(update={"rows": {}})
    timeline = build_day(rooms, SOURCE, "timeline", DAY_SHOWN).model_copy(
        update={"rows": {}, "day": BEGINS - 400 * DAY}
    )

    found = layer_pictures(rooms, SOURCE, layer_of(rooms, SOURCE, "driving"), drives)
    assert found["scores"].md_str == "no drive of this day has scores"
    found = layer_pictures(rooms, SOURCE, layer_of(rooms, SOURCE, "timeline"), timeline)
    assert found["build"].md_str == "no fix arrived, and nothing was found"
    assert found["fixes_arrived"] == 0


def test_what_cannot_be_read_is_said_and_fails_nothing(rooms: Rooms) -> None:
    record = build_day(rooms, SOURCE, "driving", DAY_SHOWN)
    lost = record.model_copy(update={"key": "0000000000000000"})

    found = layer_pictures(rooms, SOURCE, layer_of(rooms, SOURCE, "driving"), lost)

    assert list(found) == ["picture"]
    assert found["picture"].md_str.startswith("not drawn: ")


def test_a_layer_that_nobody_draws_has_nothing(rooms: Rooms) -> None:
    record = build_day(rooms, SOURCE, "visits", DAY_SHOWN)

    assert layer_pictures(rooms, "other_layers", layer_of(rooms, SOURCE, "visits"), record) == {}


def test_segments_have_a_chart_and_exports_without_a_delivery_none(rooms: Rooms) -> None:
    segments, moments = (rooms.exports[f"mobility/offload/{name}"] for name in ("segments", "moments"))

    drawn = pictures_of(export_pictures(rooms, segments, DAY_SHOWN))
    assert set(drawn) == {"chart"}
    assert len(drawn["chart"]) < MOST_BYTES
    assert export_pictures(rooms, moments, DAY_SHOWN) == {}
    assert export_pictures(rooms, rooms.exports["mobility/snapshot/user_linking"], DAY_SHOWN) == {}


def test_a_figure_gives_the_same_bytes_twice() -> None:
    def figure() -> Figure:
        made = new_figure(3, 2, "title")
        lying_bars(made.subplots(), "bars", [("a", 1.0), ("b", 12_345.0)])
        return made

    first, second = png(figure()), png(figure())

    assert can_draw()
    assert first == second
    assert size_of(first) == (288, 192)
    assert str(shown(figure(), "bars").md_str).startswith("![bars](data:image/png;base64,")
    assert [number_text(one) for one in (12_345.0, 7.0, 12.34, 0.834)] == ["12,345", "7", "12.3", "0.83"]

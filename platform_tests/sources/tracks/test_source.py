"""What lands of a folder of tracks, once and from landing to landing."""

from __future__ import annotations

import hashlib
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from offramp.domain.errors import SourceRefused
from offramp.domain.landings import TableSpec
from offramp.lake.landings import FolderLandingStore
from offramp.sources.phones.schema import TABLES
from offramp.sources.tracks.dialect import CsvDialect
from platform_tests.sources.landing_folder import FolderWriter
from platform_tests.sources.tracks.folder import ANNA, APP, NOW, START, Folder, rows, specs, track

HOUR = timedelta(hours=1)
VENUES = (
    "venue_id,name,brand,latitude,longitude,types,opening_hours\n"
    'v2,Bakker,,52.1,4.5,"[""shop"",""food"",""bakery""]",Mo-Fr 08:00-18:00\n'
    'v1,"Bar, the",Bar,52.2,4.6,"[""nightlife"",""bar""]",\n'
)


def bare(instant: datetime) -> datetime:
    """An instant as the tables have it."""
    return instant.astimezone(UTC).replace(tzinfo=None)


class Lake:
    """A lake of its own and the landings of a folder in it."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.store = FolderLandingStore(folder.root / "lake", memory_bytes=128 * 1024**2, threads=1)

    def land(self, table: str = "fixes") -> list[dict[str, Any]]:
        """Land all tables and return the rows of one as of the landing."""
        writers = []

        def begin(instant: datetime) -> Any:
            writers.append(self.store.begin("mobility", instant))
            return writers[0]

        self.folder.source().land(specs(), begin, as_of=None)
        landing = self.store.commit(writers[0])
        relation = self.store.relation("rows", landing, table)
        return [row for uri in relation.uris for row in rows(uri)]  # type: ignore[arg-type]


def test_every_raw_table_lands_with_its_columns_even_from_an_empty_folder(tmp_path: Path) -> None:
    target = Folder(tmp_path).land()

    for name, table in TABLES.items():
        described = duckdb.sql(f"describe select * from '{target / name}.parquet'").fetchall()
        assert [(column, kind.lower()) for column, kind, *_ in described] == list(table.columns)
        assert rows(target / f"{name}.parquet") == []


def test_the_same_folder_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for name in ("a/one.gpx", "b/two.gpx.gz"):
        folder.put(name, track(40))
    folder.put("b/three.csv", "tracked_at,latitude,longitude\n2026-11-02T08:00:00Z,52.1,4.5\n")
    folder.put("venues.csv", VENUES)

    one, other = ({path.name: path.read_bytes() for path in folder.land().iterdir()} for _ in range(2))

    assert one == other
    assert len(one) == len(TABLES)


def test_hidden_and_unfinished_files_and_other_kinds_are_left_out(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put(f"{ANNA}/one.gpx", track(3))
    for name in (
        "one.gpx.tmp", "one.csv.part", ".one.gpx", ".rsync/one.gpx", "notes.txt", "one.gpx.TMP", "one.fit"
    ):  # fmt: skip
        folder.put(f"{ANNA}/{name}", "not whole")

    assert len(folder.fixes()) == 3


def test_a_name_that_is_no_id_becomes_the_beginning_of_its_sha256_however_a_disk_spells_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    names = ("Zo\u00eb", "Zoe\u0308", ANNA.upper(), ANNA)
    for number, name in enumerate(names):
        folder.put(f"{name}/{number}.gpx", track(1))

    users = {row["user_id"] for row in folder.fixes()}

    assert users == {ANNA, hashlib.sha256("Zo\u00eb".encode()).hexdigest()[:24]}


def test_every_file_makes_its_user_active_on_the_day_on_which_it_was_received(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    received = [NOW - timedelta(days=3), NOW - HOUR]
    for number, at in enumerate(received):
        folder.put(f"{ANNA}/{number}.gpx", track(5), at=at)

    payloads = rows(folder.land() / "payloads.parquet")

    assert sorted(row["received_at"] for row in payloads) == [bare(at) for at in received]
    assert len({row["payload_id"] for row in payloads}) == 2
    assert all(len(row["payload_id"]) == 24 for row in payloads)
    assert {(row["app_id"], row["user_id"], row["kind"]) for row in payloads} == {(APP, ANNA, "trip")}
    assert {row["occurred_at"] for row in payloads} == {bare(START + timedelta(seconds=4))}


def test_a_file_that_says_when_each_row_came_makes_its_users_active_on_each_of_these_days(tmp_path: Path) -> None:
    names = {name: name for name in ("tracked_at", "latitude", "longitude", "user_id", "received_at")}
    folder = Folder(tmp_path, CsvDialect(columns=names))
    lines = [
        f"{user},2026-10-{day}T08:00:0{second}Z,52,4,2026-10-{day}T09:00:0{second}Z\n"
        for user in ("anna", "bob")
        for day in (20, 21)
        for second in (3, 1)
    ]
    folder.put("all.csv", "user_id,tracked_at,latitude,longitude,received_at\n" + "".join(lines))

    payloads = rows(folder.land() / "payloads.parquet")

    assert len(payloads) == 4
    assert {row["received_at"] for row in payloads} == {
        bare(datetime(2026, 10, day, 9, 0, 1, tzinfo=UTC)) for day in (20, 21)
    }


def test_late_files_of_long_ago_land_once_with_the_landing_after_they_came(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    lake = Lake(folder)
    folder.put(f"{ANNA}/new.gpx", track(4), at=NOW - HOUR)
    first = lake.land()
    folder.now = NOW + 24 * HOUR
    folder.put(f"{ANNA}/late.gpx", track(4, start=START - timedelta(days=20)), at=NOW + 3 * HOUR)
    second = lake.land()
    folder.now = NOW + 120 * HOUR
    third = lake.land()

    assert len(first) == 4
    assert second == third
    assert len(second) == 8
    assert {row["received_at"] for row in second if row not in first} == {bare(NOW + 3 * HOUR)}


def test_points_of_overlapping_and_shuffled_files_land_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    lake = Lake(folder)
    folder.put(f"{ANNA}/all.gpx", track(10), at=NOW - HOUR)
    folder.put(f"{ANNA}/again.gpx", track(10), at=NOW - 2 * HOUR)
    lines = [f"{(START + timedelta(seconds=one)).isoformat()},{52 + one / 1000},4.5\n" for one in (9, 3, 12, 3)]
    folder.put(f"{ANNA}/shuffled.csv", "tracked_at,latitude,longitude\n" + "".join(lines), at=NOW)

    landed = lake.land()

    assert [row["tracked_at"] for row in landed] == [bare(START + timedelta(seconds=one)) for one in (*range(10), 12)]
    assert [row["received_at"] for row in landed] == [bare(NOW - 2 * HOUR)] * 10 + [bare(NOW)]


def test_a_copy_that_kept_an_old_time_is_received_when_it_came_and_lands(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    lake = Lake(folder)
    original = folder.put("../elsewhere/late.gpx", track(4), at=NOW - timedelta(days=30))
    folder.tracks.mkdir(exist_ok=True)
    folder.now = datetime.fromtimestamp(original.stat().st_ctime, UTC)
    lake.land()
    (folder.tracks / ANNA).mkdir()
    copy = Path(shutil.copy2(original, folder.tracks / ANNA / "late.gpx"))
    came = datetime.fromtimestamp(copy.stat().st_ctime_ns // 1000 / 1_000_000, UTC)
    folder.now = came + timedelta(days=1)

    landed = lake.land()

    assert len(landed) == 4
    assert {abs(row["received_at"] - bare(came)) < timedelta(milliseconds=1) for row in landed} == {True}
    folder.now = came + timedelta(days=2)
    assert lake.land() == landed
    assert len(lake.land("payloads")) == 1


def test_what_was_received_in_a_moment_to_come_is_received_by_the_landing(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put(f"{ANNA}/one.gpx", track(1), at=NOW + timedelta(minutes=3))

    assert [row["received_at"] for row in folder.fixes()] == [bare(NOW)]


def test_a_file_of_the_far_future_is_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    path = folder.put(f"{ANNA}/one.gpx", track(1), at=NOW + timedelta(days=2))

    error = folder.refused()

    assert (error.where, error.what) == (str(path), "the file was received in the future")


def test_a_file_of_nobody_a_missing_folder_an_instant_and_an_unknown_table_are_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put("one.gpx", track(1))
    assert folder.refused().what == "nothing says whose the file is"

    folder.tracks.rename(tmp_path / "elsewhere")
    with pytest.raises(SourceRefused, match="is not there"):
        folder.source().land(specs(), lambda _: FolderWriter(tmp_path), as_of=None)

    with pytest.raises(SourceRefused, match="cannot be read as of"):
        folder.source().land(specs(), lambda _: pytest.fail("begun"), as_of=NOW)
    with pytest.raises(SourceRefused, match="have no table 'fixs'"):
        folder.source().land([TableSpec("mobility", "fixs", (), None)], lambda _: pytest.fail("begun"), as_of=None)


def test_venues_land_by_id(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put("venues.csv", VENUES)

    bar, bakery = rows(folder.land() / "venues.parquet")

    assert (bar["venue_id"], bar["name"], bar["brand"], bar["opening_hours"]) == ("v1", "Bar, the", "Bar", None)
    assert (bakery["types"], bakery["brand"]) == ('["shop","food","bakery"]', None)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (VENUES.replace("v1", "v2"), 3, "'venue_id' has a wrong value"),
        (VENUES.replace("52.2", "north"), 3, "'latitude' has a wrong value"),
        (VENUES.replace('"[""nightlife"",""bar""]"', "bar"), 3, "'types' has a wrong value"),
        (VENUES.replace("types", "kinds"), 1, "the column 'types' is missing"),
        (VENUES + "v3\n", 4, "the row cannot be read: Expected Number of Columns: 7 Found: 1"),
    ],
)
def test_damaged_venues_are_refused_with_their_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    folder = Folder(tmp_path)
    path = folder.put("venues.csv", text)

    error = folder.refused()

    assert (error.where, error.what) == (f"{path}:{line}", what)

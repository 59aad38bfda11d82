"""CSV files of many dialects: each is told in the settings, and what differs is refused with its line."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offramp.sources.tracks.dialect import CsvDialect, Times
from platform_tests.sources.tracks.folder import ANNA, Folder

if TYPE_CHECKING:
    from pathlib import Path

EIGHT = datetime(2026, 11, 2, 8)  # noqa: DTZ001 - as the table has it
PLAIN = "tracked_at,latitude,longitude\n2026-11-02T08:00:00Z,52.1,4.5\n2026-11-02T08:00:01Z,52.2,4.6\n"
WIDE = CsvDialect(
    ";",
    Times.EPOCH_MILLISECONDS,
    {
        "tracked_at": "time", "latitude": "lat", "longitude": "lon", "user_id": "who", "accuracy": "acc",
        "speed": "v", "received_at": "sent",
    },
)  # fmt: skip


def landed(root: Path, text: str | bytes, dialect: CsvDialect | None = None) -> list[dict[str, object]]:
    folder = Folder(root, dialect or CsvDialect())
    folder.put(f"{ANNA}/one.csv", text)
    return folder.fixes()


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.replace("\n", "\r\n"),
        "\ufeff" + PLAIN,
        PLAIN.rstrip("\n"),
        PLAIN.replace("2026-11-02T08:00:00Z,52.1", '"2026-11-02 09:00:00+0100","52.1"'),
        PLAIN.replace("T08:00:00Z", "T08:00:00"),
        'longitude,note,latitude,tracked_at\n4.5,"a, ""b""\nc",52.1,2026-11-02T08:00:00Z\n',
        PLAIN.replace("\n", "\n\n", 1),
    ],
)  # fmt: skip
def test_line_ends_quotes_offsets_and_the_order_of_columns_do_not_matter(tmp_path: Path, text: str) -> None:
    first, *_ = landed(tmp_path, text)

    assert (first["tracked_at"], first["latitude"], first["longitude"]) == (EIGHT, 52.1, 4.5)
    assert (first["user_id"], first["accuracy"], first["speed"]) == (ANNA, None, None)


def test_all_columns_are_taken_under_the_names_of_the_file(tmp_path: Path) -> None:
    text = (
        f"who;time;lat;lon;acc;v;sent\n{ANNA};1793606400000;52.1;4.5;8;-1;1793606460000\n"
        "bob;1793606400001.5;5e1;4;;nan;1793606460000\n"
    )

    first, second = landed(tmp_path, text, WIDE)

    assert first["user_id"] == ANNA
    assert (first["accuracy"], first["speed"]) == (8.0, None)
    assert (first["tracked_at"], first["received_at"]) == (EIGHT, EIGHT.replace(minute=1))
    assert second["user_id"] == "81b637d8fcd2c6da6359e696"
    assert second["tracked_at"] == EIGHT.replace(microsecond=1500)
    assert (second["accuracy"], second["speed"]) == (None, None)


def test_times_may_be_seconds_since_1970(tmp_path: Path) -> None:
    text = "tracked_at,latitude,longitude\n1793606400.000001,52.1,4.5\n"

    (row,) = landed(tmp_path, text, CsvDialect(times=Times.EPOCH_SECONDS))

    assert row["tracked_at"] == EIGHT.replace(microsecond=1)


def test_a_file_with_a_column_of_users_needs_no_folder_and_may_be_packed(tmp_path: Path) -> None:
    names = {"tracked_at": "tracked_at", "latitude": "latitude", "longitude": "longitude", "user_id": "user"}
    folder = Folder(tmp_path, CsvDialect(columns=names))
    folder.put("all.csv.gz", f"user,tracked_at,latitude,longitude\n{ANNA.upper()},2026-11-02T08:00:00Z,1,2\n")

    assert [row["user_id"] for row in folder.fixes()] == [ANNA]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", None, "the file is empty"),
        ("tracked_at,latitude,longitude\n", None, "the file holds no point of a track"),
        (PLAIN.replace("latitude", "lat"), 1, "the column 'latitude' is missing"),
        (PLAIN.replace(",", ";"), 1, "the column 'tracked_at' is missing"),
        (PLAIN.replace("longitude", "latitude"), 1, "the column 'latitude' is there twice"),
        (PLAIN + "2026-11-02T08:00:02Z,52\n", 4, "the row cannot be read: Expected Number of Columns: 3 Found: 2"),
        (PLAIN + "2026-11-02T08:00:02Z,52,1,7\n", 4, "the row cannot be read: Expected Number of Columns: 3 Found: 4"),
        (PLAIN + '2026-11-02T08:00:02Z,"52,1\n', 4, "the row cannot be read: Value with unterminated quote found"),
        (PLAIN.encode().replace(b"52.2", b"52\xb02"), 3, "the row cannot be read: Invalid unicode"),
        (PLAIN.encode("utf-16"), 1, "the header cannot be read"),
        (PLAIN.replace("longitude", "lon\u00e9").encode("latin-1"), 1, "the header cannot be read"),
        (PLAIN + "2026-11-02T08:00:02Z,,4\n", 4, "'latitude' is missing"),
        (PLAIN + ",52,4\n", 4, "'tracked_at' is missing"),
        (PLAIN + "02.11.2026 08:00:02,52,4\n", 4, "'tracked_at' has a wrong value"),
        (PLAIN + "infinity,52,4\n", 4, "'tracked_at' has a wrong value"),
        (PLAIN + "1793606400,52,4\n", 4, "'tracked_at' has a wrong value"),
        (PLAIN + '2026-11-02T08:00:02Z,"52,5",4\n', 4, "'latitude' has a wrong value"),
        (PLAIN + "2026-11-02T08:00:02Z,52,180.1\n", 4, "'longitude' has a wrong value"),
        (PLAIN + "2026-11-02T08:00:02Z,nan,4\n", 4, "'latitude' has a wrong value"),
        (PLAIN.replace("\n", "\n\n", 1) + "\n\nsoon,1,2\n", 7, "'tracked_at' has a wrong value"),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(
    tmp_path: Path, text: str | bytes, line: int | None, what: str
) -> None:
    folder = Folder(tmp_path)
    path = folder.put(f"{ANNA}/one.csv", text)

    error = folder.refused()

    assert error.what.startswith(what)
    assert error.where == (f"{path}:{line}" if line else str(path))
    assert error.expected
    assert error.todo


def test_the_line_of_a_value_is_right_behind_quoted_line_breaks(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    text = 'note,tracked_at,latitude,longitude\n"a\nb",2026-11-02T08:00:00Z,1,2\n"c\n\nd",2026-11-02T08:00:00Z,1,east\n'
    path = folder.put(f"{ANNA}/one.csv", text)

    error = folder.refused()

    assert (error.where, error.found) == (f"{path}:4", "east")


@pytest.mark.parametrize(
    ("times", "value"),
    [
        (Times.EPOCH_SECONDS, "1793606400000"),
        (Times.EPOCH_MILLISECONDS, "1793606400"),
        (Times.EPOCH_SECONDS, "2026-11-02T08:00:00Z"),
        (Times.EPOCH_SECONDS, "1e300"),
        (Times.EPOCH_MILLISECONDS, ""),
    ],
)
def test_times_of_another_unit_are_refused(tmp_path: Path, times: Times, value: str) -> None:
    folder = Folder(tmp_path, CsvDialect(times=times))
    folder.put(f"{ANNA}/one.csv", f"tracked_at,latitude,longitude\n{value},52.1,4.5\n")

    error = folder.refused()

    assert str(error.expected).startswith("seconds since 1970" if times is Times.EPOCH_SECONDS else "milliseconds")


def test_users_missing_accuracies_that_are_none_and_later_arrivals_are_refused(tmp_path: Path) -> None:
    head = "who;time;lat;lon;acc;v;sent\n"
    for number, (row, what) in enumerate(
        {
            ";1793606400000;52.1;4.5;8;1;1793606460000": "'who' is missing",
            "a;1793606400000;52.1;4.5;good;1;1793606460000": "'acc' has a wrong value",
            "a;1793606400000;52.1;4.5;8;1;": "'sent' is missing",
            "a;1793606400000;52.1;4.5;8;1;1799606460000": "the file was received in the future",
        }.items()
    ):
        folder = Folder(tmp_path / str(number), WIDE)
        folder.put("one.csv", f"{head}{row}\n")

        assert folder.refused().what == what


@given(
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    tracked_at=st.datetimes(datetime(1970, 1, 1), datetime(2262, 1, 1)),  # noqa: DTZ001 - as the table has it
)
def test_what_is_written_is_what_lands(
    tmp_path_factory: pytest.TempPathFactory, latitude: float, longitude: float, tracked_at: datetime
) -> None:
    text = f"tracked_at,latitude,longitude\n{tracked_at.isoformat()}Z,{latitude!r},{longitude!r}\n"

    (row,) = landed(tmp_path_factory.mktemp("csv"), text)

    assert (row["tracked_at"], row["latitude"], row["longitude"]) == (tracked_at, latitude, longitude)

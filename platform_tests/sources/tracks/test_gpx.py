"""GPX files, written by gpxpy and by hand."""

from __future__ import annotations

import gzip
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import gpxpy
import pytest

from platform_tests.sources.tracks.folder import ANNA, APP, NOW, START, Folder, track

if TYPE_CHECKING:
    from pathlib import Path

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1">\n'
POINT = '<trkpt lat="52.1" lon="4.5"><time>2026-11-02T08:00:00Z</time></trkpt>\n'


def gpx(*points: str) -> str:
    return f"{HEAD}<trk><trkseg>\n{''.join(points)}</trkseg></trk></gpx>\n"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("name", [f"{ANNA}/2026/monday.gpx", f"{ANNA}/monday.GPX", f"{ANNA}/monday.gpx.gz"])
def test_the_points_of_all_tracks_land_as_gpxpy_reads_them(tmp_path: Path, version: str, name: str) -> None:
    folder = Folder(tmp_path)
    text = track(7, version=version)
    folder.put(name, text)

    landed = folder.fixes()

    (read,) = gpxpy.parse(text).tracks
    points = [point for segment in read.segments for point in segment.points]
    assert [(row["latitude"], row["longitude"], row["tracked_at"]) for row in landed] == [
        (point.latitude, point.longitude, point.time.replace(tzinfo=None)) for point in points if point.time
    ]
    assert landed[0]["tracked_at"] == START.replace(tzinfo=None)
    assert {row["speed"] for row in landed} == {2.5 if version == "1.0" else None}
    assert {(row["app_id"], row["user_id"]) for row in landed} == {(APP, ANNA)}
    assert {row["received_at"] for row in landed} == {(NOW - timedelta(hours=2)).replace(tzinfo=None)}


def test_speed_and_accuracy_are_taken_from_extensions_and_hdop_is_no_accuracy(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    extensions = (
        '<trkpt lat="52.1" lon="4.5"><time>2026-11-02T09:00:00.5+01:00</time><hdop>0.9</hdop><extensions>'
        '<g:TrackPointExtension xmlns:g="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">'
        "<g:speed>3.25</g:speed><g:time>never</g:time></g:TrackPointExtension><accuracy>12</accuracy>"
        "</extensions></trkpt>\n"
    )
    unknown = POINT.replace("</time>", "</time><extensions><speed>-1</speed><accuracy>NaN</accuracy></extensions>")
    folder.put(f"{ANNA}/one.gpx", gpx(unknown, extensions))

    first, second = folder.fixes()

    assert (first["speed"], first["accuracy"]) == (None, None)
    assert (second["speed"], second["accuracy"]) == (3.25, 12.0)
    assert second["tracked_at"] == datetime(2026, 11, 2, 8, 0, 0, 500_000)  # noqa: DTZ001 - as the table has it


def test_another_encoding_that_the_file_names_is_read(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    text = gpx(POINT).replace("UTF-8", "ISO-8859-1").replace('creator="x"', 'creator="Müller"')
    folder.put(f"{ANNA}/one.gpx", text.encode("latin-1"))

    assert len(folder.fixes()) == 1


def test_points_of_many_files_and_batches_all_land(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for number in range(5):
        folder.put(f"user-{number}/one.gpx", track(11_000, start=START + timedelta(days=number - 10)))

    landed = folder.fixes()

    assert len(landed) == 55_000
    assert len({row["user_id"] for row in landed}) == 5


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (gpx(POINT)[:-30], 4, "this is no whole XML"),
        (gpx(POINT, POINT.replace("<time>", "<time>&")), 5, "this is no whole XML"),
        (b"", 1, "this is no whole XML: no element found"),
        (gpx(POINT).encode().replace(b'creator="x"', b'creator="M\xfcller"'), 2, "this is no whole XML"),
        (gpx(POINT).replace("UTF-8", "no-such-code"), 1, "the file cannot be decoded"),
        (gpx(POINT, POINT.replace("<time>2026-11-02T08:00:00Z</time>", "")), 5, "'time' is missing"),
        (gpx(POINT, POINT.replace("08:00:00Z", "soon")), 5, "'time' has a wrong value"),
        (gpx(POINT, POINT.replace("11-02", "02-30")), 5, "'time' has a wrong value"),
        (gpx(POINT, POINT.replace("52.1", "52,1")), 5, "'lat' has a wrong value"),
        (gpx(POINT, POINT.replace("52.1", "91")), 5, "'lat' has a wrong value"),
        (gpx(POINT, POINT.replace(' lon="4.5"', "")), 5, "'lon' is missing"),
        (gpx(POINT, POINT.replace("</time>", "</time><speed>fast</speed>")), 5, "'speed' has a wrong value"),
        (gpx(), None, "the file holds no point of a track"),
        (HEAD + '<wpt lat="1" lon="1"/></gpx>', None, "the file holds no point of a track"),
        ('<?xml version="1.0"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"></kml>', 2, "this is no GPX"),
        ('<!DOCTYPE gpx [<!ENTITY a "b">]>\n' + gpx(POINT)[39:], 1, "the file declares a document type"),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(
    tmp_path: Path, text: str | bytes, line: int | None, what: str
) -> None:
    folder = Folder(tmp_path)
    folder.put("good/one.gpx", track(3))
    path = folder.put("whole/two.gpx", text)

    error = folder.refused()

    assert error.where == (f"{path}:{line}" if line else str(path))
    assert error.what.startswith(what)
    assert error.expected
    assert error.todo


def test_a_gzip_file_that_ends_too_early_or_is_none_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(track(500).encode())
    for number, content in enumerate((packed[:-20], packed[:-4], b"no gzip", packed[:40] + b"?" + packed[41:])):
        folder = Folder(tmp_path / str(number))
        path = folder.put(f"{ANNA}/one.gpx", content)
        path.rename(path.with_suffix(".gpx.gz"))

        assert folder.refused().what == "the file cannot be unpacked"


def test_the_first_of_several_damaged_files_is_told_and_the_others_named(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for name in ("c/one.gpx", "a/one.gpx", "b/one.gpx"):
        folder.put(name, "no XML")

    error = folder.refused()

    assert error.where == f"{folder.tracks}/a/one.gpx:1"
    assert str(error.todo).endswith("2 more damaged: b/one.gpx, c/one.gpx")

"""The settings of a folder of tracks."""

from __future__ import annotations

from pathlib import Path

import pytest

from offramp.domain.errors import SettingsError
from offramp.settings.reading import load_settings
from offramp.settings.shapes import TracksSource as TracksSettings
from offramp.sources.tracks.dialect import Times
from offramp.sources.tracks.source import TracksSource
from offramp.wiring import open_rooms

MODELS = Path(__file__).parents[3] / "dbt_like_sql"
GOOD = f"""\
models: {MODELS}
first_day: 2026-11-01
sources:
  mobility:
    kind: tracks
    folder: tracks
    app_id: 5a689ab0e97b960500002109
    csv:
      separator: "\\t"
      times: epoch_milliseconds
      columns: {{tracked_at: time, latitude: lat, longitude: lon, user_id: who}}
destinations:
  outbox: {{kind: local, path: out}}
recipients:
  meridian:
    subscriptions:
      - {{id: meridian, feed: mobility, tenants: [5a689ab0e97b960500002109], destinations: [outbox]}}
"""


def refused(folder: Path, text: str) -> SettingsError:
    file = folder / "offramp.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(file, environment={})
    return caught.value


def test_the_settings_become_a_source_over_an_absolute_folder(tmp_path: Path) -> None:
    file = tmp_path / "offramp.yaml"
    file.write_text(GOOD)
    settings = load_settings(file, environment={})

    source = open_rooms(settings).sources["mobility"]

    assert isinstance(settings.sources["mobility"], TracksSettings)
    assert isinstance(source, TracksSource)
    assert not source.can_read_as_of
    assert (source.name, source.folder, source.app_id) == ("mobility", tmp_path / "tracks", "5a689ab0e97b960500002109")
    assert (source.dialect.separator, source.dialect.times) == ("\t", Times.EPOCH_MILLISECONDS)
    assert source.dialect.columns == {"tracked_at": "time", "latitude": "lat", "longitude": "lon", "user_id": "who"}
    assert source.memory_bytes == settings.limits.memory_bytes


def test_without_a_dialect_files_have_our_names_commas_and_iso_times(tmp_path: Path) -> None:
    file = tmp_path / "offramp.yaml"
    file.write_text(GOOD[: GOOD.index("    csv:")] + GOOD[GOOD.index("destinations:") :])

    source = open_rooms(load_settings(file, environment={})).sources["mobility"]

    assert isinstance(source, TracksSource)
    assert (source.dialect.separator, source.dialect.times) == (",", Times.ISO_8601)
    assert source.dialect.columns == {name: name for name in ("tracked_at", "latitude", "longitude")}


@pytest.mark.parametrize(
    ("old", "new", "line_part"),
    [
        ("app_id: 5a689ab0e97b960500002109", "app_id: my-app", "app_id:"),
        ("    folder: tracks\n", "", "mobility:"),
        ("times: epoch_milliseconds", "times: unix", "times:"),
        ('separator: "\\t"', 'separator: "||"', "separator:"),
        ("latitude: lat", "lattitude: lat", "columns:"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_line(tmp_path: Path, old: str, new: str, line_part: str) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD

    error = refused(tmp_path, text)

    line = next(number for number, one in enumerate(text.splitlines(), start=1) if line_part in one)
    assert error.line in {line, line + 1}


def test_nothing_is_delivered_into_the_folder_of_tracks(tmp_path: Path) -> None:
    error = refused(tmp_path, GOOD.replace("path: out", "path: tracks/out"))

    assert "folder of mobility" in str(error)

"""``config check``: right settings are shown, wrong ones are named with file and line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_tests.cli.home import Done, Home

    Offramp = Callable[..., Done]


def test_right_settings_are_shown_with_schedules_windows_and_places(offramp: Offramp, home: Home) -> None:
    found = offramp("config", "check", "--json", home=home)

    document = found.json
    assert found.code == 0
    assert (document["is_good"], document["errors"]) == (True, [])
    fjord = next(one for one in document["subscriptions"] if one["id"] == "fjord-media")
    place = str(home.outbox / "fjord" / "media")
    assert fjord["destinations"] == [{"name": "outbox", "kind": "local", "place": place, "endpoint": None}]
    exports = {one["export"]: one for one in fjord["exports"]}
    assert exports["media/delta/users"]["cron"] == "20 0 * * *"
    assert set(exports["media/delta/users"]["window"]) == {"start", "end"}
    assert exports["media/snapshot/users"] == {
        "export": "media/snapshot/users",
        "cron": None,
        "off": "CSV_SNAPSHOT does not name it",
        "data_day": None,
        "tick": None,
        "until": None,
        "window": None,
    }
    assert not (home.folder / ".offramp").exists()


def test_an_empty_schedule_is_shown_as_off(offramp: Offramp, home: Home) -> None:
    home.rewrite('CRON_SCHEDULE_USERS: "20 0 * * *"', 'CRON_SCHEDULE_USERS: ""')

    found = offramp("config", "check", home=home)

    assert found.code == 0
    assert "media/delta/users" in found.out
    assert " off " in found.out
    assert "warning: fjord-media: receives nothing" in found.out


def test_a_misspelt_setting_is_named_with_its_line(offramp: Offramp, home: Home) -> None:
    home.rewrite("initial: none", "inital: none")

    found = offramp("config", "check", home=home)
    as_json = offramp("config", "check", "--json", home=home)

    assert found.code == as_json.code == 2
    assert "offramp.yaml:26: 'inital' is not a setting here" in found.err
    [error] = as_json.json["errors"]
    assert error["where"].endswith("offramp.yaml:26")
    assert "initial" in error["todo"]
    assert as_json.json["is_good"] is False


def test_an_unknown_entity_is_named_with_its_line(offramp: Offramp, home: Home) -> None:
    home.rewrite("entities: [users]", "entities: [user]")

    found = offramp("config", "check", home=home)

    assert found.code == 2
    assert "'user' is not an entity of the feed media" in found.err
    assert "offramp.yaml:29" in found.err


def test_a_source_of_the_models_must_be_declared(offramp: Offramp, home: Home) -> None:
    home.rewrite("  media:\n    kind: demo", "  medio:\n    kind: demo")

    found = offramp("config", "check", home=home)

    assert found.code == 2
    assert "the models read the source 'media'" in found.err
    assert "did you mean 'medio'?" in found.err


def test_no_database_is_asked_unless_told_to_connect(offramp: Offramp, home: Home) -> None:
    home.become_postgres("postgresql://reader:hush-hush@127.0.0.1:9/nowhere")

    offline = offramp("config", "check", home=home)
    online = offramp("config", "check", "--connect", "--json", home=home)

    assert offline.code == 0
    assert online.code == 1
    assert online.json["errors"]
    for found in (offline, online):
        assert "hush-hush" not in found.out + found.err


def test_connecting_to_what_answers_is_good_and_writes_nothing(offramp: Offramp, home: Home) -> None:
    found = offramp("config", "check", "--connect", home=home)

    assert found.code == 0
    assert not home.outbox.exists()

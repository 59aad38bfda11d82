"""Destinations in offramp.yaml, as the vendor's options, and as URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from offramp.domain.errors import SettingsError, WrongUse
from offramp.feeds.registry import FEEDS, exports_of
from offramp.settings.checking import check_subscriptions
from offramp.settings.delivery_options import DELIVERY_NAMES
from offramp.settings.destinations import (
    FtpDestination,
    GcsDestination,
    S3Destination,
    SftpDestination,
)
from offramp.settings.reading import load_settings
from offramp.settings.urls import destination_at
from offramp.sql.project import load_project
from platform_tests.scenarios.scene import MODELS

if TYPE_CHECKING:
    from pathlib import Path

    from offramp.settings.values import Settings

S3 = {"S3_BUCKET": "acme", "S3_ACCESS_KEY": "AKIAEXAMPLE0123456", "S3_SECRET_KEY": "s3 hush/4711+="}
FTP = {"FTP_HOST": "ftp.acme.example", "FTP_USERNAME": "us", "FTP_PASSWORD": "ftp hush 4712"}
GOOGLE = {"GOOGLE_BUCKET": "acme-g", "GOOGLE_ACCESS_KEY": "GOOG1EXAMPLE012345", "GOOGLE_SECRET_KEY": "g hush 4713"}


def read(folder: Path, subscription: str, destinations: str = "", **environment: str) -> Settings:
    file = folder / "offramp.yaml"
    file.write_text(
        f"first_day: 2026-11-01\nmodels: {MODELS}\nsources: {{media: {{kind: demo}}}}\n{destinations}\n"
        f"recipients:\n  north:\n    subscriptions:\n{subscription}"
    )
    return load_settings(file, environment=environment)


def one(name: str = "north-media", *, destinations: str = "", prefix: str = "", **options: str) -> str:
    lines = "".join(f"          {key}: '{value}'\n" for key, value in options.items())
    return (
        f"      - id: {name}\n        feed: media\n        tenants: [aurora]\n"
        + (f"        destinations: [{destinations}]\n" if destinations else "")
        + (f"        prefix: {prefix}\n" if prefix else "")
        + (f"        options:\n{lines}" if lines else "")
    )


def refused(folder: Path, *arguments: Any, **others: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        read(folder, *arguments, **others)
    return str(caught.value)


def test_the_vendors_options_make_destinations_of_the_subscription(tmp_path: Path) -> None:
    more = {"S3_KEY_PREFIX": "stage/", "S3_ASSUME_ROLE": "arn:aws:iam::1:role/x", "S3_EXTERNAL_ID": "7"}
    settings = read(tmp_path, one(**S3, **FTP, **GOOGLE, **more, CSV_MD5="1"))

    (subscription,) = settings.subscriptions
    assert subscription.destinations == ("north-media:s3", "north-media:ftp", "north-media:google")
    assert subscription.options == {"CSV_MD5": "1"}
    s3, ftp, google = (settings.destinations[name] for name in subscription.destinations)
    assert isinstance(s3, S3Destination)
    assert (s3.bucket, s3.folder(subscription), s3.assume_role, s3.external_id) == (
        "acme", "stage", "arn:aws:iam::1:role/x", "7",
    )  # fmt: skip
    assert s3.secret_key is not None
    assert s3.secret_key.get_secret_value() == S3["S3_SECRET_KEY"]
    assert isinstance(ftp, FtpDestination)
    assert (ftp.host, ftp.port, ftp.tls, ftp.directory) == ("ftp.acme.example", 21, "required", "/")
    assert isinstance(google, GcsDestination)
    assert google.has_hmac_keys


def test_port_22_means_sftp(tmp_path: Path) -> None:
    settings = read(tmp_path, one(**FTP, FTP_PORT="22", FTP_HOST_KEY="SHA256:abc", FTP_REMOTE_DIRECTORY="in/daily"))

    found = settings.destinations["north-media:ftp"]
    assert isinstance(found, SftpDestination)
    assert (found.port, found.host_key, found.folder(settings.subscriptions[0])) == (22, "SHA256:abc", "in/daily")


def test_options_of_the_environment_and_secrets_by_name(tmp_path: Path) -> None:
    inner = {"FTP_PASSWORD": "${NORTH_FTP}"}
    settings = read(tmp_path, one(**inner), **{**FTP, "FTP_PASSWORD": "outer"}, NORTH_FTP="inner")

    found = settings.destinations["north-media:ftp"]
    assert isinstance(found, FtpDestination)
    assert found.password is not None
    assert found.password.get_secret_value() == "inner"


@pytest.mark.parametrize(
    ("own", "outer"),
    [
        ({"FTP_HOST": "sftp.b.example", "FTP_USERNAME": "b"}, {**FTP, "FTP_TLS": "off"}),
        ({"S3_BUCKET": "theirs"}, {**S3, "S3_ENDPOINT_URL": "https://a.example"}),
        ({"GOOGLE_BUCKET": "theirs"}, GOOGLE),
    ],
)
def test_a_place_of_its_own_takes_nothing_of_the_environments_place(
    tmp_path: Path, own: dict[str, str], outer: dict[str, str]
) -> None:
    settings = read(tmp_path, one(**own), **outer)

    ((_, found),) = settings.destinations.items()
    assert not list(found.secrets())
    shown = repr(found)
    assert not [value for value in outer.values() if len(value) > 3 and value in shown]
    assert getattr(found, "tls", "required") == "required"


def test_an_empty_host_or_bucket_opts_out_of_the_environments_place(tmp_path: Path) -> None:
    settings = read(tmp_path, one("s0", FTP_HOST="", **S3) + one("s1"), **FTP)

    assert [subscription.destinations for subscription in settings.subscriptions] == [("s0:s3",), ("s1:ftp",)]


def test_tls_is_switched_off_and_on_by_words_that_yaml_takes_for_flags(tmp_path: Path) -> None:
    destinations = "destinations: {a: {kind: ftp, host: a, tls: off}, b: {kind: ftp, host: b, tls: on}}"
    settings = read(tmp_path, one(destinations="a, b"), destinations)

    assert [one.tls for one in settings.destinations.values() if isinstance(one, FtpDestination)] == ["off", "required"]


@pytest.mark.parametrize(
    ("directory", "folder"), [("/.in", ".in"), (".staging./", ".staging."), (".", ""), ("/", ""), ("", "")]
)
def test_dots_at_the_ends_of_a_folders_name_are_part_of_it(tmp_path: Path, directory: str, folder: str) -> None:
    destinations = f"destinations: {{d: {{kind: ftp, host: h, directory: '{directory}'}}}}"
    settings = read(tmp_path, one(destinations="d"), destinations)

    assert settings.destinations["d"].folder(settings.subscriptions[0]) == folder


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("kind: ftp, host: 'h.example:21'", "put the port into port"),
        ("kind: ftp, host: h, port: 990", "use explicit TLS on 21"),
        ("kind: ftp, host: h, port: 22", "say kind: sftp"),
        ("kind: sftp, host: h, username: u, password: pass, host_key: 'MD5:16:27:ac'", "md5 fingerprints are not"),
        (f"kind: sftp, host: h, username: u, password: pass, host_key: '{':'.join(['ab'] * 16)}'", "md5 fingerprints"),
        ("kind: sftp, host: h, username: u, password: pass, host_key: yes it is", "SHA256:..."),
    ],
)
def test_settings_that_cannot_work_are_refused_with_words(tmp_path: Path, settings: str, said: str) -> None:
    text = refused(tmp_path, one(destinations="d"), f"destinations: {{d: {{{settings}}}}}")

    assert said in text, text


@pytest.mark.parametrize("host_key", ["SHA256:abc, SHA256:def", "ssh-ed25519 AAAAC3Nz", "h.example ssh-rsa AAAAB3 me"])
def test_fingerprints_and_lines_of_keys_are_host_keys(tmp_path: Path, host_key: str) -> None:
    assert read(tmp_path, one(**FTP, FTP_PORT="22", FTP_HOST_KEY=host_key)).destinations


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("kind: local, path: out", "kind: local, path: ./out"),
        ("kind: s3, bucket: b, key_prefix: in", "kind: s3, bucket: b, key_prefix: /in/, region: eu-west-1"),
    ],
)
def test_two_destinations_of_a_subscription_at_one_place_are_refused(tmp_path: Path, first: str, second: str) -> None:
    destinations = f"destinations:\n  d0: {{{first}}}\n  d1: {{{second}}}"

    assert "are one place: 'd1' and that of 'north-media' (d0)" in refused(
        tmp_path, one(destinations="d0, d1"), destinations
    )


def test_no_secret_is_shown_and_all_are_taken_out_of_texts(tmp_path: Path) -> None:
    settings = read(tmp_path, one(**S3, **FTP, **GOOGLE))
    secrets = [value for key, value in (S3 | FTP | GOOGLE).items() if key.endswith(("_KEY", "_PASSWORD"))]

    shown = repr(settings) + str(settings.subscriptions)
    assert not [secret for secret in secrets if secret in shown]
    assert settings.redact(" ".join(secrets)) == " ".join(["***"] * len(secrets))


def test_short_secrets_are_left_in_texts_and_warned_of(tmp_path: Path) -> None:
    short = {"FTP_PASSWORD": "a", "S3_BUCKET": "b", "S3_ACCESS_KEY": "four", "S3_SECRET_KEY": "%%"}
    settings = read(tmp_path, one(**FTP | short))
    exports = exports_of(loaded.model for loaded in load_project(MODELS).models.values())

    warnings = [one for one in check_subscriptions(settings, exports.values()) if "is shorter than 4" in one]

    assert settings.redact("a destination of four at 100%%, %25%25") == "a destination of *** at 100%%, %25%25"
    assert warnings == [
        f"{what} is shorter than 4 characters, so it is not taken out of messages"
        for what in (
            "secret_key of the destination 'north-media:s3'",
            "password of the destination 'north-media:ftp'",
        )
    ]


def test_secrets_that_stand_in_the_file_are_warned_of(tmp_path: Path) -> None:
    destinations = "destinations: {files: {kind: sftp, host: h, username: u, password: in clear, host_key: SHA256:k}}"
    settings = read(tmp_path, one(destinations="files", **S3), destinations)
    exports = exports_of(loaded.model for loaded in load_project(MODELS).models.values())

    warnings = check_subscriptions(settings, exports.values())

    assert len([one for one in warnings if "is a secret and stands in the file" in one]) == 3
    assert "password in line 4 is a secret" in " ".join(warnings)
    named = read(tmp_path, one(**{**S3, "S3_ACCESS_KEY": "${A}", "S3_SECRET_KEY": "${B}"}), A="a", B="b")
    assert named.exposed == ()


@pytest.mark.parametrize(
    ("listed", "to_s3"),
    [
        ("all", {"delta/users", "snapshot/users", "delta/assets", "snapshot/platforms"}),
        ("", {"delta/users", "snapshot/users", "delta/assets", "snapshot/platforms"}),
        ("users", {"delta/users", "snapshot/users"}),
        ("delta/assets, users", {"delta/users", "snapshot/users", "delta/assets"}),
    ],
)
def test_a_delivery_list_says_what_goes_where(tmp_path: Path, listed: str, to_s3: set[str]) -> None:
    settings = read(tmp_path, one(**S3, S3_DELIVERY=listed, **FTP))
    (subscription,) = settings.subscriptions
    exports = exports_of(loaded.model for loaded in load_project(MODELS).models.values())

    assert not [warning for warning in check_subscriptions(settings, exports.values()) if "nothing" in warning]
    for name in ("delta/users", "snapshot/users", "delta/assets", "snapshot/platforms"):
        found = FEEDS["media"].destinations(subscription, exports[f"media/{name}"])
        assert found == (("north-media:s3",) if name in to_s3 else ()) + ("north-media:ftp",)


def test_an_export_that_no_destination_takes_is_off_and_says_why(tmp_path: Path) -> None:
    settings = read(tmp_path, one(**S3, S3_DELIVERY="users"))
    (subscription,) = settings.subscriptions
    exports = exports_of(loaded.model for loaded in load_project(MODELS).models.values())

    assert FEEDS["media"].cron(subscription, exports["media/delta/assets"]) is None
    assert FEEDS["media"].off_reason(subscription, exports["media/delta/assets"]) == "no destination takes it"
    assert FEEDS["media"].cron(subscription, exports["media/delta/users"]) is not None


def test_a_list_that_names_no_job_is_refused_with_the_nearest(tmp_path: Path) -> None:
    settings = read(tmp_path, one(**S3, S3_DELIVERY="user"))
    exports = exports_of(loaded.model for loaded in load_project(MODELS).models.values())

    with pytest.raises(SettingsError, match=r"'user', which is no job; did you mean .*'users'"):
        check_subscriptions(settings, exports.values())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"S3_ACCESS_KEY": "x"}, "S3_BUCKET is not"),
        ({"FTP_PASSWORD": "x"}, "FTP_HOST is not"),
        ({**S3, "S3_SECRET_KEY": ""}, "expected both access_key and secret_key"),
        ({**FTP, "FTP_PORT": "x"}, "FTP_PORT of 'north-media'"),
        ({**FTP, "FTP_TLS": "maybe"}, "FTP_TLS of 'north-media'"),
        ({**FTP, "FTP_PORT": "22", "FTP_TLS": "off"}, "FTP_PORT 22 alone means SFTP"),
        ({**FTP, "FTP_HOST_KEY": "x"}, "FTP_PORT 22 alone means SFTP"),
        ({"FTP_HOST": "h", "FTP_PORT": "22"}, "FTP_USERNAME"),
        ({**S3, "S3_BUCKET": "s3://acme"}, "without s3://"),
        ({**S3, "S3_KEY_PREFIX": "a/../b"}, "S3_KEY_PREFIX of 'north-media'"),
        ({"S3_BUCKT": "acme"}, "did you mean 'S3_BUCKET'"),
    ],
)
def test_wrong_options_are_refused_by_their_names(tmp_path: Path, options: dict[str, str], said: str) -> None:
    text = refused(tmp_path, one(**options))

    assert said in text
    assert not [value for key, value in options.items() if "hush" in value and value in text], text


def test_a_subscription_without_any_destination_is_refused(tmp_path: Path) -> None:
    assert "'north-media' has no destination" in refused(tmp_path, one())


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [
        ("kind: s3, bucket: b, key_prefix: x", "kind: s3, bucket: b, key_prefix: x/y", True),
        ("kind: s3, bucket: b", "kind: s3, bucket: b, key_prefix: x, region: eu-west-1", True),
        ("kind: s3, bucket: b, key_prefix: x", "kind: s3, bucket: b, key_prefix: xy", False),
        ("kind: s3, bucket: b", "kind: s3, bucket: c", False),
        ("kind: s3, bucket: b", "kind: gcs, bucket: b", False),
        ("kind: ftp, host: H, username: u", "kind: ftp, host: h, username: u, directory: /in", True),
        ("kind: ftp, host: h, username: u", "kind: ftp, host: h, username: v", False),
        ("kind: gcs, bucket: b", "kind: gcs, bucket: b, access_key: a, secret_key: b", True),
    ],
)
def test_no_subscription_writes_into_anothers_place(
    tmp_path: Path, first: str, second: str, *, is_refused: bool
) -> None:
    destinations = f"destinations:\n  d0: {{{first}}}\n  d1: {{{second}}}"
    text = one("s0", destinations="d0") + one("s1", destinations="d1")

    if is_refused:
        assert "'s1' would write into the folder of 's0' (d0)" in refused(tmp_path, text, destinations)
    else:
        assert len(read(tmp_path, text, destinations).subscriptions) == 2


def test_placeholders_and_the_prefix_make_the_folder(tmp_path: Path) -> None:
    destinations = "destinations: {d: {kind: s3, bucket: b, key_prefix: '/{recipient}/{subscription}/'}}"
    settings = read(tmp_path, one(destinations="d", prefix="prod/eu"), destinations)

    assert settings.destinations["d"].folder(settings.subscriptions[0]) == "north/north-media/prod/eu"
    assert settings.destinations["d"].shown(settings.subscriptions[0]) == "s3://b/north/north-media/prod/eu"


def test_files_of_keys_are_found_beside_the_settings(tmp_path: Path) -> None:
    destinations = (
        "destinations: {d: {kind: sftp, host: h, username: u, private_key_file: keys/id, known_hosts: keys/hosts}}"
    )
    settings = read(tmp_path, one(destinations="d"), destinations)

    found = settings.destinations["d"]
    assert isinstance(found, SftpDestination)
    assert (found.private_key_file, found.known_hosts) == (tmp_path / "keys/id", tmp_path / "keys/hosts")


def test_a_url_and_the_environment_name_a_place() -> None:
    s3, folder = destination_at("s3://acme/a%20b/prod/", {**S3, "S3_ENDPOINT_URL": "http://127.0.0.1:1", "PATH": "/"})
    assert isinstance(s3, S3Destination)
    assert (s3.bucket, s3.endpoint_url, folder) == ("acme", "http://127.0.0.1:1", "a b/prod")
    google, folder = destination_at("gs://acme", {})
    assert isinstance(google, GcsDestination)
    assert (google.bucket, google.has_hmac_keys, folder) == ("acme", False, "")
    sftp, folder = destination_at("sftp://us@h:2222/in", {"FTP_PASSWORD": "x", "FTP_HOST_KEY": "SHA256:k"})
    assert isinstance(sftp, SftpDestination)
    assert (sftp.username, sftp.host, sftp.port, sftp.host_key, folder) == ("us", "h", 2222, "SHA256:k", "in")
    ftp, folder = destination_at("ftp://us@h/in/daily", {"FTP_TLS": "off"})
    assert isinstance(ftp, FtpDestination)
    assert (ftp.username, ftp.port, ftp.tls, folder) == ("us", 21, "off", "in/daily")


@pytest.mark.parametrize("more", [{}, {"FTP_REMOTE_DIRECTORY": "elsewhere"}])
def test_a_path_of_a_url_begins_at_the_root_or_where_a_login_leads(more: dict[str, str]) -> None:
    variables = {"FTP_PASSWORD": "x", "FTP_HOST_KEY": "SHA256:k", **more}
    found = {}
    for path in ("/in", "/~/in", "/~", "/%7E/in"):
        settings, folder = destination_at(f"sftp://us@h{path}", variables)
        assert isinstance(settings, SftpDestination)
        found[path] = (settings.directory, folder)

    assert found == {"/in": ("/", "in"), "/~/in": ("", "in"), "/~": ("", ""), "/%7E/in": ("/", "~/in")}


@pytest.mark.parametrize(
    ("destination", "url"),
    [
        ("kind: s3, bucket: b, key_prefix: 'a #1?/%', endpoint_url: 'http://127.0.0.1:1'", "s3://b/a%20%231%3F/%25"),
        ("kind: gcs, bucket: b, key_prefix: x=1", "gs://b/x=1"),
        ("kind: sftp, host: H, username: a@b, password: pass, directory: in", "sftp://a%40b@h:22/~/in"),
        ("kind: sftp, host: h, username: u, password: pass, directory: /in", "sftp://u@h:22/in"),
        ("kind: sftp, host: h, username: u, password: pass, directory: /~/in", "sftp://u@h:22/%7E/in"),
        ("kind: ftp, host: h, port: 2121, directory: .", "ftp://anonymous@h:2121/~/"),
        ("kind: sftp, host: '::1', username: u, password: pass", "sftp://u@[::1]:22/"),
    ],
)
def test_a_shown_place_is_the_url_that_verify_takes(tmp_path: Path, destination: str, url: str) -> None:
    settings = read(tmp_path, one(destinations="d"), f"destinations: {{d: {{{destination}}}}}")
    (subscription,) = settings.subscriptions
    written = settings.destinations["d"]

    shown = written.shown(subscription)
    understood, folder = destination_at(shown, {"FTP_PASSWORD": "pass"})

    assert shown == url
    assert folder == written.folder(subscription)
    assert getattr(understood, "directory", "").startswith("/") == getattr(written, "directory", "").startswith("/")
    for key in ("username", "bucket", "port"):
        assert getattr(understood, key, None) == getattr(written, key, None)
    assert getattr(understood, "host", "") == getattr(written, "host", "").lower()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://h/x", "'http://' is no place that can be read"),
        ("sftp://us:hush@h/x", "the URL holds a password"),
        ("s3:///x", "names no bucket or host"),
        ("s3://acme/a#b", "write # as %23, ? as %3F"),
        ("sftp://us@h/in?x", "write # as %23, ? as %3F"),
        ("sftp://us:hush@h:x/in", "names no host and port"),
        ("sftp://us@h/x", "expected password, private_key or private_key_file"),
    ],
)
def test_a_wrong_url_is_refused(url: str, said: str) -> None:
    with pytest.raises(WrongUse) as caught:
        destination_at(url, {})

    assert said in str(caught.value)
    assert "hush" not in str(caught.value)


def test_every_option_of_the_vendor_is_known() -> None:
    named = {
        "S3_BUCKET", "S3_ACCESS_KEY", "S3_SECRET_KEY", "S3_KEY_PREFIX", "S3_DELIVERY", "S3_ASSUME_ROLE", "FTP_HOST",
        "FTP_PORT", "FTP_USERNAME", "FTP_PASSWORD", "FTP_REMOTE_DIRECTORY", "FTP_DELIVERY", "GOOGLE_BUCKET",
        "GOOGLE_ACCESS_KEY", "GOOGLE_SECRET_KEY", "GOOGLE_DELIVERY", "FTP_HOST_KEY", "FTP_PRIVATE_KEY", "FTP_TLS",
        "S3_EXTERNAL_ID", "S3_ENDPOINT_URL",
    }  # fmt: skip

    assert named <= set(DELIVERY_NAMES)

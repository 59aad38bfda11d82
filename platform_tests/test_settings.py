from __future__ import annotations

import traceback
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest

from offramp.domain.contracts import Column, Contract, DataType, TypeKind
from offramp.domain.errors import SettingsError
from offramp.domain.exports import EntityKind, Mode, Model, TaskSchedule
from offramp.domain.personal import Treatment
from offramp.domain.subscriptions import Initial
from offramp.feeds.registry import FEEDS
from offramp.settings.checking import check_subscriptions
from offramp.settings.offers import offered_exports
from offramp.settings.reading import load_settings
from offramp.settings.shapes import DemoSource, PostgresSource
from offramp.sql.project import load_project

if TYPE_CHECKING:
    from offramp.domain.exports import Export
    from offramp.settings.values import Settings

SHIPPED = Path(__file__).parents[1] / "offramp.yaml"
GOOD = """\
first_day: 2026-11-01
ledger: ${LEDGER:-sqlite:///ledger.db}
limits: {memory_bytes: 512 MiB, threads: 3}
sources:
  media: {kind: demo, seed: 7}
  crm:
    kind: postgres
    url: ${CRM_URL:-postgresql://reader@db/crm}
    schema: sales
destinations:
  outbox: {kind: local, path: "out/{recipient}/{feed}"}
recipients:
  northwind:
    subscriptions:
      - id: northwind-media
        feed: media
        tenants: [aurora]
        destinations: [outbox]
        options:
          CSV_MD5: 1
          DATA_DELTA_DAYS: 02
          CRON_SCHEDULE_USERS: ""
"""


def read(folder: Path, text: str, **environment: str) -> Settings:
    file = folder / "offramp.yaml"
    file.write_text(text)
    return load_settings(file, environment=environment)


def refused(folder: Path, text: str, **environment: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        read(folder, text, **environment)
    return caught.value


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if part in line)


def test_what_the_file_says_becomes_domain_values(tmp_path: Path) -> None:
    settings = read(tmp_path, GOOD)

    (one,) = settings.subscriptions
    assert (one.id, one.recipient, one.feed, one.tenants) == ("northwind-media", "northwind", "media", ("aurora",))
    assert one.starts_on == settings.first_day == date(2026, 11, 1)
    assert one.initial is Initial.FULL
    assert one.options == {"CSV_MD5": "1", "DATA_DELTA_DAYS": "02", "CRON_SCHEDULE_USERS": ""}
    assert settings.limits.memory_bytes == 512 * 1024 * 1024
    assert settings.safety_lag == timedelta(minutes=5)
    demo, crm = settings.sources["media"], settings.sources["crm"]
    assert isinstance(demo, DemoSource)
    assert demo.folder == tmp_path / ".offramp/demo"
    assert isinstance(crm, PostgresSource)
    assert crm.schema_name == "sales"
    assert settings.destinations["outbox"].folder(one) == str(tmp_path / "out/northwind/media")
    assert settings.ledger.get_secret_value() == f"sqlite:///{tmp_path}/ledger.db"


def test_the_shipped_file_reads_and_its_two_recipients_differ() -> None:
    settings = load_settings(SHIPPED, environment={})

    plain, other = (one for one in settings.subscriptions if one.feed == "media")
    assert plain.options == {}
    assert (plain.tenants, plain.initial, plain.sends_deletes) == (("aurora",), Initial.FULL, False)
    assert (other.tenants, other.initial, other.sends_deletes) == (("borealis",), Initial.NONE, True)
    assert other.options["CSV_FIELD_SEPARATOR"] == ";"
    assert other.options["CSV_MD5"] == "1"
    assert other.personal.default is Treatment.HASHED
    known = offered_exports(settings, load_project(SHIPPED.parent / "dbt_like_sql")).values()
    assert check_subscriptions(settings, known) == ()
    taken = [
        export.feed
        for export in known
        if any(one.feed == export.feed and FEEDS[one.feed].cron(one, export) for one in settings.subscriptions)
    ]
    assert (taken.count("media"), taken.count("mobility")) == (97, 11)


def test_the_path_comes_from_the_argument_then_the_variable_then_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("argument", "variable", "folder"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "offramp.yaml").write_text(GOOD)
    environment = {"OFFRAMP_CONFIG": str(tmp_path / "variable/offramp.yaml")}
    monkeypatch.chdir(tmp_path / "folder")

    chosen = [
        load_settings(tmp_path / "argument/offramp.yaml", environment=environment),
        load_settings(environment=environment),
        load_settings(environment={}),
    ]

    assert [one.file.parent.name for one in chosen] == ["argument", "variable", "folder"]
    with pytest.raises(SettingsError, match="OFFRAMP_CONFIG"):
        load_settings(tmp_path / "none.yaml", environment={})


def test_an_option_of_the_environment_is_the_default_of_every_subscription(tmp_path: Path) -> None:
    settings = read(tmp_path, GOOD, CSV_MD5="0", CSV_FIELD_SEPARATOR=";", CRON_SCHEDULE_TAGS="", HOME="/root")

    options = settings.subscriptions[0].options
    assert options["CSV_MD5"] == "1"
    assert options["CSV_FIELD_SEPARATOR"] == ";"
    assert options["CRON_SCHEDULE_TAGS"] == ""
    assert "HOME" not in options

    error = refused(tmp_path, GOOD, DATA_DELTA_DAYS="0", CSV_INCLUDE_HEADER="yes")
    assert error.where == "the environment"
    assert "CSV_INCLUDE_HEADER" in str(error)


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ("first_day: 2026-11-01", "first_dya: 2026-11-01", "first_dya", "did you mean 'first_day'"),
        ("seed: 7", "sed: 7", "sed: 7", "did you mean 'seed'"),
        ("        tenants:", "        tenant:", "tenant:", "did you mean 'tenants'"),
        ("kind: demo", "kind: dmo", "kind: dmo", "did you mean 'demo'"),
        ("kind: local, ", "kind: locl, ", "kind: locl", "did you mean 'local'"),
        ("kind: local, ", "", "outbox: {", "'kind' is missing"),
        ("kind: demo, ", "", "media: {", "'kind' is missing"),
        ("        feed: media\n", "", "- id:", "'feed' is missing"),
        ("first_day: 2026-11-01\n", "", "ledger:", "'first_day' is missing"),
        ("seed: 7", "seed: seven", "seed: seven", "valid integer"),
        ("threads: 3", "threads: yes", "threads: yes", "expected a number"),
        ("threads: 3", "threads: 0", "threads: 0", "greater than or equal to 1"),
        ("512 MiB", "512 MB2", "512 MB2", "memory_bytes"),
        ("first_day: 2026-11-01", "first_day: 20261101", "first_day", "a date such as 2026-11-01"),
        ("first_day: 2026-11-01", "first_day: 2026-02-30", "first_day", "day is out of range"),
        ("first_day: 2026-11-01", "first_day: 2026-11-01\nsafety_lag: 5", "safety_lag", "such as '5 minutes'"),
        ("tenants: [aurora]", "tenants: []", "tenants:", "at least 1 item"),
        ("tenants: [aurora]", "tenants: [aurora, aurora]", "tenants:", "each name once"),
        ("feed: media", "feed: medai", "feed: medai", "did you mean 'media'"),
        ("destinations: [outbox]", "destinations: [outbx]", "destinations: [outbx]", "did you mean 'outbox'"),
        ("        feed: media", "        initial: some\n        feed: media", "initial:", "'full' or 'none'"),
        ("        feed: media", "        starts_on: 2026-10-31\n        feed: media", "starts_on", "from first_day"),
        ("  northwind:", "  north wind:", "  north wind:", "pattern"),
        ("{recipient}/{feed}", "{recipent}", "{recipent}", "{recipient}, {feed}, {subscription}"),
        ("CSV_MD5: 1", "CSV_MD5: true", "CSV_MD5", "expected 1 (on) or 0 (off), found 'true'"),
        ("CSV_MD5: 1", "CSV_MD: 1", "CSV_MD:", "did you mean 'CSV_MD5'"),
        ("CSV_MD5: 1", "S3_SECRET_KEY: hush", "S3_SECRET_KEY", "S3_BUCKET is not"),
        ('USERS: ""', 'USERS: "0 0,12 * * *"', "USERS", "more than once a day"),
        ('USERS: ""', "USERS: 10 0 * *", "USERS", "five fields"),
        ("CSV_MD5: 1", "CSV_FIELD_SEPARATOR: '\"'", "CSV_FIELD_SEPARATOR", "must differ"),
        ("CSV_MD5: 1", "DATA_DELTA_TIME_ZONE: Europe/Osl", "DATA_DELTA_TIME_ZONE", "Europe/Oslo"),
        ("CSV_MD5: 1", "CSV_MD5: 1\n          CSV_MD5: 0", "CSV_MD5: 0", "stands twice"),
        ("sqlite:///ledger.db", "mysql://db", "ledger:", "sqlite:///<path> or postgresql"),
        ("${LEDGER:-sqlite:///ledger.db}", "${LEDGER_URL}", "ledger:", "the variable LEDGER_URL is not set"),
        ("${LEDGER:-sqlite:///ledger.db}", "${LEDGER-URL}", "ledger:", "'${' begins no variable"),
        ("first_day: 2026-11-01", "first_day: [", "ledger:", "not YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_file_line_and_help(
    tmp_path: Path, old: str, new: str, at: str, says: str
) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD

    error = refused(tmp_path, text)

    assert error.file == str(tmp_path / "offramp.yaml")
    assert says in str(error)
    assert error.line == line_of(text, at)


def test_a_source_that_is_not_declared_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    settings = read(tmp_path, GOOD)

    assert settings.source("crm") is settings.sources["crm"]
    with pytest.raises(SettingsError, match=r"there is no source 'medio'(.|\n)*did you mean 'media'"):
        settings.source("medio")


def test_a_subscription_that_stands_twice_or_writes_over_another_is_refused(tmp_path: Path) -> None:
    second = GOOD[GOOD.index("      - id") :]

    twice = refused(tmp_path, GOOD + second)
    over = refused(tmp_path, GOOD + second.replace("northwind-media", "northwind-more"))

    assert "the subscription 'northwind-media' stands twice" in str(twice)
    assert twice.line == GOOD.count("\n") + 1
    assert "would write into the folder of 'northwind-media'" in str(over)
    assert "{subscription}" in str(over)
    parted = GOOD.replace("{recipient}/{feed}", "{subscription}") + second.replace("northwind-media", "northwind-more")
    assert len(read(tmp_path, parted).subscriptions) == 2


def test_an_empty_file_and_a_list_are_refused(tmp_path: Path) -> None:
    for text in ("", "- a\n"):
        assert "not a mapping" in str(refused(tmp_path, text))


@pytest.mark.parametrize("password", ["p@ss w/rd%21+", "plain", "${x}", "ø&ß+"])
def test_secrets_are_never_printed_and_are_taken_out_of_texts(tmp_path: Path, password: str) -> None:
    url = f"postgresql://reader:{quote(password, safe='')}@db/crm"
    settings = read(tmp_path, GOOD, CRM_URL=url, LEDGER=f"postgresql://offramp:{quote_plus(password)}@db/offramp")

    assert password not in repr(settings)
    assert quote(password, safe="") not in repr(settings)
    for text in (url, f"failed: password={password} for {url}", quote(password, safe=""), quote_plus(password)):
        redacted = settings.redact(text)
        assert password not in redacted
        assert quote(password, safe="") not in redacted
    assert settings.redact("nothing to hide") == "nothing to hide"


def test_a_conninfo_hides_its_password(tmp_path: Path) -> None:
    settings = read(tmp_path, GOOD, CRM_URL="host=db user=reader password='top hush' dbname=crm")

    assert "top hush" not in settings.redact("FATAL: top hush")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("schema: sales", "shema: sales"),
        ("schema: sales", "schema: []"),
        ("kind: postgres", "kind: postgre"),
        ("url: ${CRM_URL:-postgresql://reader@db/crm}", "url: [postgresql://reader:hush4711@db/crm]"),
        ("${LEDGER:-sqlite:///ledger.db}", "mysql://hush4711:hush4711@db"),
        ("kind: postgres", "kind: postgresql://a:hush4711@db"),
        ("schema: sales", "schema: sales: postgresql://a:hush4711@db"),
        ("schema: sales", "schema: *hush4711"),
        ("CSV_MD5: 1", "S3_SECRET_KEY: hush4711"),
    ],
)
def test_an_error_holds_no_secret_not_even_in_its_causes(tmp_path: Path, old: str, new: str) -> None:
    text = GOOD.replace(old, new, 1)

    error = refused(tmp_path, text, CRM_URL="postgresql://reader:hush4711@db/crm")

    assert "hush4711" not in "".join(traceback.format_exception(error))


def exports() -> tuple[Export, ...]:
    contract = Contract((Column("id", DataType(TypeKind.BIGINT), is_nullable=False),), key=("id",))

    def model(entity: str, kind: EntityKind, cron: str, modes: tuple[Mode, ...]) -> Model:
        schedule = TaskSchedule(f"CRON_SCHEDULE_{entity.upper()}", cron, modes)
        return Model("media", entity, kind, contract, "tenant_id", "", (schedule,), f"{entity}.sql", "f")

    return FEEDS["media"].exports(
        [
            model("users", EntityKind.MUTABLE, "20 0 * * *", (Mode.DELTA, Mode.SNAPSHOT)),
            model("tags", EntityKind.REFERENCE, "10 0 * * *", (Mode.SNAPSHOT,)),
            model("audits", EntityKind.EVENTS, "30 0 * * *", (Mode.DELTA,)),
        ]
    )


@pytest.mark.parametrize(
    ("new", "at", "says"),
    [
        ("        entities: [user]\n", "entities", "did you mean 'users'"),
        ("          CRON_SCHEDULE_USER: ''\n", "CRON_SCHEDULE_USER:", "CRON_SCHEDULE_USERS"),
        ("          CSV_SNAPSHOT: user\n", "CSV_SNAPSHOT", "did you mean 'users'"),
        ("          CSV_SNAPSHOT: audits\n", "CSV_SNAPSHOT", "writes no snapshot"),
        ("          CRON_SCHEDULE_TAGS: 4 0 * * *\n", "CRON_SCHEDULE_TAGS", "complete only 5 minutes later"),
    ],
)
def test_subscriptions_are_checked_against_the_exports(tmp_path: Path, new: str, at: str, says: str) -> None:
    where = "        options:\n"
    text = GOOD.replace(where, new + where) if "entities" in new else GOOD.replace(where, where + new)
    settings = read(tmp_path, text)

    with pytest.raises(SettingsError) as caught:
        check_subscriptions(settings, exports())

    assert says in str(caught.value)
    assert caught.value.line == line_of(text, at)


def test_a_schedule_with_gaps_and_a_subscription_of_nothing_are_warned_about(tmp_path: Path) -> None:
    gap = read(tmp_path, GOOD.replace('USERS: ""', 'USERS: "20 0 * * MON"'))
    nothing = read(tmp_path, GOOD.replace("        options:", "        entities: [users]\n        options:"))

    assert "CRON_SCHEDULE_USERS leaves a gap" in check_subscriptions(gap, exports())[0]
    assert "receives nothing" in check_subscriptions(nothing, exports())[0]
    assert check_subscriptions(read(tmp_path, GOOD), exports()) == ()


def test_the_safety_lag_of_the_file_counts(tmp_path: Path) -> None:
    settings = read(tmp_path, GOOD.replace("limits:", "safety_lag: 15 minutes\nlimits:"))

    with pytest.raises(SettingsError, match=r"CRON_SCHEDULE_TAGS .*fires at 00:10 UTC"):
        check_subscriptions(settings, exports())


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://reader:Abc@hush4711@db/crm",
        "postgresql://reader:Abc/hush4711@db/crm",
        "postgresql://reader:Abc/x@hush4711@db/crm?sslmode=require",
        "garbage hush4711",
        "mysql://reader:hush4711@db/crm",
    ],
)
def test_a_url_that_a_server_would_misread_is_refused_with_its_line_and_without_its_secret(
    tmp_path: Path, url: str
) -> None:
    error = refused(tmp_path, GOOD, CRM_URL=url)

    assert error.line == line_of(GOOD, "url:")
    assert "hush4711" not in "".join(traceback.format_exception(error))


def test_every_part_of_a_password_with_an_at_is_taken_out_of_texts(tmp_path: Path) -> None:
    settings = read(tmp_path, GOOD, CRM_URL="postgresql://reader:Abc%40hush4711@db/crm")

    assert "hush4711" not in settings.redact("failed: Abc@hush4711, Abc%40hush4711")


@pytest.mark.parametrize("url", ["host=db dbname=crm user=reader password='a@b /c'", "postgresql:///crm?host=/run/pg"])
def test_connection_texts_that_libpq_takes_are_taken(tmp_path: Path, url: str) -> None:
    source = read(tmp_path, GOOD, CRM_URL=url).sources["crm"]

    assert isinstance(source, PostgresSource)
    assert source.url.get_secret_value() == url


def test_a_size_that_is_none_is_refused_with_an_example(tmp_path: Path) -> None:
    error = refused(tmp_path, GOOD.replace("512 MiB", "lots"))

    assert "256 MiB" in str(error.expected)
    assert error.found == "lots"


PERSONAL = GOOD.replace(
    "        options:\n",
    "        prefix: acme/prod\n"
    "        personal:\n"
    "          default: left_out\n"
    "          columns: {users.email: hashed}\n"
    "          hash_key: ${HASH_KEY}\n"
    "        options:\n",
)
HASH_KEY = "0123456789abcdef"


def personal_exports() -> list[Export]:
    columns = (
        Column("id", DataType(TypeKind.BIGINT), is_nullable=False),
        Column("email", DataType(TypeKind.VARCHAR), is_nullable=True, is_personal=True),
    )
    profile = Column("profile", DataType(TypeKind.VARCHAR), is_nullable=False, is_personal=True)
    schedules = (TaskSchedule("CRON_SCHEDULE_USERS", "20 0 * * *", (Mode.DELTA, Mode.SNAPSHOT)),)
    models = [
        Model("media", "users", EntityKind.MUTABLE, Contract(columns, ("id",)), "t", "", schedules, "users.sql", "f"),
        Model("media", "profiles", EntityKind.MUTABLE, Contract((profile,), ("profile",)), "t", "", (), "p.sql", "f"),
    ]
    return list(FEEDS["media"].exports(models))


def test_a_subscription_has_its_prefix_and_its_treatment_of_personal_columns(tmp_path: Path) -> None:
    settings = read(tmp_path, PERSONAL, HASH_KEY=HASH_KEY)

    (one,) = settings.subscriptions
    assert settings.destinations["outbox"].folder(one) == str(tmp_path / "out/northwind/media/acme/prod")
    assert one.personal.default is Treatment.LEFT_OUT
    assert one.personal.columns == (("users.email", Treatment.HASHED),)
    assert HASH_KEY not in repr(settings)
    assert settings.redact(f"key {HASH_KEY}") == "key ***"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("          hash_key: ${HASH_KEY}\n", "", "hashes personal columns and has no hash_key"),
        ("${HASH_KEY}", "short", "expected: a secret of 16 to 64 printable characters"),
        ("left_out", "dropped", "'delivered', 'hashed' or 'left_out'"),
        ("acme/prod", "../prod", "expected names of folders"),
        ("acme/prod", "/prod", "expected names of folders"),
        ("users.email: hashed", "users.email: [hashed]", "'users.email' has a wrong value"),
    ],
)
def test_a_wrong_prefix_or_treatment_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = str(refused(tmp_path, PERSONAL.replace(old, new), HASH_KEY=HASH_KEY))
    assert message in text
    assert "short" not in text


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("{users.emial: hashed}", "did you mean 'users.email'?"),
        ("{users.id: hashed}", "'users.id' is not a personal column"),
        ("{users.email: hashed}", "hash it: personal: columns: {profiles.profile: hashed}"),
    ],
)
def test_only_personal_columns_are_treated_and_a_key_is_never_left_out(
    tmp_path: Path, columns: str, message: str
) -> None:
    settings = read(tmp_path, PERSONAL.replace("{users.email: hashed}", columns), HASH_KEY=HASH_KEY)

    with pytest.raises(SettingsError) as caught:
        check_subscriptions(settings, personal_exports())

    assert message in str(caught.value)
    assert caught.value.where == f"{tmp_path}/offramp.yaml:{line_of(PERSONAL, 'personal:')}"


@pytest.mark.parametrize(
    ("path", "prefixes"),
    [
        ("out", ("", "users")),
        ("out", ("", "_manifests/delta")),
        ("out", ("Prod", "prod")),
        ("out", ("same", "same")),
        ("out/x/..", ("same", "same")),
        ("out", ("a", "a/b")),
    ],
)
def test_no_subscription_writes_into_the_folder_of_another(
    tmp_path: Path, path: str, prefixes: tuple[str, str]
) -> None:
    subscriptions = "".join(
        f"      - {{id: s{number}, feed: media, tenants: [aurora], destinations: [d{number}], prefix: '{prefix}'}}\n"
        for number, prefix in enumerate(prefixes)
    )
    text = (
        "first_day: 2026-11-01\nsources: {media: {kind: demo}}\n"
        f"destinations: {{d0: {{kind: local, path: {path}}}, d1: {{kind: local, path: out}}}}\n"
        f"recipients:\n  north:\n    subscriptions:\n{subscriptions}"
    )

    assert "'s1' would write into the folder of 's0' (d0)" in str(refused(tmp_path, text))


@pytest.mark.parametrize("path", [".offramp/lake", ".offramp", ".offramp/demo", "dbt_like_sql/models/out"])
def test_no_subscription_writes_where_the_platform_keeps_its_own_files(tmp_path: Path, path: str) -> None:
    assert "would write into the folder of the setting" in str(
        refused(tmp_path, GOOD.replace("out/{recipient}/{feed}", path))
    )


def test_carriage_returns_of_a_pasted_block_are_dropped_and_lookalikes_are_warned_of(tmp_path: Path) -> None:
    environment = {
        "CSV_INCLUDE_HEADER": "0\r",
        "CSV_FIELD_SEPERATOR": ";",
        "csv_md5": "1",
        "DATA_DELTA_DAY": "3",
        "PATH": "/bin",
    }

    settings = read(tmp_path, GOOD, **environment)

    assert settings.subscriptions[0].options["CSV_INCLUDE_HEADER"] == "0"
    assert settings.overlooked == ("CSV_FIELD_SEPERATOR", "DATA_DELTA_DAY", "csv_md5")
    warnings = check_subscriptions(settings, exports())
    assert "CSV_FIELD_SEPERATOR of the environment is no option" in warnings[0]
    assert "did you mean 'CSV_FIELD_SEPARATOR'" in warnings[0]

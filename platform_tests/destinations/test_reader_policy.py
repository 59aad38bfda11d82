"""What readers need: their folder, and nothing else."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from botocore.exceptions import ClientError

from offramp.destinations.s3.reader_policy import reader_policy
from platform_tests.cli.home import Home

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_tests.servers.seaweedfs import SeaweedfsServer

PREFIX = "client-one/5a689ab0e97b960500002109"


def statements(text: str) -> dict[str, dict[str, Any]]:
    document = json.loads(text)
    assert document["Version"] == "2012-10-17"
    assert {one["Effect"] for one in document["Statement"]} == {"Allow"}
    return {action: one for one in document["Statement"] for action in one["Action"]}


def test_a_reader_may_list_and_get_below_its_prefix_and_nothing_else() -> None:
    found = statements(reader_policy("exports", PREFIX))

    assert set(found) == {"s3:ListBucket", "s3:GetBucketLocation", "s3:GetObject"}
    assert found["s3:ListBucket"]["Resource"] == ["arn:aws:s3:::exports"]
    assert found["s3:ListBucket"]["Condition"] == {"StringLike": {"s3:prefix": [f"{PREFIX}/*"]}}
    assert found["s3:GetBucketLocation"]["Resource"] == ["arn:aws:s3:::exports"]
    assert found["s3:GetObject"]["Resource"] == [f"arn:aws:s3:::exports/{PREFIX}/*"]


def test_no_pattern_stands_anywhere_but_behind_the_prefix() -> None:
    text = reader_policy("exports", PREFIX)

    assert text.count("*") == text.count(f"{PREFIX}/*") == 2
    assert "?" not in text


@pytest.mark.parametrize("key", ["client-one-more/secret.csv", "client-one/5a689ab0e97b9605000021090/a.csv", "a.csv"])
def test_keys_of_neighbours_whose_names_begin_alike_are_not_matched(key: str) -> None:
    found = statements(reader_policy("exports", PREFIX))

    (objects,), (listed,) = (
        found["s3:GetObject"]["Resource"],
        found["s3:ListBucket"]["Condition"]["StringLike"].values(),
    )
    assert not fnmatchcase(f"arn:aws:s3:::exports/{key}", objects)
    assert not fnmatchcase(key, listed[0])
    assert fnmatchcase(f"arn:aws:s3:::exports/{PREFIX}/run/_SUCCESS", objects)


def test_characters_that_policies_take_for_patterns_stand_for_themselves() -> None:
    found = statements(reader_policy("exports", "a*b/c?d/$e"))

    assert found["s3:GetObject"]["Resource"] == ["arn:aws:s3:::exports/a${*}b/c${?}d/${$}e/*"]


def test_a_whole_bucket_needs_no_condition_and_a_key_is_only_used_to_decrypt() -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1"
    found = statements(reader_policy("exports", "", kms_key=key))

    assert "Condition" not in found["s3:ListBucket"]
    assert found["s3:GetObject"]["Resource"] == ["arn:aws:s3:::exports/*"]
    assert found["kms:Decrypt"]["Resource"] == [key]


def test_a_server_lets_a_reader_with_the_policy_do_just_that(seaweedfs: SeaweedfsServer) -> None:
    """As the policy of a bucket, which a reader of another account needs: the same statements with a principal."""
    bucket, admin, reader = seaweedfs.bucket(), seaweedfs.client(), seaweedfs.client(seaweedfs.nobody)
    mine, neighbour = f"{PREFIX}/run/_SUCCESS", f"{PREFIX}0/run/_SUCCESS"
    for key in (mine, neighbour, "other.csv"):
        admin.put_object(Bucket=bucket, Key=key, Body=b"")
    policy = json.loads(reader_policy(bucket, PREFIX))
    for statement in policy["Statement"]:
        statement["Principal"] = {"AWS": "arn:aws:iam::000000000000:user/nobody"}
    admin.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    refused: list[Callable[[], object]] = [
        lambda: reader.list_objects_v2(Bucket=bucket),
        lambda: reader.list_objects_v2(Bucket=bucket, Prefix=PREFIX),
        lambda: reader.get_object(Bucket=bucket, Key=neighbour),
        lambda: reader.get_object(Bucket=bucket, Key="other.csv"),
        lambda: reader.put_object(Bucket=bucket, Key=f"{PREFIX}/new.csv", Body=b""),
        lambda: reader.delete_object(Bucket=bucket, Key=mine),
    ]

    listed = reader.list_objects_v2(Bucket=bucket, Prefix=f"{PREFIX}/")["Contents"]

    assert [one["Key"] for one in listed] == [mine]
    assert reader.get_object(Bucket=bucket, Key=mine)["Body"].read() == b""
    assert "LocationConstraint" in reader.get_bucket_location(Bucket=bucket)
    for use in refused:
        with pytest.raises(ClientError, match="AccessDenied"):
            use()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The usual home, with a destination of every kind at both recipients' subscriptions."""
    made = Home.create(tmp_path_factory.mktemp("home"))
    text = yaml.safe_load(made.file.read_text())
    text["destinations"] |= {
        "bucket": {"kind": "s3", "bucket": "exports", "key_prefix": "all/{recipient}"},
        "google": {"kind": "gcs", "bucket": "exports", "key_prefix": "all/{recipient}"},
        "server": {"kind": "ftp", "host": "ftp.example.com", "password": "hush-4711", "directory": "/all/{recipient}"},
    }
    for one in text["recipients"].values():
        one["subscriptions"][0]["destinations"] += ["bucket", "google", "server"]
    made.file.write_text(yaml.safe_dump(text, sort_keys=False))
    return made


def test_the_policy_of_one_subscription_is_alone_on_stdout(home: Home) -> None:
    done = home.run("destination", "policy", "bucket", "--subscription", "fjord-media")

    assert done.code == 0, done.err
    assert statements(done.out)["s3:GetObject"]["Resource"] == ["arn:aws:s3:::exports/all/fjord/*"]
    assert "bucket (s3) for fjord-media: s3://exports/all/fjord" in done.err


def test_every_subscription_has_its_own_and_recipients_choose(home: Home) -> None:
    both = home.run("destination", "policy", "bucket", "--json").json["destinations"]
    (north,) = home.run("destination", "policy", "bucket", "--recipient", "north", "--json").json["destinations"]

    assert [one["subscription"] for one in both] == ["north-media", "fjord-media"]
    assert north == both[0]
    assert statements(north["rights"])["s3:ListBucket"]["Condition"] == {"StringLike": {"s3:prefix": ["all/north/*"]}}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("google", "roles/storage.objectViewer on the managed folder all/north/ of the bucket exports"),
        ("server", "an account of its own that may list and read ftp://anonymous@ftp.example.com:21/all/north"),
        ("outbox", "outbox/north/media (r-x on folders, r-- on files), and no write"),
    ],
)
def test_other_kinds_say_what_a_reader_needs(home: Home, name: str, words: str) -> None:
    done = home.run("destination", "policy", name, "--recipient", "north")

    assert done.code == 0, done.err
    assert words in done.out
    assert "hush-4711" not in done.out + done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("buckt",), "did you mean 'bucket'"),
        (("bucket", "--subscription", "fjord"), "did you mean 'fjord-media'"),
        (("bucket", "--recipient", "north", "--subscription", "fjord-media"), "none of these subscriptions uses"),
    ],
)
def test_wrong_names_are_wrong_use(home: Home, arguments: tuple[str, ...], words: str) -> None:
    done = home.run("destination", "policy", *arguments)

    assert done.code == 2
    assert words in done.err

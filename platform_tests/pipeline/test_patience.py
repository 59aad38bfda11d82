"""How often a destination is tried, who is told, and that one that is down makes nobody wait."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from offramp.destinations.ftp.destination import FtpDestination
from offramp.destinations.ftp.place import FtpPlace
from offramp.destinations.local import LocalDestination
from offramp.domain.contents import text_content
from offramp.domain.deliveries import State
from offramp.domain.errors import DestinationDown, DestinationUnreachable
from offramp.domain.windows import DAY as ONE_DAY
from offramp.domain.windows import midnight
from offramp.pipeline.deliver import deliver_day
from offramp.pipeline.patience import Tries, again, learn, patience_with
from offramp.pipeline.rooms import Patience
from offramp.pipeline.uploads import Meter, Upload
from platform_tests.destinations.ftp_place import ftp_place
from platform_tests.faults.shop_run import history
from platform_tests.pipeline.house import Clock, House, subscription
from platform_tests.servers.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from offramp.domain.ports import Destination
    from offramp.domain.subscriptions import Subscription
    from platform_tests.servers.pyftpd import PyftpdServer

DAY = date(2026, 3, 1)
ITEMS, CLICKS = "shop/snapshot/items", "shop/delta/clicks"
QUICK = Patience(attempts=3, first_pause=timedelta(milliseconds=2), longest_pause=timedelta(milliseconds=5))


class Told:
    """Keeps what the pipeline reports."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, step: str, subject: str, *, rows: int = 0, bytes_: int = 0, of_bytes: int = 0) -> None:
        del rows, bytes_, of_bytes
        self.lines.append((step, subject))

    @property
    def retries(self) -> list[str]:
        return [subject for step, subject in self.lines if step == "retry"]


@pytest.fixture
def closed_port() -> int:
    return free_port()


def open_house(folder: Path, port: int) -> House:
    """A shop whose second destination is a port at which nobody listens."""
    clock = Clock(midnight(DAY + ONE_DAY) + timedelta(hours=1))
    house = House(folder, history(clock), clock,
                  [subscription(destinations=("outbox", "dead"))])  # fmt: skip

    def destination(name: str, one: Subscription) -> Destination:
        if name == "outbox":
            return LocalDestination(name, house.outbox(name, one.recipient))
        place = FtpPlace("127.0.0.1", port, "u", SecretStr("hush"), tls=False, timeout_seconds=2)
        return FtpDestination(name, place)

    house.rooms = replace(house.rooms, destination=destination, patience=QUICK)
    return house


def test_what_may_pass_is_tried_a_bounded_number_of_times_and_each_is_told(tmp_path: Path, closed_port: int) -> None:
    house, told = open_house(tmp_path, closed_port), Told()

    report = deliver_day(house.rooms, house.rooms.exports[ITEMS], DAY, report=told)

    assert [failure.destination for failure in report.failures] == ["dead"]
    assert [line.split(": ")[2].split(" in ")[0] for line in told.retries] == ["attempt 2 of 3", "attempt 3 of 3"]
    assert all(line.startswith("dead: _manifests/") for line in told.retries)


def test_a_destination_that_is_down_is_left_alone_so_that_others_do_not_wait(tmp_path: Path, closed_port: int) -> None:
    house, told = open_house(tmp_path, closed_port), Told()
    deliver_day(house.rooms, house.rooms.exports[ITEMS], DAY, report=told)
    tried = len(told.retries)

    report = deliver_day(house.rooms, house.rooms.exports[CLICKS], DAY, report=told)

    assert len(told.retries) == tried
    assert "it is left alone until" in report.failures[0].error
    assert "destination 'dead' cannot log in to" in report.failures[0].error
    assert "Connection refused" in report.failures[0].error
    records = house.rooms.ledger.find(first_day=DAY, last_day=DAY)
    assert {record.state for record in records} == {State.STAGED}
    assert {(one.destination, one.state) for record in records for one in record.placements} == {
        ("outbox", State.PUBLISHED), ("dead", State.FAILED),
    }  # fmt: skip
    house.clock.now += QUICK.down_for
    deliver_day(house.rooms, house.rooms.exports[CLICKS], DAY, report=told)
    assert len(told.retries) > tried, "after a while it is tried again"


def test_an_upload_is_told_with_rate_and_remaining_time_now_and_then() -> None:
    now = iter([0.0, 1.0, 12.0, 13.0, 20.0])
    meter = Meter(clock=lambda: next(now))

    told = [meter.add("a file", 10_000_000, 50_000_000) for _ in range(5)]

    assert told == [
        None,
        None,
        "30,000,000 of 50,000,000 bytes, 2.5 MB/s, 8 s left",
        None,
        "50,000,000 of 50,000,000 bytes, 2.5 MB/s",
    ]


def test_attempts_are_counted_anew_only_when_an_upload_gets_further_than_ever() -> None:
    tries = Tries(replace(QUICK, silence=timedelta(hours=1)))
    upload = Upload("a file", 100, Told(), lambda: None, tries.moved, tries.further)

    def attempt(*sent: int) -> bool:
        for bytes_ in sent:
            upload(bytes_)
        return tries.are_over(None)

    assert not attempt(40)
    assert not attempt(20)
    assert tries.failed == 1, "60 bytes are further than 40"
    assert not attempt(-60, 60)
    assert tries.failed == 2, "what was taken back and sent again is no progress"
    assert not attempt(40)
    assert tries.failed == 1
    assert not attempt(100)
    assert attempt(100), "more than the file holds was sent before"


def test_attempts_end_when_nothing_moved_for_too_long() -> None:
    assert Tries(replace(QUICK, silence=timedelta(0))).are_over(None)


def test_a_file_that_breaks_off_keeps_no_other_from_its_destination(tmp_path: Path, pyftpd: PyftpdServer) -> None:
    """The quota is the server's, and one file alone is above it."""
    house, told = open_house(tmp_path, pyftpd.ports["quota"]), Told()
    both = {name: FtpDestination(name, ftp_place(pyftpd, "quota")) for name in ("outbox", "dead")}
    house.rooms = replace(house.rooms, destination=lambda name, _: both[name])

    with pytest.raises(DestinationUnreachable, match="quota"):
        both["dead"].put("big", text_content(b"x" * 2_000_000), token=1)
    learn(house.rooms, "dead", DestinationUnreachable("it broke off"))
    report = deliver_day(house.rooms, house.rooms.exports[ITEMS], DAY, report=told)

    assert report.failures == ()
    assert patience_with(house.rooms, "dead").attempts == QUICK.attempts, "what went well is trusted again"
    learn(house.rooms, "dead", DestinationUnreachable("it broke off"))
    assert patience_with(house.rooms, "dead").attempts == 1
    for one in both.values():
        one.close()


def test_one_that_does_not_let_us_in_is_not_asked_again_in_this_run(tmp_path: Path, pyftpd: PyftpdServer) -> None:
    """Accounts are locked after a few wrong passwords."""
    house, told = open_house(tmp_path, pyftpd.ports["plain"]), Told()
    deliver_day(house.rooms, house.rooms.exports[ITEMS], DAY, report=told)

    house.clock.now += timedelta(hours=5)
    report = deliver_day(house.rooms, house.rooms.exports[CLICKS], DAY, report=told)

    assert told.retries == []
    assert "it is left alone for the rest of this run" in report.failures[0].error


def test_what_hangs_counts_as_down_and_is_left_alone_longer_each_time(tmp_path: Path, closed_port: int) -> None:
    house = open_house(tmp_path, closed_port)
    rooms = replace(house.rooms, patience=replace(QUICK, hangs=timedelta(0)))

    def hang() -> None:
        raise DestinationUnreachable("no answer in time")

    found = []
    for _ in range(3):
        with pytest.raises(DestinationDown) as down:
            again("dead: a file", hang, Told(), Tries(rooms.patience))
        learn(rooms, "dead", down.value)
        until = rooms.down["dead"].until
        assert until is not None
        found.append(until - house.clock.now)
        house.clock.now = until

    assert found == [QUICK.down_for, 2 * QUICK.down_for, 4 * QUICK.down_for]

"""The faults of an SSH connection: a proxy before the server, armed for one case."""

from __future__ import annotations

from platform_tests.faults.wire_case import WireCase

LARGE_BYTES = 6_000_000
_IMPATIENT = {"timeout_seconds": 2}

SFTP_CASES: dict[str, WireCase] = {
    "cut-of-the-handshake": WireCase(lambda proxy: proxy.cut(after_bytes=100)),
    # The handshake and the clicks are some 25,000 bytes; then come the items.
    "cut-at-the-beginning": WireCase(lambda proxy: proxy.cut(after_bytes=100_000)),
    "cut-in-the-middle": WireCase(lambda proxy: proxy.cut(after_bytes=3_000_000)),
    "cut-near-the-end": WireCase(lambda proxy: proxy.cut(after_bytes=5_990_000)),
    "cut-of-an-answer": WireCase(lambda proxy: proxy.cut(after_bytes=3_000_000, direction="down")),
    "cut-like-an-end": WireCase(lambda proxy: proxy.cut(after_bytes=3_000_000, reset=False)),
    "stall": WireCase(lambda proxy: proxy.stall(after_bytes=1_000_000), settings=_IMPATIENT),
    "stall-of-an-answer": WireCase(
        lambda proxy: proxy.stall(after_bytes=500_000, direction="down"), settings=_IMPATIENT
    ),
    "server-is-down": WireCase(lambda proxy: proxy.refuse(), words=("refused",)),
    # SSH ends a connection whose bytes do not fit their MAC.
    "flipped-bit": WireCase(lambda proxy: proxy.flip(at_byte=3_000_000)),
    "flipped-bit-in-reading-back": WireCase(lambda proxy: proxy.flip(at_byte=3_000_000, direction="down")),
}

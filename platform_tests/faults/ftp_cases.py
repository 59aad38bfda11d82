"""The faults of FTP: proxies before the control port and every data port, armed for one case."""

from __future__ import annotations

from platform_tests.faults.wire_case import WireCase

LARGE_BYTES = 3_900_000
_IMPATIENT = {"timeout_seconds": 2}


FTP_CASES: dict[str, WireCase] = {
    # The clicks and their checksums are some 10,000 bytes, with TLS twice as many; then come the items.
    "cut-at-the-beginning": WireCase(lambda proxy: proxy.data.cut(after_bytes=100_000)),
    "cut-in-the-middle": WireCase(lambda proxy: proxy.data.cut(after_bytes=2_000_000)),
    "cut-near-the-end": WireCase(lambda proxy: proxy.data.cut(after_bytes=3_880_000)),
    "cut-of-an-answer": WireCase(lambda proxy: proxy.data.cut(after_bytes=2_000_000, direction="down")),
    "cut-like-an-end": WireCase(lambda proxy: proxy.data.cut(after_bytes=2_000_000, reset=False), settings=_IMPATIENT),
    "cut-like-an-end-in-reading-back": WireCase(
        lambda proxy: proxy.data.cut(after_bytes=2_000_000, direction="down", reset=False)
    ),
    "cut-of-the-control-connection": WireCase(lambda proxy: proxy.control.cut(after_bytes=600)),
    "stall": WireCase(lambda proxy: proxy.data.stall(after_bytes=1_000_000), settings=_IMPATIENT),
    "stall-of-an-answer": WireCase(
        lambda proxy: proxy.control.stall(after_bytes=1200, direction="down"), settings=_IMPATIENT
    ),
    "server-is-down": WireCase(lambda proxy: proxy.refuse(), words=("refused",)),
    "flipped-bit": WireCase(lambda proxy: proxy.data.flip(at_byte=2_000_000)),
    "flipped-bit-in-reading-back": WireCase(lambda proxy: proxy.data.flip(at_byte=2_000_000, direction="down")),
}

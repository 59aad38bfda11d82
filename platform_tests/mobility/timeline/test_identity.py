"""Which known leg a leg is, by the time that they share."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from offramp.feeds.mobility.timeline.identity import Times, digests, match


def spans(*found: tuple[int, int, int]) -> Times:
    """Legs as (user, start, end)."""
    user, start, end = np.array(found, np.int64).reshape(-1, 3).T.copy()
    return user, start, end


def test_a_leg_is_the_known_one_with_which_it_shares_most_time() -> None:
    assert match(spans((0, 0, 10), (0, 10, 40)), spans((0, 1, 40))).tolist() == [-1, 0]
    assert match(spans((0, 1, 40)), spans((0, 0, 10), (0, 10, 40))).tolist() == [1]


def test_the_part_that_keeps_the_start_keeps_the_id_however_short_it_is() -> None:
    assert match(spans((0, 0, 10), (0, 10, 40)), spans((0, 0, 40))).tolist() == [0, -1]
    assert match(spans((0, 0, 40)), spans((0, 0, 10), (0, 10, 40))).tolist() == [0]


def test_half_of_the_shorter_is_not_enough() -> None:
    assert match(spans((0, 0, 10)), spans((0, 5, 30))).tolist() == [-1]
    assert match(spans((0, 0, 11)), spans((0, 5, 30))).tolist() == [0]


def test_of_equal_shares_the_earliest_leg_and_the_earliest_known_one_win() -> None:
    assert match(spans((0, 0, 10), (0, 10, 20)), spans((0, 0, 20))).tolist() == [0, -1]
    assert match(spans((0, 0, 20)), spans((0, 0, 10), (0, 10, 20))).tolist() == [0]


def test_legs_of_two_users_are_never_the_same() -> None:
    assert match(spans((0, 0, 10), (2, 0, 10)), spans((1, 0, 10), (2, 0, 10))).tolist() == [-1, 1]


def test_nothing_known_matches_nothing() -> None:
    assert match(spans((0, 0, 10)), spans()).tolist() == [-1]
    assert match(spans(), spans((0, 0, 10))).tolist() == []


_CUTS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60)), max_size=24, unique=True).map(sorted)


def _touching(cuts: list[tuple[int, int]]) -> Times:
    pairs = zip(cuts[::2], cuts[1::2], strict=False)
    return spans(*((first[0], first[1], last[1]) for first, last in pairs if first[0] == last[0]))


@given(legs=_CUTS.map(_touching), known=_CUTS.map(_touching))
def test_what_is_matched_is_what_trying_every_pair_finds(legs: Times, known: Times) -> None:
    def shared(row: int, other: int) -> int:
        if legs[0][row] != known[0][other]:
            return 0
        both = int(min(legs[2][row], known[2][other]) - max(legs[1][row], known[1][other]))
        shorter = min(legs[2][row] - legs[1][row], known[2][other] - known[1][other])
        return both if 2 * both > shorter else 0

    every = [(row, other) for row in range(len(legs[0])) for other in range(len(known[0]))]
    pairs = [(legs[1][row] != known[1][other], -shared(row, other), row, other) for row, other in every]
    expected, given_away = [-1] * len(legs[0]), set()
    for _, share, row, other in sorted(pairs):
        if share < 0 and expected[row] < 0 and other not in given_away:
            expected[row] = other
            given_away.add(other)

    assert match(legs, known).tolist() == expected


def test_digests_are_sha256_in_hex() -> None:
    texts = ["", "5a689ab0e97b960500002109|u|2026-03-01T00:00:00.000000", "é"]

    assert digests(pl.Series(texts)).to_list() == [hashlib.sha256(text.encode()).hexdigest() for text in texts]

"""What a run is asked for, as tags."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offramp.domain.errors import WrongUse
from offramp.orchestration.run_tags import options_of, tags_of
from offramp.pipeline.plan import PlanOptions

_NAMES = ("north", "south", "west")
_OPTIONS = st.builds(
    PlanOptions,
    recipients=st.lists(st.sampled_from(_NAMES), unique=True).map(tuple),
    force=st.booleans(),
    is_approximate=st.booleans(),
    correction=st.none() | st.text(min_size=1),
).flatmap(
    # Only a correction names its landing.
    lambda options: st.builds(
        replace, st.just(options), landing_id=st.none() | st.text(min_size=1) if options.correction else st.none()
    )
)


@given(_OPTIONS)
def test_tags_give_back_what_was_asked(options: PlanOptions) -> None:
    assert options_of(tags_of(options), _NAMES) == options


def test_tags_of_others_are_passed_over() -> None:
    assert options_of({"dagster/partition": "2024-03-05", "team": "ours"}, _NAMES) == PlanOptions()


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"offramp/recipient": "north"}, "did you mean 'offramp/recipients'"),
        ({"offramp/recipients": "nort"}, "did you mean 'north'"),
        ({"offramp/force": "ja"}, "true or false"),
        ({"offramp/landing": "20240306T000500Z"}, "only a correction names its landing"),
    ],
)
def test_a_wrong_tag_is_refused_and_the_nearest_named(tags: dict[str, str], message: str) -> None:
    with pytest.raises(WrongUse, match=message):
        options_of(tags, _NAMES)

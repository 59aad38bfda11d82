"""The driving layer: how the scores of the day's drives are spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from offramp.domain.quoting import identifier, literal
from offramp.orchestration.pictures.drawing import new_figure, said, shown, standing_bars
from offramp.orchestration.pictures.results import number, whole

if TYPE_CHECKING:
    from offramp.domain.ports import Session

_SCORES = ("smooth_v2", "legal_v2", "anticipative_v2", "hard_events", "hard_turn", "focus", "attention", "mounted")
_BINS = 10


def numbers(session: Session, begins: str, ends: str) -> dict[str, Any]:  # noqa: ARG001 - a build's drives are the day's
    """Return drives, drivers, kilometres and the drives without sensor data."""
    drives, users, kilometres, scored = session.rows(
        "select count(*), count(distinct (app_id, user_id)), coalesce(sum(distance), 0) // 1000,"
        " count(behavior_events) from drives"
    )[0]
    without = number(drives) - number(scored)
    return whole({"users": users, "kilometres": kilometres, "drives_without_sensors": without})


def pictures(session: Session, begins: str, ends: str) -> dict[str, Any]:  # noqa: ARG001 - as above
    """Return a histogram of each score."""
    one = " union all ".join(
        f"select {literal(name)} as name, {identifier(name)} as score from drives" for name in _SCORES
    )
    rows = session.rows(
        f"select name, least(cast(floor(score * {_BINS}) as integer), {_BINS - 1}), count(*)"
        f" from ({one}) where score >= 0 group by 1, 2 order by 1, 2"
    )
    if not rows:
        return {"scores": said("no drive of this day has scores")}
    found = {(str(name), int(str(bin_))): number(count) for name, bin_, count in rows}
    figure = new_figure(8.4, 3.8, "Scores of the day's drives, from 0 to 1: higher is better")
    for axes, name in zip(figure.subplots(2, 4, sharey=True).flat, _SCORES, strict=True):
        standing_bars(axes, name, [(f"{bin_ / _BINS:.1f}", found.get((name, bin_), 0.0)) for bin_ in range(_BINS)])
        axes.set_xticks([0, 5], ["0", "0.5"])
    return {"scores": shown(figure, "histograms of scores")}

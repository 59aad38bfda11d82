"""The timeline layer: what a build found, and how late the fixes came that it was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from offramp.orchestration.pictures.colours import MODES
from offramp.orchestration.pictures.drawing import lying_bars, new_figure, said, shown, standing_bars
from offramp.orchestration.pictures.results import pairs, whole

if TYPE_CHECKING:
    from offramp.domain.ports import Session

# Label, and the seconds below which a fix is counted there. A phone whose clock is ahead sends before it happened.
_LATENESS = (
    ("< 0", 0),
    ("< 1 min", 60),
    ("< 10 min", 600),
    ("< 1 h", 3_600),
    ("< 6 h", 21_600),
    ("< 1 day", 86_400),
    ("< 3 days", 259_200),
    ("later", None),
)
_MOST_STAYS = 20


def numbers(session: Session, begins: str, ends: str) -> dict[str, Any]:
    """Return the users, kilometres and minutes of what the build emitted, and the fixes that arrived."""
    stays = session.rows("select coalesce(sum(epoch(ended_at) - epoch(started_at)), 0) // 60 from stays")[0][0]
    kilometres = session.rows("select coalesce(sum(distance), 0) // 1000 from legs where is_new")[0][0]
    users = session.rows(
        "select count(*) from (select app_id, user_id from stays union select app_id, user_id from legs)"
    )[0][0]
    fixes = session.rows(f"select count(*) from fixes where {_arrived(begins, ends)}")[0][0]
    return whole({"users": users, "fixes_arrived": fixes, "kilometres": kilometres, "minutes_stayed": stays})


def pictures(session: Session, begins: str, ends: str) -> dict[str, Any]:
    """Return stays per user, legs per mode, and lateness."""
    stays = session.rows(
        f"select least(stays, {_MOST_STAYS}) as stays, count(*) from (select count(*) as stays from stays"
        " group by app_id, user_id) group by 1 order by 1"
    )
    legs = session.rows("select mode, count(*) from legs group by mode order by count(*) desc, mode")
    late = dict(_late(session, begins, ends))
    if not stays and not legs and not late:
        return {"build": said("no fix arrived, and nothing was found")}
    figure = new_figure(8.4, 3.0, "What the build of the day was made of, and found")
    axes = figure.subplots(1, 3)
    standing_bars(axes[0], "fixes by how late they came", [(name, late.get(name, 0.0)) for name, _ in _LATENESS])
    axes[0].tick_params(axis="x", rotation=60)
    lying_bars(axes[1], "legs by mode", pairs(legs), MODES)
    by_stays = dict(pairs(stays))
    last = max(map(int, by_stays), default=1)
    standing_bars(axes[2], "users by stays", [(str(one), by_stays.get(str(one), 0.0)) for one in range(1, last + 1)])
    # Bars are counted from 0, stays from 1.
    ticks = range(0, last, max(1, last // 6))
    axes[2].set_xticks(ticks, [f"{tick + 1}+" if tick + 1 == _MOST_STAYS else str(tick + 1) for tick in ticks])
    return {"build": shown(figure, "fixes by lateness, legs by mode, users by stays")}


def _late(session: Session, begins: str, ends: str) -> list[tuple[str, float]]:
    seconds = "epoch(received_at) - epoch(tracked_at)"
    cases = " ".join(f"when {seconds} < {limit} then '{name}'" for name, limit in _LATENESS if limit is not None)
    rows = session.rows(
        f"select case {cases} else '{_LATENESS[-1][0]}' end, count(*) from fixes"
        f" where {_arrived(begins, ends)} group by 1"
    )
    return pairs(rows)


def _arrived(begins: str, ends: str) -> str:
    return f"received_at >= {begins} and received_at < {ends}"

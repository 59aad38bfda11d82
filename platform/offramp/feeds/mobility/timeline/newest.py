"""Which rows of stays and legs are the newest as of a data day: SQL for whoever reads the timeline.

A build emits everything of a user that ends on or after a day, its ``from_on``; what earlier builds emitted there is
superseded. Nothing here runs a query.
"""

from __future__ import annotations

from typing import Literal

from offramp.domain.quoting import identifier


def newest(
    table: Literal["stays", "legs"], *, of: str = "layers", where: str = "true", rows_where: str = "true"
) -> str:
    """Return the SELECT of all newest rows of a table, its columns as stored, in no order.

    ``of`` is what the relations' names begin with: ``<of>.stays``, ``<of>.legs``, ``<of>.rebuilds``. ``where`` is a
    condition that rows of all of them can be asked by, on app_id and user_id; ``rows_where`` one on the table alone.
    """
    rows, rebuilds = identifier(f"{of}.{table}"), identifier(f"{of}.rebuilds")
    # The last build that went back to a row's day or further is, per user, a running maximum over from_on.
    return f"""
        select kept.* exclude (ended_on)
        from (
            select *, cast(ended_at as date) as ended_on
            from {rows}
            where {where} and {rows_where}
        ) as kept
        asof left join (
            select
                app_id,
                user_id,
                from_on,
                max(built_on) over (
                    partition by app_id, user_id
                    order by from_on
                    range between unbounded preceding and current row
                ) as newest_on
            from {rebuilds}
            where {where}
        ) as last
            on kept.app_id = last.app_id and kept.user_id = last.user_id and kept.ended_on >= last.from_on
        where last.newest_on is null or kept.built_on >= last.newest_on
    """

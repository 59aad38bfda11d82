"""What the demo sells: payment providers, product groups, products, what they open, and the vouchers of old."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo import group_access, old_vouchers
from offramp.sources.demo.draw import Draw, decimals, instants, spoil
from offramp.sources.demo.moments import Moments, Part
from offramp.sources.demo.picking import cents, shared_moments, where
from offramp.sources.demo.schema import TABLES, TENANTS
from offramp.sources.demo.versions import changed_at, version
from offramp.sources.demo.words import (
    PAYMENT_PROVIDERS,
    PAYMENT_TYPES,
    PRODUCT_GROUPS,
    PRODUCT_PERIODS,
    SENTENCES,
    TITLES,
    TRANSACTION_TYPES,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from offramp.sources.demo.chapter import Beginning, First, Shift, Versions

_CURRENCIES = ("NOK", "EUR")
_CHANNEL, _RENTALS = 3, 4
# Product groups whose orders open one category, and those whose orders open one asset.
CHANNEL_GROUPS = tuple(place * len(PRODUCT_GROUPS) + _CHANNEL + 1 for place in range(len(TENANTS)))
RENTAL_GROUPS = tuple(place * len(PRODUCT_GROUPS) + _RENTALS + 1 for place in range(len(TENANTS)))
# Each tenant's first products, the best-selling ones first: place of the group, period, price in hundredths of the
# tenants' currencies, and the least number of periods.
_PRODUCTS = np.array([
    (0, 1, 9_900, 799, 0), (1, 1, 14_900, 1_199, 0), (4, 5, 4_900, 399, 0), (2, 1, 34_900, 2_499, 3),
    (0, 2, 99_000, 7_990, 1), (0, 4, 3_900, 299, 0), (3, 1, 5_900, 499, 0), (5, 8, 0, 0, 0), (1, 2, 149_000, 11_990, 1),
    (0, 3, 10_900, 899, 0), (2, 7, 7_900, 599, 0), (4, 7, 1_900, 199, 0), (2, 6, 89_900, 6_990, 0), (6, 8, 0, 0, 0),
    (7, 1, 7_900, 699, 0), (3, 2, 59_000, 4_990, 0),
])  # fmt: skip


def begin(beginning: Beginning) -> First:
    """Return what is sold when the demo begins. Lists are as long at any scale; only vouchers grow with it."""
    draw = beginning.draw
    providers = _first_providers(beginning)
    groups = _first_groups(beginning)
    products = _first_products(beginning, groups)
    offered = beginning.before(len(products) * len(PAYMENT_PROVIDERS))
    payments = _offered(draw, products, providers, offered, first_id=1)
    return {
        "payment_providers": providers,
        **_fixed_lists(beginning),
        "product_groups": groups,
        "products": products,
        "product_providers": payments,
        "product_group_access": group_access.first_openings(beginning, groups),
        "vouchers": old_vouchers.first_vouchers(beginning, payments),
    }


def live(shift: Shift) -> Versions:
    """Return the versions of one part of a day: vouchers come and go at night, offers change on some working days."""
    if shift.part is Part.NIGHT:
        return {"vouchers": old_vouchers.live_vouchers(shift)}
    if shift.part is not Part.WORK:
        return {}
    result: dict[str, list[pl.DataFrame]] = {}
    if shift.number % 9 == 4:
        provider = shift.choose(shift.state.rows("payment_providers"), 1)
        name = pl.col("name").str.split(", ").list.first() + ", " + pl.lit(shift.draw.text(TITLES, 1, odd=0.5))
        changed = shift.change("payment_providers", provider).with_columns(name=name)
        result["payment_providers"] = [changed]
    if shift.number % 7 == 3:
        result |= _edited(shift)
    elif shift.number % 7 == 5:
        result |= _new_product(shift, shift.choose(shift.state.rows("product_groups"), 1), shift.moments(1))
    elif shift.number % 7 == 1:
        result |= _new_group(shift)
    if shift.number % 4 == 2:
        result["product_group_access"] = group_access.live_openings(shift)
    return result


def _fixed_lists(beginning: Beginning) -> First:
    """Return the lists that never change and that all tenants share."""
    lists: dict[str, tuple[tuple[str, ...], Sequence[tuple[object, ...]]]] = {
        "payment_types": (("name", "description"), PAYMENT_TYPES),
        "payment_transaction_types": (("name", "sign", "description"), TRANSACTION_TYPES),
        "product_periods": (("name", "payment_type_id", "period", "period_seconds"), PRODUCT_PERIODS),
    }
    result = {}
    for name, (columns, rows) in lists.items():
        when = beginning.before(len(rows), days=700)
        frame = pl.DataFrame(rows, schema=columns, orient="row").with_row_index("id", 1)
        frame = frame.with_columns(pl.col("id").cast(pl.Int64))
        if name == "product_periods":
            frame = frame.with_columns(instants(when.changed).alias("registered"))
        result[name] = version(frame, when)
    return result


def _first_providers(beginning: Beginning) -> pl.DataFrame:
    n = len(TENANTS) * len(PAYMENT_PROVIDERS)
    when = beginning.before(n, days=700)
    names, methods = zip(*PAYMENT_PROVIDERS * len(TENANTS), strict=True)
    rows = {
        "id": pl.int_range(1, n + 1, dtype=pl.Int64, eager=True),
        "name": pl.Series(names),
        "payment_method": pl.Series(methods),
        "enabled": pl.Series([True] * n),
        "registered": instants(when.changed),
        "last_updated": instants(when.changed),
        "tenant": pl.Series(np.repeat(TENANTS, len(PAYMENT_PROVIDERS)).tolist()),
    }
    return version(pl.DataFrame(rows), when)


def _first_groups(beginning: Beginning) -> pl.DataFrame:
    n = len(TENANTS) * len(PRODUCT_GROUPS)
    names, access = zip(*PRODUCT_GROUPS * len(TENANTS), strict=True)
    tenant = pl.Series(np.repeat(TENANTS, len(PRODUCT_GROUPS)).tolist())
    return _groups(beginning.draw, pl.Series(names), tenant, beginning.before(n, days=700), first_id=1).with_columns(
        access_type=pl.Series(access),
        sale_status=pl.Series(["ENABLED"] * (len(PRODUCT_GROUPS) - 1) + ["HIDDEN"]).gather(
            np.arange(n) % len(PRODUCT_GROUPS)
        ),
    )


def _groups(draw: Draw, names: pl.Series, tenant: pl.Series, when: Moments, *, first_id: int) -> pl.DataFrame:
    n = len(names)
    rows = {
        "id": pl.int_range(first_id, first_id + n, dtype=pl.Int64, eager=True),
        "name": names,
        "description": draw.text(SENTENCES, n, odd=0.15, null=0.2, empty=0.1),
        "access_type": pl.Series(["PAID"] * n, dtype=pl.String),
        "sale_status": pl.Series(["ENABLED"] * n, dtype=pl.String),
        "sort_index": pl.Series(draw.whole(0, 100, n)).set(pl.Series(draw.chance(0.2, n)), None),
        "check_access_for_program_relations": pl.Series(draw.chance(0.3, n)),
        "registered": instants(when.changed),
        "last_updated": instants(when.changed),
        "tenant": tenant,
    }
    return version(pl.DataFrame(rows), when)


def _first_products(beginning: Beginning, groups: pl.DataFrame) -> pl.DataFrame:
    k = len(_PRODUCTS)
    price = np.concatenate([_PRODUCTS[:, 2 + place] for place in range(len(TENANTS))])
    plan = np.tile(_PRODUCTS[:, (0, 1, 4)], (len(TENANTS), 1))
    place = np.repeat(np.arange(len(TENANTS)), k)
    rows = groups[plan[:, 0] + place * len(PRODUCT_GROUPS)]
    when = beginning.before(len(rows), days=600)
    return _products(beginning.draw, rows, plan[:, 1], price, when, first_id=1).with_columns(
        minimum_periods=pl.Series(plan[:, 2])
    )


def _products(
    draw: Draw,
    groups: pl.DataFrame,
    period: NDArray[np.int64],
    price: NDArray[np.int64],
    when: Moments,
    *,
    first_id: int,
) -> pl.DataFrame:
    n = len(groups)
    names = pl.Series([name for name, *_ in PRODUCT_PERIODS]).gather(period - 1)
    tenant = groups.get_column("tenant")
    rows = {
        "id": pl.int_range(first_id, first_id + n, dtype=pl.Int64, eager=True),
        "product_group_id": groups.get_column("id"),
        "product_period_id": pl.Series(period),
        "name": (groups.get_column("name") + ", " + names).str.slice(0, 255),
        "comment": draw.text(SENTENCES, n, odd=0.2, null=0.4, empty=0.1),
        "price": decimals(pl.Series(price), 12, 2),
        "currency": pl.Series(_CURRENCIES).gather((tenant == TENANTS[1]).cast(pl.Int64)),
        "minimum_periods": pl.Series(np.zeros(n, dtype=np.int64)),
        "product_status": pl.Series(["ENABLED"] * n, dtype=pl.String),
        "enabled": pl.Series(np.ones(n, dtype=bool)),
        "sort_index": pl.Series(draw.whole(0, 100, n)).set(pl.Series(draw.chance(0.2, n)), None),
        "registered": instants(when.changed),
        "last_updated": instants(when.changed),
        "tenant": tenant,
    }
    return version(pl.DataFrame(rows), when)


def _offered(
    draw: Draw, products: pl.DataFrame, providers: pl.DataFrame, when: Moments, *, first_id: int
) -> pl.DataFrame:
    """Return products offered through some providers of their tenant; cards are always taken.

    ``when`` has a moment for each pair of a product and a provider.
    """
    sold = products.select(pl.col("id").alias("product_id"), "price", "product_period_id", "tenant")
    taken = providers.select(pl.col("id").alias("payment_provider_id"), "payment_method", "tenant")
    pairs = sold.join(taken, on="tenant", maintain_order="left_right")
    kept = (pairs.get_column("payment_method") == "CREDITCARD").to_numpy() | draw.chance(0.45, len(pairs))
    pairs, when = pairs.filter(pl.Series(kept)), shared_moments(when, np.flatnonzero(kept))
    n = len(pairs)
    price, full = pairs.get_column("price"), cents(pairs.get_column("price"))
    is_cut, is_cut_later = (pl.Series(draw.chance(share, n)) & (full > 0) for share in (0.15, 0.05))
    lower = decimals(full * pl.Series(draw.whole(50, 96, n)) // 100, 12, 2)
    warns = draw.chance(0.5, n)
    periods = pl.Series([iso for _, _, iso, _ in PRODUCT_PERIODS])
    rows = {
        "id": pl.int_range(first_id, first_id + n, dtype=pl.Int64, eager=True),
        "product_id": pairs.get_column("product_id"),
        "payment_provider_id": pairs.get_column("payment_provider_id"),
        "description": draw.text(SENTENCES, n, odd=0.15, null=0.4, empty=0.1),
        "init_price": price,
        "init_period": spoil(periods.gather(pairs.get_column("product_period_id") - 1), draw.chance(0.3, n)),
        "discounted_price": where(is_cut, lower),
        "recurring_price": price,
        "recurring_discounted_price": where(is_cut_later, lower),
        "auto_renew_warning_enabled": pl.Series(warns),
        "autorenew_warning_channel": spoil(draw.pick(("EMAIL", "SMS"), n), ~warns),
        "product_payment_status": pl.Series(["ENABLED"] * n, dtype=pl.String),
        "enabled": pl.Series(np.ones(n, dtype=bool)),
        "sort_index": pl.Series(draw.whole(0, 10, n)).set(pl.Series(draw.chance(0.2, n)), None),
        "registered": instants(when.changed),
        "last_updated": instants(when.changed),
        "tenant": pairs.get_column("tenant"),
    }
    return version(pl.DataFrame(rows), when)


def _edited(shift: Shift) -> dict[str, list[pl.DataFrame]]:
    """Return one product at a new price, everywhere it is offered, some other descriptions, and one offer withdrawn."""
    draw, state = shift.draw, shift.state
    products, payments = state.rows("products"), state.rows("product_providers")
    product = shift.choose(products.filter(pl.col("price") > 0), 1)
    when = shift.moments(1)
    dearer = decimals(cents(product.get_column("price")) * 106 // 100, 12, 2)
    is_of_it = pl.col("product_id") == product.get_column("id").item()
    of_it = payments.filter(is_of_it)
    both = shared_moments(when, np.zeros(len(of_it), dtype=np.int64))
    everywhere = dearer.new_from_index(0, len(of_it))
    of_it = changed_at(TABLES["product_providers"], of_it, both)
    of_it = of_it.with_columns(init_price=everywhere, recurring_price=everywhere)
    product = changed_at(TABLES["products"], product, when).with_columns(price=dearer)
    others = shift.choose(payments.filter(~is_of_it), 3)
    n = len(others)
    # Cards are the first provider of each tenant: they stay, so that every product can be bought.
    is_card = (others.get_column("payment_provider_id") % len(PAYMENT_PROVIDERS) == 1).to_numpy()
    stays = pl.lit(pl.Series(is_card | draw.chance(0.7, n)))
    others = shift.change(
        "product_providers",
        others,
        description=draw.text(SENTENCES, n, odd=0.4, null=0.1, empty=0.1),
        enabled=pl.col("enabled") & stays,
        product_payment_status=pl.when(stays).then("product_payment_status").otherwise(pl.lit("DISABLED")),
    )
    groups = shift.choose(state.rows("product_groups"), 2)
    text = draw.text(SENTENCES, len(groups), odd=0.4, null=0.1, empty=0.1)
    return {
        "products": [version(product, when)],
        "product_providers": [version(of_it, both), others],
        "product_groups": [shift.change("product_groups", groups, description=text)],
    }


def _new_product(shift: Shift, group: pl.DataFrame, when: Moments) -> dict[str, list[pl.DataFrame]]:
    """Return one more product of a group and where it is offered, written in one transaction."""
    draw, state = shift.draw, shift.state
    providers = state.rows("payment_providers").filter(pl.col("tenant") == group.get_column("tenant").item())
    price = 100 * draw.whole(39, 400, 1) if group.get_column("access_type").item() == "PAID" else np.zeros(1, np.int64)
    period = draw.whole(1, 5, 1) if price[0] else np.full(1, len(PRODUCT_PERIODS))
    product = _products(draw, group, period, price, when, first_id=state.next_id("products"))
    both = shared_moments(when, np.zeros(len(providers), dtype=np.int64))
    offered = _offered(draw, product, providers, both, first_id=state.next_id("product_providers"))
    return {"products": [product], "product_providers": [offered]}


def _new_group(shift: Shift) -> dict[str, list[pl.DataFrame]]:
    """Return a product group with its first product, written in one transaction."""
    draw, when = shift.draw, shift.moments(1)
    group = _groups(
        draw, draw.text(TITLES, 1), draw.pick(TENANTS, 1), when, first_id=shift.state.next_id("product_groups")
    )
    return {"product_groups": [group], **_new_product(shift, group, when)}

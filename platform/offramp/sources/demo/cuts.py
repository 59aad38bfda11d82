"""How the demo's captured payments are split between tenant, publisher, provider and tax, to the hundredth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.chapter import logged
from offramp.sources.demo.charges import TAX_SHARES, WHOLE
from offramp.sources.demo.draw import decimals
from offramp.sources.demo.picking import cents, picked_alike, shared_moments

if TYPE_CHECKING:
    from offramp.sources.demo.chapter import Shift
    from offramp.sources.demo.moments import Moments

PARTIES = ("TENANT", "PUBLISHER", "PROVIDER", "TAX")


def cuts(shift: Shift, captured: pl.DataFrame, when: Moments) -> pl.DataFrame:
    """Return the cuts of transactions, booked as these are captured. The tenant's part takes up what rounding leaves.

    A transaction without VAT has no cut for tax, and one of a tenant without publishers none for a publisher.
    """
    n = len(captured)
    tenant, amount = captured.get_column("tenant"), cents(captured.get_column("amount")).to_numpy()
    publishers = picked_alike(shift.draw, shift.state.rows("publishers"), tenant)
    has_publisher = (publishers.get_column("tenant") == tenant).to_numpy()
    vat = captured.get_column("vat")
    shares = np.zeros((len(PARTIES), n), dtype=np.int64)
    shares[1] = np.where(has_publisher, 300_000, 0)
    shares[2] = 15_000 + captured.get_column("payment_provider_id").to_numpy() % 7 * 3_500
    shares[3] = np.where(vat.is_null(), 0, tenant.replace_strict(TAX_SHARES, return_dtype=pl.Int64))
    shares[0] = WHOLE - shares.sum(axis=0)
    amounts = (amount * shares + WHOLE // 2) // WHOLE
    amounts[3] = cents(vat).fill_null(0).to_numpy()
    amounts[0] = amount - amounts[1:].sum(axis=0)
    # Party by party; only cuts that were made.
    party, of = (places[shares.ravel() > 0] for places in np.divmod(np.arange(shares.size), max(n, 1)))
    is_publisher = pl.Series(party == 1)
    transactions = captured[of]
    rows = {
        "payment_transaction_id": transactions.get_column("id"),
        "party_type": pl.Series(PARTIES).gather(party),
        "publisher_id": publishers.get_column("id").gather(of).set(~is_publisher, None),
        "percentage": decimals(pl.Series(shares[party, of]), 7, 4),
        "amount": decimals(pl.Series(amounts[party, of]), 12, 2),
        "currency": transactions.get_column("currency"),
        "registered": transactions.get_column("captured_at"),
        "tenant": transactions.get_column("tenant"),
    }
    return logged(pl.DataFrame(rows), shared_moments(when, of))

"""offramp.yaml and the environment as frozen values, and the wall clock: no other room reads any of them. What the
values lead to (sources, destinations, a ledger) is made in wiring.
"""

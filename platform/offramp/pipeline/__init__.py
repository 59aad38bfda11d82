"""Land, build stored models, gate, plan, stage and publish: the work, callable without Dagster. What a feed
exports and how it is named is in feeds.
"""

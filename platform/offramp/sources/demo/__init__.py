"""The embedded demo: a video service of two tenants that lives day by day, the same in every run of a seed.

What lands of it is decided by its callers, as for every other source. ``source`` reads it, ``days`` keeps a folder per
day, ``life`` lives it. A chapter owns tables; the modules in brackets help it:

catalogue: platforms, asset types, categories, assets. people: users, logins. accounts: profiles, properties, payment
methods. placements: where assets and categories are published and related. descriptions: metadata, tags, tenants,
publishers, subtitles. files: video files and where they lie, items. products: what is sold (group_access,
old_vouchers). orders: access that users bought (purchases, offers, care). payments: transactions, log and cuts
(charges, cuts). voucher_service: vvs tables (campaigns, voucher_pools, redemptions, voucher_times). acquisition: deals
with content owners (acquired). churn: scores. audits: who changed what. views: started views, drawn for a whole day.
"""

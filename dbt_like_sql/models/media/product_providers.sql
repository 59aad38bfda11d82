-- One row per tenant and product payment, which is a product as sold through one payment provider, as it is now.
select
    cast(id as bigint) as id,
    cast(product_id as bigint) as product_id,
    cast(payment_provider_id as bigint) as payment_provider_id,
    cast(description as varchar) as description,
    cast(init_price as decimal(12,2)) as init_price,
    cast(init_period as varchar) as init_period,
    cast(discounted_price as decimal(12,2)) as discounted_price,
    cast(recurring_price as decimal(12,2)) as recurring_price,
    cast(recurring_discounted_price as decimal(12,2)) as recurring_discounted_price,
    cast(auto_renew_warning_enabled as boolean) as auto_renew_warning_enabled,
    cast(autorenew_warning_channel as varchar) as autorenew_warning_channel,
    cast(product_payment_status as varchar) as product_payment_status,
    cast(enabled as boolean) as enabled,
    cast(sort_index as bigint) as sort_index,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'product_providers') }}

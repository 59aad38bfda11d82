-- One row per tenant and payment transaction, as the transaction is now.
select
    cast(id as bigint) as id,
    cast(users_access_id as bigint) as users_access_id,
    cast(user_id as bigint) as user_id,
    cast(payment_transaction_type_id as bigint) as payment_transaction_type_id,
    cast(payment_type_id as bigint) as payment_type_id,
    cast(payment_provider_id as bigint) as payment_provider_id,
    cast(users_payment_method_id as uuid) as users_payment_method_id,
    cast(original_transaction_id as bigint) as original_transaction_id,
    cast(order_ref as varchar) as order_ref,
    cast(external_order_ref as varchar) as external_order_ref,
    cast(amount as decimal(12,2)) as amount,
    cast(vat as decimal(12,2)) as vat,
    cast(currency as varchar) as currency,
    cast(status as varchar) as status,
    cast(voucher_code as varchar) as voucher_code,
    cast(ip as varchar) as ip,
    cast(registered as timestamp) as registered,
    cast(captured_at as timestamp) as captured_at,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'payment_transactions') }}

-- One row per tenant and payment method that a user has stored, as it is now; a full card number is never held.
select
    cast(id as uuid) as id,
    cast(user_id as bigint) as user_id,
    cast(payment_provider_id as bigint) as payment_provider_id,
    cast(user_payment_method_type as varchar) as user_payment_method_type,
    cast(user_payment_method_status as varchar) as user_payment_method_status,
    cast(payment_info as varchar) as payment_info,
    cast(expire_date as timestamp) as expire_date,
    cast(ext_agreement_ref as varchar) as ext_agreement_ref,
    cast(allow_one_click_buy as boolean) as allow_one_click_buy,
    cast(capture_attempt_log as varchar) as capture_attempt_log,
    cast(currency as varchar) as currency,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'users_payment_methods') }}

-- One row per tenant and step from one payment status to the next. Rows are only added.
select
    cast(id as bigint) as id,
    cast(payment_transaction_id as bigint) as payment_transaction_id,
    cast(users_access_id as bigint) as users_access_id,
    cast(status_from as varchar) as status_from,
    cast(status_to as varchar) as status_to,
    cast(status_text as varchar) as status_text,
    cast(provider_response_code as varchar) as provider_response_code,
    cast(registered as timestamp) as registered,
    cast(tenant as varchar) as tenant
from {{ source('media', 'payment_status_log') }}

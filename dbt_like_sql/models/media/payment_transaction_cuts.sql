-- One row per tenant and party's share of a payment transaction. Rows are only added.
select
    cast(id as bigint) as id,
    cast(payment_transaction_id as bigint) as payment_transaction_id,
    cast(party_type as varchar) as party_type,
    cast(publisher_id as bigint) as publisher_id,
    cast(percentage as decimal(7,4)) as percentage,
    cast(amount as decimal(12,2)) as amount,
    cast(currency as varchar) as currency,
    cast(registered as timestamp) as registered,
    cast(tenant as varchar) as tenant
from {{ source('media', 'payment_transaction_cuts') }}

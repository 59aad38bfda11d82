-- One row per tenant and discount rule, as the rule is now.
select
    cast(id as uuid) as id,
    cast(name as varchar) as name,
    cast(discount_type as varchar) as discount_type,
    cast(discount_fraction as decimal(5,4)) as discount_fraction,
    cast(discount_fraction_recurring as decimal(5,4)) as discount_fraction_recurring,
    cast(discount_amount as decimal(12,2)) as discount_amount,
    cast(currency as varchar) as currency,
    cast(free_period as varchar) as free_period,
    cast(recurring_periods as bigint) as recurring_periods,
    cast(created_at as timestamptz) as created_at,
    cast(updated_at as timestamptz) as updated_at,
    cast(tenant as varchar) as tenant
from {{ source('media', 'vvs_discounts') }}

"""A bill for what a family would pay next, as it is first written down."""

from __future__ import annotations

import secrets
from datetime import datetime, time, timedelta

from gateway.domain.bill import Bill, BillState
from gateway.domain.clock import EAT, eat_day
from gateway.domain.money import Money
from gateway.domain.policy import Family
from gateway.domain.quote import Quote

LIFE = timedelta(days=30)
_LAST_SECOND = time(23, 59, 59)  # the provider is told seconds


def end_of_life(now: datetime, life: timedelta) -> datetime:
    """The end of its last day: callers are told a day, and whoever pays on it must not find the number over."""
    return datetime.combine(eat_day(now + life), _LAST_SECOND, EAT)


def new_bill(quote: Quote, family: Family, generation: int, now: datetime, life: timedelta = LIFE) -> Bill:
    """Not stored yet, and without the tblPayment row that shows it."""
    return Bill(
        id=new_bill_id(),
        key=quote.key,
        generation=generation,
        family_id=family.id,
        product_id=quote.product.id,
        product_code=quote.product.code,
        preceding_policy_id=quote.preceding.id if quote.preceding else None,
        stage=quote.stage,
        chfid=family.head.chfid,
        payer_name=f"{family.head.other_names} {family.head.last_name}".strip()[:200],
        amount=quote.amount,
        policy_value=quote.value,
        pay_option=quote.pay_option,
        provider_code=quote.product.provider_code,
        state=BillState.CREATED,
        control_number=None,
        paid=Money(0, quote.amount.currency),
        created_at=now,
        expires_at=end_of_life(now, life),
    )


def new_bill_id() -> str:
    """Random, never an identity: a restored backup would reuse one."""
    return f"B{secrets.token_hex(10).upper()}"

"""Cut-over: a number that the payment service before us gave out is paid. Its bill becomes one of ours and is settled.

Numbers of that service live up to three years, and the provider calls one set of routes: so a number that we do not
know is looked for among its bills before it is put before a person.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.domain.bill import Bill, BillFact, BillState, PayOption
from gateway.domain.clock import eat_day
from gateway.domain.money import Money
from gateway.domain.periods import policy_period
from gateway.domain.policy import Family, Product
from gateway.domain.quote import idle_policy
from gateway.domain.settlement import latest_settled
from gateway.domain.valuation import policy_value
from gateway.ports import LegacyBill, LegacyStatus, Requester, Transaction

_KEY = "before:"
_LIFE = timedelta(days=3 * 365)  # what that service asked for in bulk; a payment has come, so it was payable


async def adopt_bill(tx: Transaction, control_number: str, now: datetime) -> Bill | None:
    """The bill, now ours; None when the number is nobody's, or was given to more than one family.

    A number of its pool that nobody was given names no family: that money is a person's to place.
    """
    found = await _find(tx, control_number)
    if found is None:
        return None
    legacy, family, product = found
    await tx.registry.lock_family(family.id)
    bill = await _as_ours(tx, legacy, family, product, now)
    if not await tx.bills.add(bill):
        return await tx.bills.by_control_number(control_number)  # adopted by another payment of it meanwhile
    if legacy.msisdn is not None:
        await tx.bills.add_requester(bill.id, Requester(legacy.msisdn, legacy.language), now)
    bill = await tx.bills.record(bill, BillFact.NUMBERED, now, control_number=control_number)
    await tx.audit.add("gateway", "bill.adopted", f"bill:{bill.id}", now, payment=legacy.payment_id)
    return bill


def code_made_under(bill: Bill) -> str | None:
    """The service provider's code that a bill was made under, where it is known.

    Of an adopted bill it is not: that bill has its product's code of today, under which it is cancelled.
    """
    return None if bill.key.startswith(_KEY) else bill.provider_code


async def unadopted_bill(tx: Transaction, control_number: str, now: datetime) -> Bill | None:
    """What ``adopt_bill`` would make ours: for a question, so nothing is written or locked."""
    found = await _find(tx, control_number)
    return await _as_ours(tx, *found, now) if found is not None else None


async def _find(tx: Transaction, control_number: str) -> tuple[LegacyBill, Family, Product] | None:
    found = await tx.registry.legacy_bills(control_number)
    if len(found) != 1 or found[0].chfid is None or not found[0].expected:
        return None
    family = await tx.registry.family_of(found[0].chfid)
    product = next((p for p in await tx.registry.products() if p.code == found[0].product_code), None)
    return (found[0], family, product) if family is not None and product is not None else None


async def _as_ours(tx: Transaction, legacy: LegacyBill, family: Family, product: Product, now: datetime) -> Bill:
    """Payable in its exact amount, as that service took it. What a policy born of it is worth is today's price."""
    today = eat_day(now)
    policies = await tx.registry.policies(family.id)
    idle, preceding = idle_policy(policies, product.id, today), latest_settled(policies)
    if idle is not None:
        value = idle.value
    else:
        expiry = preceding.expiry_date if preceding else None
        period = policy_period(product, today, legacy.stage, expiry)
        value = policy_value(product, family, legacy.stage, today, period, expiry)
    asked_at = legacy.requested_at or now
    was_paid = legacy.status in (LegacyStatus.RECEIVED, LegacyStatus.MATCHED)  # to that service: this is a second time
    return Bill(
        id=f"L{legacy.payment_id}",
        key=f"{_KEY}{legacy.payment_id}",
        generation=1,
        family_id=family.id,
        product_id=product.id,
        product_code=product.code,
        preceding_policy_id=preceding.id if preceding else None,
        stage=legacy.stage,
        chfid=family.head.chfid,
        payer_name=f"{family.head.other_names} {family.head.last_name}".strip()[:200],
        amount=legacy.expected,
        policy_value=value,
        pay_option=PayOption.EXACT,
        provider_code=product.provider_code,
        state=BillState.PAID if was_paid else BillState.SUBMITTED,
        control_number=None,
        paid=legacy.expected if was_paid else Money(0, legacy.expected.currency),
        created_at=asked_at,
        expires_at=max(asked_at, now) + _LIFE,
        payment_record_id=legacy.payment_id,
    )

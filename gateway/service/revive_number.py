"""A family's expired number is asked for again for its next bill: the number moves when the provider has confirmed it.

Until then the old bill holds it, so that money paid to it in between still finds a bill of the family. If the provider
will not, the bill goes on as an ordinary one, by itself and once.
"""

from __future__ import annotations

from datetime import datetime

from gateway.domain.bill import Bill, BillFact
from gateway.domain.effects import SubmitBill
from gateway.ports import Transaction


def takes_over(bill: Bill, holder: Bill, number: str) -> bool:
    """Whether ``bill`` asked for the number that ``holder`` has, and no money has come to that one."""
    return (
        bill.id != holder.id
        and bill.reuses == number
        and bill.control_number is None
        and bill.key == holder.key
        and bill.generation > holder.generation
        and not holder.paid
    )


async def release(tx: Transaction, holder: Bill, to: Bill, now: datetime) -> None:
    """The number leaves the old bill, which keeps it as a fact; its tblPayment row ends. Under the family's lock."""
    await tx.bills.record(holder, BillFact.RELEASED, now, control_number=holder.control_number, to=to.id)
    if holder.payment_record_id is not None:
        await tx.registry.payment_cancelled(holder.payment_record_id, now)
    await tx.audit.add("provider", "bill.number_reused", f"bill:{holder.id}", now, to=to.id)


async def was_released(tx: Transaction, bill: Bill, number: str) -> bool:
    """Whether the bill once had the number."""
    facts = await tx.bills.facts(bill.id)
    return any(fact == BillFact.RELEASED and details.get("control_number") == number for fact, details in facts)


async def fall_back(tx: Transaction, bill: Bill, code: str, text: str, now: datetime) -> Bill:
    """The provider will not give the old number again: ask for an ordinary one under the same bill id."""
    changed = await tx.bills.record(bill, BillFact.NOT_REUSED, now, control_number=bill.reuses, code=code, text=text)
    await tx.outbox.put([SubmitBill(bill.id)], now)
    await tx.audit.add("provider", "bill.not_reused", f"bill:{bill.id}", now, code=code)
    return changed


async def is_old_news(tx: Transaction, bill: Bill, code: str) -> bool:
    """Whether a refusal may be the one that made the bill fall back, delivered once more.

    An ordinary asking that is refused with the same words is then taken for it too, and ends as silence does: asked
    again, then a person. The other mistake would tell a caller that there is no number while one is on its way.
    """
    facts = await tx.bills.facts(bill.id)
    return any(fact == BillFact.NOT_REUSED and details.get("code") == code for fact, details in facts)

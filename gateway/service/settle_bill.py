"""What a provider's word about a bill does: its control number, or its refusal. Part of settling an inbox entry."""

from __future__ import annotations

from datetime import datetime

from gateway.domain.bill import Bill, BillFact, BillState
from gateway.domain.effects import CancelBill
from gateway.domain.payments import CaseKind, EntryState
from gateway.ports import BillRefused, Case, ControlNumberGiven, Entry, LegacyStatus, Transaction
from gateway.service.messages import Messages


async def give_number(
    tx: Transaction, messages: Messages, entry: Entry, notice: ControlNumberGiven, now: datetime
) -> EntryState:
    """Bind the number to its bill and tell every phone that asked. A number is never bound twice."""
    bill = await tx.bills.by_id(notice.bill_id, lock=True)
    if bill is None:
        await tx.inbox.mark(entry, EntryState.UNMATCHED, now, note="no such bill")
        return EntryState.UNMATCHED
    if bill.control_number == notice.control_number:
        await tx.inbox.mark(entry, EntryState.DUPLICATE, now, bill_id=bill.id)
        return EntryState.DUPLICATE
    holder = await tx.bills.by_control_number(notice.control_number)
    if bill.control_number is not None or holder is not None:
        await _number_conflict(tx, entry, notice, bill, now)
        return EntryState.CONFLICTING
    bill = await bind_number(tx, bill, notice.control_number, now, entry.provider)
    if bill.state == BillState.NUMBERED:
        await tx.outbox.put(messages.control_number(bill, await tx.bills.requesters(bill.id)), now)
    if bill.state == BillState.PAID:  # by insurance number, while this one was awaited: nobody may pay it again
        await tx.outbox.put([CancelBill(bill.id)], now)
    await tx.inbox.mark(entry, EntryState.SETTLED, now, bill_id=bill.id)
    return EntryState.SETTLED


async def bind_number(tx: Transaction, bill: Bill, control_number: str, now: datetime, issuer: str) -> Bill:
    """Record the number on the bill, with who gave it, and on openIMIS' own payment row."""
    bill = await tx.bills.record(bill, BillFact.NUMBERED, now, control_number=control_number, issuer=issuer)
    if bill.payment_record_id is not None:
        await tx.registry.number_given(bill.payment_record_id, control_number, now)
    await tx.audit.add("provider", "bill.numbered", f"bill:{bill.id}", now)
    return bill


async def _number_conflict(
    tx: Transaction, entry: Entry, notice: ControlNumberGiven, bill: Bill, now: datetime
) -> None:
    await tx.inbox.mark(entry, EntryState.CONFLICTING, now, bill_id=bill.id)
    await tx.cases.open(
        Case(
            CaseKind.CONFLICT,
            subject=f"number:{notice.control_number}/{bill.id}",
            provider=entry.provider,
            inbox_id=entry.inbox_id,
            bill_id=bill.id,
            details={"control_number": notice.control_number, "held": bill.control_number},
        ),
        now,
    )


async def refuse(tx: Transaction, messages: Messages, bill: Bill, code: str, text: str, now: datetime) -> Bill:
    """Record that the provider gives no number, and tell every phone that asked."""
    changed = await tx.bills.record(bill, BillFact.REFUSED, now, code=code, text=text)
    if changed.state != BillState.REFUSED or bill.state == BillState.REFUSED:
        return changed  # late word about a bill that has its number, or was refused already
    if bill.payment_record_id is not None:
        reason = f"{code}:{text}"
        await tx.registry.payment_status(bill.payment_record_id, LegacyStatus.REQUEST_REFUSED, now, reason)
    await tx.outbox.put(messages.number_refused(changed, await tx.bills.requesters(bill.id)), now)
    await tx.audit.add("provider", "bill.refused", f"bill:{bill.id}", now, code=code)
    return changed


async def settle_refusal(
    tx: Transaction, messages: Messages, entry: Entry, notice: BillRefused, now: datetime
) -> EntryState:
    """A refusal that came as a callback."""
    bill = await tx.bills.by_id(notice.bill_id, lock=True)
    state = EntryState.UNMATCHED if bill is None else EntryState.SETTLED
    if bill is not None:
        if bill.state == BillState.REFUSED:
            state = EntryState.DUPLICATE
        await refuse(tx, messages, bill, notice.code, notice.text, now)
    await tx.inbox.mark(entry, state, now, bill_id=bill.id if bill else None)
    return state

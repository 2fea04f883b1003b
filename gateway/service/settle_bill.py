"""What a provider's word about a bill does: its control number, or its refusal. Part of settling an inbox entry."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from gateway.domain.bill import Bill, BillFact, BillState
from gateway.domain.effects import CancelBill
from gateway.domain.payments import CaseKind, EntryState
from gateway.domain.pool import PoolState
from gateway.ports import BillRefused, Case, ControlNumberGiven, Entry, LegacyStatus, Transaction
from gateway.service.family_phones import askers_of
from gateway.service.messages import Messages
from gateway.service.pool_results import disagrees, give_pool_number, settle_pool_refusal
from gateway.service.revive_number import fall_back, is_old_news, release, takes_over, was_released


async def give_number(
    tx: Transaction,
    messages: Messages,
    entry: Entry,
    notice: ControlNumberGiven,
    codes: Collection[str],
    now: datetime,
) -> EntryState:
    """Bind the number to its bill and tell every phone that asked. A number is never bound twice.

    ``codes``: the service provider codes of the settings.
    """
    bill = await _lock_for_number(tx, notice)
    if bill is None:
        return await give_pool_number(tx, entry, notice, codes, now)
    if bill.control_number == notice.control_number:
        await tx.inbox.mark(entry, EntryState.DUPLICATE, now, bill_id=bill.id)
        return EntryState.DUPLICATE
    holder = await tx.bills.by_control_number(notice.control_number, lock=bill.reuses is not None)
    unwanted = await _unwanted(tx, notice, bill, holder, codes)
    if unwanted is not None:
        state, note = unwanted
        if state == EntryState.CONFLICTING:
            await _number_conflict(tx, entry, notice, bill, now)
        await tx.inbox.mark(entry, state, now, bill_id=bill.id, note=note)
        return state
    if holder is not None:
        await release(tx, holder, bill, now)
    bill = await bind_number(tx, bill, notice.control_number, now, entry.provider)
    if bill.state == BillState.NUMBERED:
        await tx.outbox.put(messages.control_number(bill, await askers_of(tx, bill, now)), now)
    if bill.state == BillState.PAID:  # by insurance number, while this one was awaited: nobody may pay it again
        await tx.outbox.put([CancelBill(bill.id)], now)
    await tx.inbox.mark(entry, EntryState.SETTLED, now, bill_id=bill.id)
    return EntryState.SETTLED


async def _lock_for_number(tx: Transaction, notice: ControlNumberGiven) -> Bill | None:
    """A bill that takes an earlier bill's number locks that one too, so the family first: the order of payments."""
    seen = await tx.bills.by_id(notice.bill_id)
    if seen is not None and seen.reuses is not None:
        await tx.registry.lock_family(seen.family_id)
    return await tx.bills.by_id(notice.bill_id, lock=True) if seen is not None else None


async def _unwanted(
    tx: Transaction, notice: ControlNumberGiven, bill: Bill, holder: Bill | None, codes: Collection[str]
) -> tuple[EntryState, str] | None:
    """Why this number is not for this bill, if so."""
    number = notice.control_number
    if holder is not None and not takes_over(bill, holder, number):
        if holder.key == bill.key and await was_released(tx, bill, number):
            return EntryState.DUPLICATE, "the number is a later bill's by now"
        if holder.key == bill.key and bill.reuses == number and bill.control_number is None:
            return EntryState.DUPLICATE, "the earlier bill of this number was paid meanwhile"
        return EntryState.CONFLICTING, ""
    pooled = await tx.pool.by_control_number(number)
    in_pool = pooled is not None and pooled.state != PoolState.BOUND
    if bill.control_number is not None or in_pool or await disagrees(tx, notice, bill, codes):
        return EntryState.CONFLICTING, ""
    if notice.repeated and not bill.awaits_number:
        return EntryState.UNMATCHED, "no number is awaited"
    return None


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
    """Record that the provider gives no number, and tell every phone that asked; a reuse refused is asked otherwise."""
    if bill.reuses is not None and bill.awaits_number:
        return await fall_back(tx, bill, code, text, now)
    changed = await tx.bills.record(bill, BillFact.REFUSED, now, code=code, text=text)
    if changed.state != BillState.REFUSED or bill.state == BillState.REFUSED:
        return changed  # late word about a bill that has its number, or was refused already
    if bill.payment_record_id is not None:
        reason = f"{code}:{text}"
        await tx.registry.payment_status(bill.payment_record_id, LegacyStatus.REQUEST_REFUSED, now, reason)
    await tx.outbox.put(messages.number_refused(changed, await askers_of(tx, changed, now)), now)
    await tx.audit.add("provider", "bill.refused", f"bill:{bill.id}", now, code=code)
    return changed


async def settle_refusal(
    tx: Transaction, messages: Messages, entry: Entry, notice: BillRefused, now: datetime
) -> EntryState:
    """A refusal that came as a callback."""
    bill = await tx.bills.by_id(notice.bill_id, lock=True)
    if bill is None:
        return await settle_pool_refusal(tx, entry, notice, now)
    is_known = bill.state == BillState.REFUSED or (bill.reuses is None and await is_old_news(tx, bill, notice.code))
    if not is_known:
        await refuse(tx, messages, bill, notice.code, notice.text, now)
    state = EntryState.DUPLICATE if is_known else EntryState.SETTLED
    await tx.inbox.mark(entry, state, now, bill_id=bill.id)
    return state

"""What a provider's word about a number of the pool does. Part of settling an inbox entry."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from gateway.domain.bill import Bill
from gateway.domain.payments import CaseKind, EntryState, PaymentReport
from gateway.domain.pool import PoolNumber, PoolState
from gateway.ports import BillRefused, Case, ControlNumberGiven, Entry, LegacyStatus, Transaction
from gateway.service.payees import is_anothers

_EXPECTS = (PoolState.ASKED, PoolState.REFUSED)  # a number that comes after a refusal counts: late truth wins


async def give_pool_number(
    tx: Transaction, entry: Entry, notice: ControlNumberGiven, codes: Collection[str], now: datetime
) -> EntryState:
    """The number is ready to be handed out, unless it is known already or somebody's."""
    known = await tx.pool.by_id(notice.bill_id, lock=True)
    if known is None:
        return await _marked(tx, entry, EntryState.UNMATCHED, now, "no such bill")
    if known.control_number == notice.control_number:
        return await _marked(tx, entry, EntryState.DUPLICATE, now)
    other = await disagrees(tx, notice, known.as_bill(), codes)
    if known.control_number is not None or other or await _is_held(tx, notice):
        await tx.cases.open(_conflict(entry, notice, known), now)
        return await _marked(tx, entry, EntryState.CONFLICTING, now)
    if known.state == PoolState.SPENT or (notice.repeated and known.state != PoolState.ASKED):
        return await _marked(tx, entry, EntryState.UNMATCHED, now, "no number is awaited")
    state = PoolState.READY if known.state in _EXPECTS else known.state
    await tx.pool.change(known.bill_id, state, now, notice.control_number)
    if known.payment_record_id is not None:
        await tx.registry.number_given(known.payment_record_id, notice.control_number, now)
    return await _marked(tx, entry, EntryState.SETTLED, now)


async def disagrees(tx: Transaction, notice: ControlNumberGiven, bill: Bill, codes: Collection[str]) -> bool:
    """Whether the message tells another amount or another service provider than the bill's."""
    if notice.amount is not None and notice.amount != bill.amount:
        return True
    return await is_anothers(tx, notice.provider_code, bill.provider_code, codes)


async def _is_held(tx: Transaction, notice: ControlNumberGiven) -> bool:
    number = notice.control_number
    return await tx.bills.by_control_number(number) is not None or await tx.pool.by_control_number(number) is not None


def _conflict(entry: Entry, notice: ControlNumberGiven, known: PoolNumber) -> Case:
    return Case(
        CaseKind.CONFLICT,
        subject=f"number:{notice.control_number}/{known.bill_id}",
        provider=entry.provider,
        inbox_id=entry.inbox_id,
        bill_id=known.bill_id,
        details={"control_number": notice.control_number, "held": known.control_number, "pool": True},
    )


async def _marked(tx: Transaction, entry: Entry, state: EntryState, now: datetime, note: str = "") -> EntryState:
    await tx.inbox.mark(entry, state, now, note=note)
    return state


async def settle_pool_refusal(tx: Transaction, entry: Entry, notice: BillRefused, now: datetime) -> EntryState:
    """A refusal that came as a callback."""
    known = await tx.pool.by_id(notice.bill_id, lock=True)
    if known is None:
        return await _marked(tx, entry, EntryState.UNMATCHED, now)
    if known.state != PoolState.ASKED:
        return await _marked(tx, entry, EntryState.DUPLICATE, now)
    await refuse_pool_number(tx, known, notice.code, notice.text, now)
    return await _marked(tx, entry, EntryState.SETTLED, now)


async def refuse_pool_number(tx: Transaction, known: PoolNumber, code: str, text: str, now: datetime) -> None:
    """The provider gives no number."""
    await tx.pool.change(known.bill_id, PoolState.REFUSED, now)
    if known.payment_record_id is not None:
        reason = f"{code}:{text}"
        await tx.registry.payment_status(known.payment_record_id, LegacyStatus.REQUEST_REFUSED, now, reason)
    await tx.audit.add("provider", "pool.refused", f"pool:{known.bill_id}", now, code=code)


async def pool_bill_of(tx: Transaction, report: PaymentReport, now: datetime) -> Bill | None:
    """The family's bill if the paid number was handed out while we looked; None otherwise.

    A number that nobody was given is spent: it can be given to nobody any more, and its money is a person's to place.
    """
    known = await tx.pool.by_control_number(report.control_number, lock=True)
    if known is None and report.bill_id is not None:
        known = await tx.pool.by_id(report.bill_id, lock=True)  # the payment overtook the number
        if known is not None and known.control_number is not None:
            return None
    if known is None or known.state == PoolState.SPENT:
        return None
    if known.state == PoolState.BOUND:
        return await tx.bills.by_id(known.bill_id)
    await tx.pool.change(known.bill_id, PoolState.SPENT, now, report.control_number)
    if known.payment_record_id is not None:
        await tx.registry.payment_cancelled(known.payment_record_id, now)
    await tx.audit.add("provider", "pool.spent", f"pool:{known.bill_id}", now, reference=report.reference)
    return None

"""Which entries can be settled side by side: those about different things."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gateway.domain.bill import Bill
from gateway.domain.payments import PaymentReport
from gateway.ports import ControlNumberGiven, Entry, Transaction

# Where a receipt's column is narrower than the reference, two references may be one receipt; where it is compared
# without case too. No installation's column is narrower than this.
_RECEIPT_WIDTH = 30


async def apart(tx: Transaction, entries: Sequence[Entry]) -> list[Entry]:
    """The first entry, and each later one that shares nothing with any before it, taken or not: order is kept.

    This is a look without locks, at what can be known beforehand. Entries that turn out to meet all the same, say at a
    family whose bill is adopted from the service before us, are found when they come to its lock.
    """
    if len(entries) == 1:
        return list(entries)
    by_number = await tx.bills.by_control_numbers(sorted({n for e in entries if (n := _number(e)) is not None}))
    by_id = await tx.bills.by_ids(sorted({b for e in entries if (b := e.notice.bill_id) is not None}))
    seen: set[tuple[str, object]] = set()
    taken = []
    for entry in entries:
        things = set(_things(entry, by_number, by_id))
        if not things & seen:
            taken.append(entry)
        seen |= things
    return taken


def _number(entry: Entry) -> str | None:
    return entry.notice.control_number if isinstance(entry.notice, (PaymentReport, ControlNumberGiven)) else None


def _things(entry: Entry, by_number: Mapping[str, Bill], by_id: Mapping[str, Bill]) -> Iterator[tuple[str, object]]:
    """What an entry is about, as far as it says or its bills do."""
    number, bill_id = _number(entry), entry.notice.bill_id
    bills = [by_number.get(number or ""), by_id.get(bill_id or "")]
    if number is not None:
        yield "number", number
    if bill_id is not None:
        yield "bill", bill_id
    if isinstance(entry.notice, PaymentReport):
        yield "receipt", entry.notice.reference.strip().casefold()[:_RECEIPT_WIDTH]
    for bill in bills:
        if bill is not None:
            yield "bill", bill.id
            yield "family", bill.family_id

"""How to pay a control number, by the caller's own network or at a bank, as one SMS that stays on the phone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gateway.domain.bill import Bill
from gateway.domain.ussd.effects import TellHowToPay
from gateway.ports import Requester, Transaction, UnitOfWork
from gateway.service.family_phones import has_disowned
from gateway.service.messages import Messages
from gateway.service.refusals import RefusedByRuleError


class NotPayableError(RefusedByRuleError):
    """The number is not to be paid any more: what the caller has been shown meanwhile must not be said again."""


class HowToPay:
    """Carries out ``TellHowToPay``: once for a bill, what is due of it, a way and a phone."""

    def __init__(self, uow: UnitOfWork, messages: Messages) -> None:
        self._uow = uow
        self._messages = messages

    async def __call__(self, wanted: TellHowToPay, now: datetime) -> None:
        """Raises NotPayableError where there is no such bill to pay now."""
        reader = Requester(wanted.msisdn, wanted.language)
        async with self._uow.writing() as tx:
            bill = await tx.bills.by_control_number(wanted.control_number)
            if bill is None or not bill.payable_at(now):
                raise NotPayableError
            if await has_disowned(tx, reader.msisdn, bill.family_id):
                reader = await _officer(tx, bill, reader)
            await tx.outbox.put([self._messages.how_to_pay(bill, wanted.way, wanted.network, reader)], now)


async def _officer(tx: Transaction, bill: Bill, reader: Requester) -> Requester:
    """The same where the phone asked for the bill as an enrolment officer's.

    Raises NotPayableError where it did not: it has called the family not its own, in another conversation.
    """
    asked = await tx.bills.requesters(bill.id)
    if not any(each.officer for each in asked if each.msisdn == reader.msisdn):
        raise NotPayableError
    return replace(reader, officer=True)

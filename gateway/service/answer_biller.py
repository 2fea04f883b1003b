"""A biller's questions, in time: what is due on a number, and what became of a payment. Nothing is written for them.

"Due" is said only of what would be booked if it were paid now: the same decision is asked as when money comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from time import perf_counter

import structlog

from gateway.domain.bill import Bill, BillState, PayOption
from gateway.domain.clock import Clock, eat_day
from gateway.domain.errors import CASE_CODES
from gateway.domain.names import masked_name
from gateway.domain.payments import CaseKind, EntryState, PaymentReport
from gateway.domain.settlement import NeedsPerson, settle
from gateway.ports import (
    Answer,
    Due,
    DueOf,
    NotDue,
    Question,
    SentPayment,
    Standing,
    StandingOf,
    StandingState,
    Transaction,
    Unanswered,
    UnitOfWork,
)
from gateway.service.adopt_bill import unadopted_bill
from gateway.service.family_bill import family_bill
from gateway.service.metrics import BILLER_QUESTIONS, BILLER_SECONDS, ERRORS
from gateway.service.settle_payment import read_ledger

log = structlog.get_logger()

_UNKNOWN = CASE_CODES[CaseKind.UNKNOWN_CONTROL_NUMBER]
_STANDS: dict[EntryState, StandingState] = {
    EntryState.NEW: StandingState.RECEIVED,
    EntryState.SETTLED: StandingState.SETTLED,
    EntryState.UNMATCHED: StandingState.WAITING,
    EntryState.CASE: StandingState.WAITING,
    EntryState.HELD: StandingState.WAITING,
    EntryState.CONFLICTING: StandingState.WAITING,
    EntryState.REFUNDED: StandingState.REFUSED,
    EntryState.REJECTED: StandingState.REFUSED,
}


class AnswerBiller:
    """``budget_s`` bounds an answer. ``unknown_an_hour``: by biller, questions about numbers that nobody has."""

    def __init__(
        self, uow: UnitOfWork, clock: Clock, unknown_an_hour: Mapping[str, int], budget_s: float = 2.5
    ) -> None:
        self._uow = uow
        self._clock = clock
        self._budget_s = budget_s
        self._unknown_an_hour = unknown_an_hour

    async def __call__(self, biller: str, question: Question) -> Answer:
        """Never raises: what cannot be answered in time is told to be asked again."""
        started = perf_counter()
        try:
            async with asyncio.timeout(self._budget_s):
                answer = await self._answer(biller, question)
        except Exception as failure:  # the text of a driver's error may hold a row
            log.warning("biller_not_answered", biller=biller, why=type(failure).__name__)
            answer = Unanswered("PAY-NO-ANSWER")
        result = _result_of(answer)
        if isinstance(answer, Unanswered):
            ERRORS.labels(answer.code).inc()
        BILLER_QUESTIONS.labels(biller, "due" if isinstance(question, DueOf) else "standing", result).inc()
        BILLER_SECONDS.observe(perf_counter() - started)
        return answer

    async def _answer(self, biller: str, question: Question) -> Answer:
        match question:
            case StandingOf(reference):
                async with self._uow.reading() as tx:
                    return _standing(await tx.payments.sent_by(biller, reference))
            case DueOf():
                return await self._due(biller, question)

    async def _due(self, biller: str, question: DueOf) -> Answer:
        now = self._clock.now()
        async with self._uow.reading() as tx:
            if await tx.callers.misses(biller, now) >= self._unknown_an_hour[biller]:
                return Unanswered("PAY-LIMIT")
            answer = await what_is_due(tx, question, now)
        if answer == NotDue(_UNKNOWN):
            async with self._uow.writing() as tx:  # counted by the database: of many at once no more are told
                late = await tx.callers.count_miss(biller, now) > self._unknown_an_hour[biller]
            return Unanswered("PAY-LIMIT") if late else answer
        return answer


async def what_is_due(tx: Transaction, question: DueOf, now: datetime) -> Due | NotDue:
    """What a payment on this number would do now."""
    today = eat_day(now)
    if question.chfid is not None:
        owed = await family_bill(tx, question.chfid, now, now, lock=False)
        if isinstance(owed, CaseKind):
            return NotDue(CASE_CODES[owed])
        # the price is today's; a bill's own holds as long as the bill
        return await _judged(tx, owed.bill, today if owed.is_new else eat_day(owed.bill.expires_at), now)
    number = question.control_number or ""
    bill = await tx.bills.by_control_number(number) or await unadopted_bill(tx, number, now)
    if bill is None:
        return NotDue(_UNKNOWN)
    ended = bill.state in (BillState.PAID, BillState.CANCELLED)
    if not ended and (bill.state == BillState.EXPIRED or bill.expires_at <= now):
        return NotDue("PAY-EXPIRED")
    return await _judged(tx, bill, eat_day(bill.expires_at), now)


async def _judged(tx: Transaction, bill: Bill, payable_until: date, now: datetime) -> Due | NotDue:
    amount = bill.amount - bill.paid
    asked = PaymentReport(reference="", control_number=bill.control_number or "", amount=amount, paid_at=now)
    ledger = await read_ledger(tx, bill.family_id, bill.product_id, asked, now)
    ledger = replace(ledger, receipt_used=False)  # nothing was paid, so there is no receipt yet
    decision = settle(bill, asked, eat_day(now), eat_day(now), ledger)
    if isinstance(decision, NeedsPerson):
        return NotDue(CASE_CODES[decision.kind])
    assert ledger.product is not None
    return Due(
        masked_name=masked_name(bill.payer_name),
        amount=amount,
        product=ledger.product.name,
        payable_until=payable_until,
        partial=bill.pay_option == PayOption.PARTIAL,
        start=decision.start_date,
        until=decision.expiry_date,
    )


def _standing(sent: SentPayment | None) -> Standing:
    if sent is None:
        return Standing(StandingState.UNKNOWN)
    state = _STANDS[sent.state]
    is_decided = state in (StandingState.WAITING, StandingState.REFUSED)
    code = CASE_CODES[sent.case] if sent.case is not None and is_decided else None
    return Standing(state, sent.control_number, sent.amount, sent.paid_at, code)


def _result_of(answer: Answer) -> str:
    match answer:
        case Due():
            return "due"
        case Standing(state):
            return state
        case NotDue(code) | Unanswered(code):
            return code

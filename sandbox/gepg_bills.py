"""What GePG does with bills, in whichever generation it is asked: take them, number them, change and end them."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from sandbox import codes
from sandbox.courier import Courier
from sandbox.faults import SAME_NUMBER, Faults
from sandbox.fields import Change, Submission, Verdict
from sandbox.gepg_book import Bill, Book
from sandbox.gepg_parcels import Parcels
from sandbox.settings import Settings
from sandbox.tasks import Tasks

log = logging.getLogger("sandbox")

CANCELLED = "7283"
Told: TypeAlias = "list[asyncio.Task[None]]"


class Bills:
    """One GePG's bills. `clock` gives the time in East Africa Time."""

    def __init__(
        self,
        settings: Settings,
        book: Book,
        courier: Courier,
        parcels: Parcels,
        faults: Faults,
        tasks: Tasks,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings, self._book, self._courier, self._parcels = settings, book, courier, parcels
        self._faults, self._tasks, self._clock = faults, tasks, clock

    def take(self, asked: Sequence[Submission]) -> tuple[Verdict, Told]:
        """Keep the bills of one request and see to it that their numbers follow, all in one callback.

        All known already: 7226, and the numbers are told once more. Some known: the callback says 7226 of those.
        """
        book, now = self._book, self._clock()
        known = [book.bills[each.bill_id] for each in asked if each.bill_id in book.bills]
        if len(known) == len(asked):
            numbered = [(bill, codes.OK) for bill in known if bill.control_number]
            again = numbered and self._settings.resend_on_duplicate and not self._tasks.full
            return Verdict("7226", "the first stays"), [self._follow(asked[0], numbered)] if again else []
        new = [each for each in asked if each.bill_id not in book.bills]
        for each in new:
            if each.reuse and (code := self._reuse_refusal(each, now)):
                return Verdict(code, each.reuse), []
        if book.full or self._tasks.full:
            return Verdict("7321", "the sandbox is full"), []
        for each in new:
            book.bills[each.bill_id] = Bill(each, now)
        answers = [(book.bills[each.bill_id], codes.OK if each in new else "7226") for each in asked]
        return Verdict(codes.OK, ""), [self._follow(asked[0], answers)]

    def _reuse_refusal(self, asked: Submission, now: datetime) -> str:
        """A number is given again while its bill is unpaid, expired or cancelled; '' when it may be."""
        holder = self._book.by_number(asked.reuse)
        if holder is None or holder.asked.sp_code != asked.sp_code:
            return "7335"
        if holder.status(now) == "paid":
            return "7279"
        return "7301" if holder.paid_minor else ""

    def _follow(self, asked: Submission, answers: list[tuple[Bill, str]]) -> "asyncio.Task[None]":
        return self._tasks.spawn(self._tell(asked, answers))

    async def _tell(self, asked: Submission, answers: list[tuple[Bill, str]]) -> None:
        """After the usual delay, tell the service provider the control numbers, as it asked for them."""
        await asyncio.sleep(self._settings.gepg_delay_s)
        for bill, _ in answers:
            self._number(bill)
        parcel = self._parcels.numbers(asked.version, asked.req_id, answers, self._clock())
        if await self._courier.deliver(parcel, []):
            for bill, _ in answers:
                bill.acknowledged = True

    def _number(self, bill: Bill) -> None:
        last = "" if bill.control_number else self._book.last_number(bill.asked.sp_code)
        wrongly = last if last and self._faults.take("bill_response", (SAME_NUMBER,)) else ""
        self._book.number(bill, wrongly)

    def change(self, change: Change) -> Verdict:
        """Move the end of an unpaid bill; an expired one lives again."""
        bill = self._book.bills.get(change.bill_id)
        if bill is None or bill.asked.sp_code != change.sp_code:
            return Verdict("7204", change.bill_id)
        if bill.status(self._clock()) == "paid":
            return Verdict("7279", change.bill_id)
        if bill.cancelled:
            return Verdict(CANCELLED, change.bill_id)
        bill.asked = replace(bill.asked, expires_at=change.expires_at)
        return Verdict(codes.OK, "")

    def cancel(self, bill_id: str, sp_code: str) -> str:
        """The code of the outcome; 7283 is success, also when the bill was cancelled before."""
        bill = self._book.bills.get(bill_id)
        if bill is None or bill.asked.sp_code != sp_code:
            code = "7204"
        elif bill.status(self._clock()) == "paid":
            code = "7279"
        elif bill.paid_minor:
            code = "7301"
        else:
            bill.cancelled, code = True, CANCELLED
        log.info("cancel %s: %s", bill_id, code)
        return code

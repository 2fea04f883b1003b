"""What GePG does when it is asked for a day: take the request, and bring the day's account some time later."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from sandbox import codes
from sandbox.courier import Courier, Parcel
from sandbox.envelope import seal
from sandbox.faults import BUSY, Faults
from sandbox.fields import Verdict
from sandbox.generation import BY_NAME, V4
from sandbox.gepg_book import Book, Payment
from sandbox.gepg_day_messages import DayRequest, account
from sandbox.gepg_messages import new_id
from sandbox.keys import KeyRing
from sandbox.settings import Settings
from sandbox.tasks import Tasks

log = logging.getLogger("sandbox")

MAX_LISTED = 1_000
_PATH = "/payments/gepg/reconciliations"
_OTHER_MINOR = 100  # how much an altered line says more


@dataclass(slots=True)
class DayAsked:
    """One request that was taken, and how its answer fares."""

    request: DayRequest
    at: datetime
    lines: int = 0
    delivery: str = "pending"
    """pending | acknowledged | given_up."""
    attempts: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, object]:
        return {
            "request_id": self.request.request_id,
            "version": self.request.version,
            "sp_code": self.request.sp_code,
            "day": self.request.day.isoformat(),
            "at": self.at.isoformat(),
            "lines": self.lines,
            "delivery": self.delivery,
            "attempts": list(self.attempts),
        }


class Days:
    """One GePG's accounts. `clock` gives the time in East Africa Time."""

    def __init__(
        self,
        settings: Settings,
        book: Book,
        courier: Courier,
        keys: KeyRing,
        faults: Faults,
        tasks: Tasks,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings, self._book, self._courier, self._keys = settings, book, courier, keys
        self._faults, self._tasks, self._clock = faults, tasks, clock
        self.asked: deque[DayAsked] = deque(maxlen=MAX_LISTED)

    def take(self, request: DayRequest) -> Verdict:
        """See to it that the day's account follows. A day that has not passed is out of range."""
        now = self._clock()
        if request.day >= now.date():
            return Verdict("7319", "the day has not passed")
        if self._faults.take("reconciliation_request", (BUSY,)):
            return Verdict("7321", "as ordered")
        if self._tasks.full:
            return Verdict("7321", "the sandbox is full")
        asked = DayAsked(request, now)
        self.asked.append(asked)
        self._tasks.spawn(self._tell(asked))
        return Verdict(codes.OK, "")

    async def _tell(self, asked: DayAsked) -> None:
        await asyncio.sleep(self._settings.gepg_delay_s)
        parcel, asked.lines = self._parcel(asked.request)
        done = await self._courier.deliver(parcel, asked.attempts)
        asked.delivery = "acknowledged" if done else "given_up"

    def file(self, version: str, sp_code: str, day: date) -> bytes:
        """The signed account by hand, of any day, as if it had been asked for."""
        request_id = str(int(self._clock().timestamp()))
        parcel, _ = self._parcel(DayRequest(version, request_id, sp_code, "SANDBOX", day))
        return parcel.raw

    def _parcel(self, request: DayRequest) -> tuple[Parcel, int]:
        lines = self._disagreeing(self._lines(request), request)
        res_id = new_id("RES", self._clock())
        raw = seal(account(request, res_id, lines), self._keys, BY_NAME[request.version])
        log.info("account of %s for %s: %d lines", request.day, request.sp_code, len(lines))
        if request.version == V4.name:
            label = request.request_id
            parcel = Parcel("reconciliation", _PATH, raw, "gepgSpReconcRespAck", "", label, "ReconcStsCode", V4)
        else:
            parcel = Parcel("reconciliation", _PATH, raw, "sucSpPmtResAck", "ResId", res_id)
        return parcel, len(lines)

    def _lines(self, request: DayRequest) -> list[tuple[Payment, int]]:
        """The payments of that day and service provider, of bills of either generation. None of them ever failed."""
        return [
            (payment, payment.paid_minor)
            for payment in self._book.payments.values()
            if payment.at.date() == request.day and payment.sp_code == request.sp_code and not request.failed
        ]

    def _disagreeing(self, lines: list[tuple[Payment, int]], request: DayRequest) -> list[tuple[Payment, int]]:
        """The lines with the disagreements that are ordered; what needs a line waits for an account that has one."""
        if lines and self._faults.take("reconciliation", ("other_amount",)):
            (first, minor), *others = lines
            lines = [(first, minor + _OTHER_MINOR), *others]
        if lines and self._faults.take("reconciliation", ("missing_line",)):
            lines = lines[:-1]
        if lines and self._faults.take("reconciliation", ("double_line",)):
            lines = [*lines, lines[0]]
        if self._faults.take("reconciliation", ("extra_line",)):
            lines = [*lines, self._invented(request)]
        return lines

    def _invented(self, request: DayRequest) -> tuple[Payment, int]:
        """A payment of that day that nobody was told of, for a number that no bill has."""
        at = datetime.combine(request.day, self._clock().timetz())
        number = self._book.unused_number(request.sp_code)
        payment = Payment(
            trx_id=new_id("", at)[-12:],
            pay_ref_id=self._book.new_reference(at),
            receipt=new_id("X", at)[-10:],
            channel="MOBILE",
            msisdn="+255754000000",
            payer="MLIPAJI ASIYEJULIKANA",
            sp_code=request.sp_code,
            bill_id=new_id("NONE", at),
            control_number=number,
            bill_minor=1_000_000,
            paid_minor=1_000_000,
            pay_opt=3,
            currency="TZS",
            at=at,
        )
        return payment, payment.paid_minor

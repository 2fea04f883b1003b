"""The texts of confirmations, in the reader's language, one segment each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from gateway.domain.bill import Bill
from gateway.domain.clock import eat, eat_day
from gateway.domain.effects import SendSms
from gateway.domain.money import Money
from gateway.domain.periods import Period
from gateway.domain.segments import plain
from gateway.domain.ussd.book import Book
from gateway.domain.ussd.effects import TellCommission
from gateway.ports import Requester


class Messages:
    """Writes each kind of SMS. ``about`` is a business key, so a message about a thing leaves once per phone.

    A payment's key is reference and control number: one reference may pay two numbers.
    """

    def __init__(self, book: Book) -> None:
        self._book = book

    def _sms(self, kind: str, to: Requester, about: str, family_id: int | None = None, **scope: Any) -> SendSms:
        text = plain(self._book.language(to.language).say(f"sms.{kind}", scope))
        return SendSms(to.msisdn, text, kind, about, None if to.officer else family_id)

    def control_number(self, bill: Bill, readers: Sequence[Requester]) -> list[SendSms]:
        """The number, the amount, the last day, how to pay; anew where a part was paid since."""
        about = f"bill:{bill.id}"
        scope = {
            "number": bill.control_number,
            "amount": (bill.amount - bill.paid).amount_minor,
            "expires": eat_day(bill.expires_at),
            "chfid": bill.chfid,
        }
        texts = [self._sms("control_number", reader, about, bill.family_id, **scope) for reader in readers]
        return [replace(text, anew=bill.paid.amount_minor) for text in texts]

    def how_to_pay(self, bill: Bill, way: str, network: str, reader: Requester) -> SendSms:
        """The number, the amount, the last day, and what to press on the reader's own network, or that a bank does.

        Anew where a part was paid since.
        """
        scope = {
            "number": bill.control_number,
            "amount": (bill.amount - bill.paid).amount_minor,
            "expires": eat_day(bill.expires_at),
        }
        kind = f"how_{way}"
        variant = f"{kind}.{network}" if way == "mobile" else kind
        text = self._sms(variant, reader, f"bill:{bill.id}", bill.family_id, **scope)
        return replace(text, message=kind, anew=bill.paid.amount_minor)

    def number_refused(self, bill: Bill, readers: Sequence[Requester], silent_after: int = 0) -> list[SendSms]:
        """No number could be had, and what to do. ``silent_after``: askings without an answer, if that is why."""
        about = f"bill:{bill.id}"
        texts = [self._sms("number_refused", reader, about, bill.family_id, chfid=bill.chfid) for reader in readers]
        return [replace(text, anew=silent_after) for text in texts]

    def number_cancelled(self, bill: Bill, readers: Sequence[Requester]) -> list[SendSms]:
        """The number must not be paid any more: the family got its cover by other means."""
        scope = {"number": bill.control_number, "chfid": bill.chfid}
        about = f"bill:{bill.id}"
        return [self._sms("number_cancelled", reader, about, bill.family_id, **scope) for reader in readers]

    def covered(
        self, reader: Requester, bill: Bill, amount: Money, receipt: str, start: date, until: date | None
    ) -> SendSms:
        """The money and the cover: for the family's own phone only."""
        scope = {"amount": amount.amount_minor, "receipt": receipt, "chfid": bill.chfid, "start": start, "until": until}
        return self._sms("covered", reader, f"payment:{receipt}/{bill.control_number}", bill.family_id, **scope)

    def paid_ready(self, reader: Requester, bill: Bill, amount: Money, receipt: str) -> SendSms:
        """The money is complete; an officer activates the cover, where the scheme wants it so."""
        scope = {"amount": amount.amount_minor, "receipt": receipt, "chfid": bill.chfid}
        return self._sms("paid_ready", reader, f"payment:{receipt}/{bill.control_number}", bill.family_id, **scope)

    def cover_moved(self, reader: Requester, family_id: int, chfid: str, policy_id: int, period: Period) -> SendSms:
        """Two covers were paid for the same days: the second one follows the first."""
        about = f"policy:{policy_id}/from:{period.start.isoformat()}"
        scope: dict[str, Any] = {"chfid": chfid, "start": period.start, "until": period.expiry}
        return self._sms("cover_moved", reader, about, family_id, **scope)

    def part_paid(self, reader: Requester, bill: Bill, amount: Money, receipt: str, due: Money) -> SendSms:
        """The money, and how much is still missing."""
        scope = {
            "amount": amount.amount_minor,
            "receipt": receipt,
            "chfid": bill.chfid,
            "due": due.amount_minor,
            "number": bill.control_number,
        }
        return self._sms("part_paid", reader, f"payment:{receipt}/{bill.control_number}", bill.family_id, **scope)

    def receipt(self, reader: Requester, amount: Money, receipt: str, number: str) -> SendSms:
        """For a stranger who paid: receipt and amount, nothing of the family."""
        about = f"payment:{receipt}/{number}"
        return self._sms("receipt", reader, about, amount=amount.amount_minor, receipt=receipt)

    def answer(
        self, reader: Requester, kind: str, about: str, at: datetime, family_id: int | None = None, **scope: Any
    ) -> SendSms:
        """What was asked for and could not be shown in time, as it was at ``at``, which the text says."""
        return self._sms(kind, reader, about, family_id, at=f"{eat(at):%d/%m %H:%M}", **scope)

    def held(self, reader: Requester, amount: Money, receipt: str, number: str) -> SendSms:
        """The money came and a person is looking at it."""
        about = f"payment:{receipt}/{number}"
        return self._sms("held", reader, about, amount=amount.amount_minor, receipt=receipt)

    def commission(self, told: TellCommission, day: date) -> SendSms:
        """An officer's figures of a month: the same ones once a day. Without a commission: what was collected."""
        figures = f"{told.commission_minor}/{told.collected_minor}"
        about = f"commission:{told.officer}/{told.first}/{figures}/{day.isoformat()}"
        scope: dict[str, Any] = {
            "month": f"{date.fromisoformat(told.first):%m/%Y}",
            "amount": told.commission_minor,
            "collected": told.collected_minor,
        }
        kind = "commission" if told.reckoned else "collected"
        return self._sms(kind, Requester(told.msisdn, told.language), about, **scope)

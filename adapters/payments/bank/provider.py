"""A bank as a payment provider that notifies us, and as a biller that asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.domain.clock import eat
from gateway.domain.errors import ERRORS
from gateway.domain.money import Money
from gateway.ports import (
    Answer,
    Asked,
    Due,
    DueOf,
    HttpReply,
    NotDue,
    Question,
    Reading,
    Rejected,
    Standing,
    StandingOf,
    Unanswered,
    Verdict,
)

from .codes import sentence
from .fields import number_in, read_object, reference_in
from .limits import UnreadableError
from .notice import read_payment
from .role import BankRole
from .signing import Unsigned, verify


class BankProvider(BankRole):
    """Implements ``gateway.ports.CallbackReceiver``: the payment notice."""

    @property
    def routes(self) -> Sequence[str]:
        return ("notice",)

    def read(self, route: str, body: bytes, headers: Mapping[str, str], /) -> Reading:
        """Verify, and only then parse. Never raises."""
        signed = verify(self._settings, headers, [body], self._clock.now())
        if isinstance(signed, Unsigned):
            return Reading(route, Verdict.BAD_SIGNATURE, why=signed.why)
        try:
            report = read_payment(self._settings, read_object(body))
        except UnreadableError as error:
            return Reading(route, Verdict.UNREADABLE, why=str(error), answer_to=signed.answer_to, is_signed=True)
        return Reading(route, Verdict.GENUINE, report.reference, (report,), answer_to=signed.answer_to, is_signed=True)

    def unreadable(self, route: str, verdict: Verdict, why: str) -> Reading:
        """The reading of a body that was never taken in whole."""
        return Reading(route, verdict, why=why)

    def acknowledge(self, reading: Reading, _reply_id: str) -> HttpReply:
        """The same for every delivery of one payment."""
        if reading.verdict is not Verdict.GENUINE:
            return self._replies.refused(reading.verdict, reading.why, reading.answer_to)
        reference = self._settings.own(reading.message_id or "")
        return self._replies.said(200, reading.answer_to, status="received", reference=reference)

    def not_kept(self, _route: str) -> HttpReply:
        """HTTP 503: the bank must send the same notice again."""
        return self._replies.not_kept()


class BankBiller(BankRole):
    """Implements ``gateway.ports.Biller``: the look-up of what is due, and the status of a notice."""

    @property
    def questions(self) -> Sequence[str]:
        return ("lookup", "status")

    def parse(self, action: str, body: bytes, headers: Mapping[str, str]) -> Asked | Rejected:
        """Verify, and only then parse. Never raises."""
        signed = verify(self._settings, headers, [body], self._clock.now())
        if isinstance(signed, Unsigned):
            return Rejected(Verdict.BAD_SIGNATURE, signed.why)
        try:
            return Asked(self._question(action, body), signed.answer_to)
        except UnreadableError as error:
            return Rejected(Verdict.UNREADABLE, str(error), signed.answer_to)

    def _question(self, action: str, body: bytes) -> Question:
        fields = read_object(body)
        if action == "status":
            return StandingOf(self._settings.qualified(reference_in(fields)))
        control_number, chfid = number_in(fields)
        return DueOf(control_number, chfid)

    def refuse(self, rejected: Rejected) -> HttpReply:
        """As the notice is refused."""
        return self._replies.refused(rejected.verdict, rejected.why, rejected.answer_to)

    def render(self, asked: Asked, answer: Answer) -> HttpReply:
        """200 for every answer, HTTP errors only where there is none."""
        http, fields = 200, self._fields(asked.question, answer)
        if isinstance(answer, Unanswered):
            http = ERRORS[answer.code].http_status
        return self._replies.said(http, asked.answer_to, **fields)

    def _fields(self, question: Question, answer: Answer) -> dict[str, Any]:
        match answer:
            case Due():
                return {**_asked(question), "status": "due", **_due(answer)}
            case NotDue(code):
                return {**_asked(question), "status": "not_due", "code": code, "message": sentence(code)}
            case Unanswered(code):
                return {"status": "refused", "code": code, "message": sentence(code)}
            case Standing():
                assert isinstance(question, StandingOf)
                return {
                    "reference": self._settings.own(question.reference),
                    "status": answer.state,
                    **_standing(answer),
                }


def _asked(question: Question) -> dict[str, Any]:
    assert isinstance(question, DueOf)
    return {"control_number": question.control_number, "chfid": question.chfid}


def _due(due: Due) -> dict[str, Any]:
    return {
        "name": due.masked_name,
        "amount": _amount(due.amount),
        "currency": due.amount.currency,
        "for": due.product,
        "cover_from": due.start.isoformat(),
        "cover_until": due.until.isoformat() if due.until else None,
        "payable_until": due.payable_until.isoformat(),
        "partial": due.partial,
    }


def _standing(standing: Standing) -> dict[str, Any]:
    amount = standing.amount
    return {
        "number": standing.number,
        "amount": _amount(amount) if amount else None,
        "currency": amount.currency if amount else None,
        "paid_at": eat(standing.paid_at).isoformat() if standing.paid_at else None,
        "code": standing.code,
        "message": sentence(standing.code) if standing.code else None,
    }


def _amount(amount: Money) -> str:
    """Decimal text with two decimals: a JSON number would be somebody's float."""
    return f"{amount.to_decimal():f}"

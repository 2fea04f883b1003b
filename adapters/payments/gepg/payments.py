"""Money that GePG reports: pmtSpNtfReq."""

from __future__ import annotations

import re

from gateway.domain import msisdn
from gateway.domain.payments import PaymentReport

from .limits import UnreadableError
from .wire import read_amount, read_time
from .xmltree import Element

REFERENCE_MAX = 100
CONTROL_NUMBER_MAX = 50
_EVIDENCE_MAX = 200  # evidence is cut, since it decides nothing and must fit its column; the raw bytes are kept whole
_KEY = re.compile(r"[!-~]+")


def read_notification(message: Element) -> tuple[PaymentReport, ...]:
    """One report per PmtTrxDtl, all or none: a message with one unreadable entry is unreadable (UnreadableError)."""
    header = message.group("PmtHdr")
    entries = message.group("PmtDtls").groups("PmtTrxDtl")
    count = header.optional("EntryCnt")
    if not entries:
        raise UnreadableError("PmtDtls has no PmtTrxDtl")
    if count is not None and count != str(len(entries)):
        raise UnreadableError("EntryCnt is not the number of entries")
    customer_number = header.optional("CustCntrNum")
    return tuple(_report(entry, customer_number, alone=len(entries) == 1) for entry in entries)


def _report(entry: Element, customer_number: str | None, alone: bool) -> PaymentReport:
    return PaymentReport(
        reference=key(entry.required("PayRefId"), "PayRefId", REFERENCE_MAX),
        control_number=_control_number(entry, customer_number, alone),
        amount=read_amount(entry.required("PaidAmt"), entry.required("Ccy"), "PaidAmt"),
        paid_at=read_time(entry.required("TrxDtTm"), "TrxDtTm"),
        bill_id=evidence(entry, "BillId"),
        receipt=evidence(entry, "TrdPtyTrxId"),
        transaction=evidence(entry, "TrxId"),
        payer_msisdn=msisdn.normalise(entry.optional("PyrCellNum")),
        payer_name=evidence(entry, "PyrName"),
        channel=evidence(entry, "UsdPayChnl"),
        origin=evidence(entry, "PspName"),
    )


def _control_number(entry: Element, customer_number: str | None, alone: bool) -> str:
    """The number this money was paid to, opaque.

    One entry: CustCntrNum, the number that the customer of a normal bill keyed in. Several entries are a combined bill
    paid by one customer number, and only BillCtrNum tells them apart. Either stands in for the other when it is empty.
    """
    own = entry.optional("BillCtrNum")
    number = (customer_number or own) if alone else (own or customer_number)
    if number is None:
        raise UnreadableError("an entry has no control number")
    return key(number, "the control number", CONTROL_NUMBER_MAX)


def key(text: str, name: str, limit: int) -> str:
    """A part of what tells one payment from another, to the letter.

    Refused when it is longer than its column, since a cut key is another one's, and when it holds a space, a line break
    or a character that looks like another (a full-width digit, a zero-width space): the same payment told of once so
    and once plainly would count as two.
    """
    if len(text) > limit:
        raise UnreadableError(f"{name} is too long")
    if _KEY.fullmatch(text) is None:
        raise UnreadableError(f"{name} has other characters than plain letters, digits and signs")
    return text


def evidence(entry: Element, name: str) -> str | None:
    """Text that decides nothing, cut to what its column holds."""
    text = entry.optional(name)
    return text and text[:_EVIDENCE_MAX]

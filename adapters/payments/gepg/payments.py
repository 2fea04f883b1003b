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
    customer, group_id = header.optional("CustCntrNum"), header.optional("GrpBillId")
    return tuple(
        report(
            entry,
            control_number(
                customer,
                entry.optional("BillCtrNum"),
                combined=len(entries) > 1 or is_combined(group_id, entry.optional("BillId")),
            ),
        )
        for entry in entries
    )


def report(entry: Element, number: str | None) -> PaymentReport:
    """What a PmtTrxDtl says, in a notification or in a day's account. Raises UnreadableError."""
    if number is None:
        raise UnreadableError("an entry has no control number")
    return PaymentReport(
        reference=key(entry.required("PayRefId"), "PayRefId", REFERENCE_MAX),
        control_number=key(number, "the control number", CONTROL_NUMBER_MAX),
        amount=read_amount(entry.required("PaidAmt"), entry.required("Ccy"), "PaidAmt"),
        paid_at=read_time(entry.required("TrxDtTm"), "TrxDtTm"),
        bill_id=evidence(entry, "BillId"),
        receipt=evidence(entry, "TrdPtyTrxId"),
        transaction=evidence(entry, "TrxId"),
        payer_msisdn=msisdn.normalise(entry.optional("PyrCellNum")),
        payer_name=evidence(entry, "PyrName"),
        channel=evidence(entry, "UsdPayChnl"),
        origin=evidence(entry, "PspName"),
        provider_code=evidence(entry, "SpCode"),
    )


def is_combined(group_id: str | None, bill_id: str | None) -> bool:
    """Whether a bill is one of several in a combined one: a normal bill's GrpBillId is its own BillId.

    A day's account says it of each line, so that a line and the notification of the same payment agree.
    """
    return bool(group_id) and bool(bill_id) and group_id != bill_id


def control_number(customer: str | None, own: str | None, combined: bool) -> str | None:
    """The number this money was paid to, opaque: half of what makes two reports the same payment.

    Of a normal bill CustCntrNum, the number that the customer keyed in. The parts of a combined bill share that number,
    and only BillCtrNum tells them apart. Either stands in for the other when it is empty.
    """
    return ((own or customer) if combined else (customer or own)) or None


def bounded(text: str, name: str, limit: int) -> str:
    """The text, refused when it is longer: a cut id is another one's."""
    if len(text) > limit:
        raise UnreadableError(f"{name} is too long")
    return text


def key(text: str, name: str, limit: int) -> str:
    """A part of what tells one payment from another, to the letter.

    Refused, too, when it holds a space, a line break or a character that looks like another (a full-width digit, a
    zero-width space): the same payment told of once so and once plainly would count as two.
    """
    if _KEY.fullmatch(text) is None:
        raise UnreadableError(f"{name} has other characters than plain letters, digits and signs")
    return bounded(text, name, limit)


def evidence(entry: Element, name: str) -> str | None:
    """Text that decides nothing, cut to what its column holds."""
    text = entry.optional(name)
    return text and text[:_EVIDENCE_MAX]

"""Money that GePG v4 reports: gepgPmtSpInfo."""

from __future__ import annotations

from gateway.domain import msisdn
from gateway.domain.payments import PaymentReport

from .limits import UnreadableError
from .payments import CONTROL_NUMBER_MAX, REFERENCE_MAX, evidence, key
from .wire import read_amount, read_time
from .xmltree import Element


def read_notification(message: Element) -> tuple[PaymentReport, ...]:
    """One report per PymtTrxInf, all or none: a message with one unreadable entry is unreadable (UnreadableError)."""
    entries = message.groups("PymtTrxInf")
    if not entries:
        raise UnreadableError("gepgPmtSpInfo has no PymtTrxInf")
    return tuple(_report(entry) for entry in entries)


def _report(entry: Element) -> PaymentReport:
    """Here the number is PayCtrNum and the currency CCy; other spellings of the same peers are taken too."""
    currency = entry.optional("CCy") or entry.required("Ccy")
    number = entry.optional("PayCtrNum") or entry.required("PayCntrNum")
    return PaymentReport(
        reference=key(entry.required("PayRefId"), "PayRefId", REFERENCE_MAX),
        control_number=key(number, "the control number", CONTROL_NUMBER_MAX),
        amount=read_amount(entry.required("PaidAmt"), currency, "PaidAmt"),
        paid_at=read_time(entry.required("TrxDtTm"), "TrxDtTm"),
        bill_id=evidence(entry, "BillId"),
        receipt=evidence(entry, "PspReceiptNumber"),
        transaction=evidence(entry, "TrxId"),
        payer_msisdn=msisdn.normalise(entry.optional("PyrCellNum")),
        payer_name=evidence(entry, "PyrName"),
        channel=evidence(entry, "UsdPayChnl"),
        origin=evidence(entry, "PspName"),
        provider_code=evidence(entry, "SpCode"),
    )

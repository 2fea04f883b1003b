"""GePG v4: asking for the payments of a day (gepgSpReconcReq), and a line of the account (gepgSpReconcResp)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateway.domain import msisdn
from gateway.domain.outcomes import Outcome
from gateway.domain.payments import PaymentReport
from gateway.ports import DayOrder, HttpRequest, HttpResponse

from . import reconciliation_codes
from .bills import common_headers
from .bills_v4 import outcome_of
from .codes import split_codes
from .envelope import seal
from .generation import V4
from .limits import UnreadableError
from .payments import CONTROL_NUMBER_MAX, REFERENCE_MAX, evidence, key
from .settings import GepgSettings
from .statement_form import Key, StatementForm, says_failed
from .wire import read_amount, read_time
from .xmltext import group, leaf
from .xmltree import Element

_PATH = "/api/reconciliations/sig_sp_qrequest"
_DIGITS = re.compile(r"[0-9]{1,10}")
_SUCCESSFUL = "1"  # ReconcOpt: the transactions that succeeded; 2 would be the exception report


def day_request(settings: GepgSettings, order: DayOrder) -> HttpRequest:
    """The signed request. The same order gives the same bytes. GePG's SpReconcReqId is an int."""
    assert _is_number(order.request_id), "a SpReconcReqId is a number below 2**31"
    sp_code = order.provider_code or settings.sp_code
    element = group(
        "gepgSpReconcReq",
        leaf("SpReconcReqId", order.request_id),
        leaf("SpCode", sp_code),
        leaf("SpSysId", settings.system_code),
        leaf("TnxDt", order.day.isoformat()),
        leaf("ReconcOpt", _SUCCESSFUL),
    )
    sealed = seal(element, settings.private_key, V4)
    return HttpRequest("POST", settings.url.rstrip("/") + _PATH, common_headers(sp_code), sealed)


def _is_number(text: str) -> bool:
    return _DIGITS.fullmatch(text) is not None and 0 < int(text) < 2**31


def day_outcome(peers: Sequence[RSAPublicKey], response: HttpResponse) -> Outcome:
    """What the immediate answer (gepgSpReconcReqAck) says. It names no request, so any genuine one is believed."""

    def meant(ack: Element) -> Outcome:
        return reconciliation_codes.answer(split_codes(ack.required("ReconcStsCode"), "ReconcStsCode"), None, None)

    return outcome_of(peers, response, "gepgSpReconcReqAck", meant)


def read_line(line: Element) -> PaymentReport:
    """One ReconcTrxInf. Raises UnreadableError, also for one that says that the payment failed.

    The number is BillCtrNum here and the currency CCy; the names that they have elsewhere in v4 are taken too. A line
    carries no transaction id, and no SpCode is known of one: the account's own stands for all its lines.
    """
    if says_failed(line.optional("Remarks")):
        raise UnreadableError("the line says that the payment failed")
    _, number, _, currency = _key(*map(line.optional, FORM.columns))
    if not number:
        raise UnreadableError("a line has no control number")
    return PaymentReport(
        reference=key(line.required("PayRefId"), "PayRefId", REFERENCE_MAX),
        control_number=key(number, "the control number", CONTROL_NUMBER_MAX),
        amount=read_amount(line.required("PaidAmt"), currency or line.required("CCy"), "PaidAmt"),
        paid_at=read_time(line.required("TrxDtTm"), "TrxDtTm"),
        bill_id=evidence(line, "SpBillId") or evidence(line, "BillId"),
        receipt=evidence(line, "pspTrxId") or evidence(line, "PspTrxId"),
        payer_msisdn=msisdn.normalise(line.optional("DptCellNum")),
        payer_name=evidence(line, "DptName"),
        channel=evidence(line, "UsdPayChnl"),
        origin=evidence(line, "PspName"),
        provider_code=evidence(line, "SpCode"),
    )


def _key(
    reference: str | None,
    paid: str | None,
    currency: str | None,
    other_currency: str | None,
    own: str | None,
    pay_ctr: str | None,
    pay_cntr: str | None,
) -> Key:
    return reference, own or pay_ctr or pay_cntr, paid, currency or other_currency


FORM = StatementForm(
    root="gepgSpReconcResp",
    header="ReconcBatchInfo",
    id_name="",
    request_name="SpReconcReqId",
    provider_name="SpCode",
    status_name="ReconcStsCode",
    words_name="",
    container="ReconcTrans",
    line="ReconcTrxInf",
    ack="gepgSpReconcRespAck",
    code_name="ReconcStsCode",
    columns=("PayRefId", "PaidAmt", "CCy", "Ccy", "BillCtrNum", "PayCtrNum", "PayCntrNum"),
    key=_key,
    read=read_line,
)

"""GePG v5: asking for a day's payments (sucSpPmtReq), the answer to it, and a line of the account (sucSpPmtRes)."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateway.domain.outcomes import Outcome, Unknown
from gateway.domain.payments import PaymentReport
from gateway.ports import DayOrder, HttpRequest, HttpResponse

from . import reconciliation_codes
from .bills import headers_for
from .bills_v4 import outcome_of
from .codes import split_codes
from .envelope import seal
from .limits import MAX_ID, UnreadableError
from .payments import control_number, is_combined, report
from .settings import GepgSettings
from .statement_form import Key, StatementForm, says_failed
from .xmltext import group, leaf
from .xmltree import Element

_PATH = "/api/reconciliation/20/request"


def day_request(settings: GepgSettings, order: DayOrder) -> HttpRequest:
    """The signed request. The same order gives the same bytes."""
    assert 0 < len(order.request_id) <= MAX_ID, "a ReqId has 1 to 100 characters"
    sp_code = order.provider_code or settings.sp_code
    element = group(
        "sucSpPmtReq",
        leaf("ReqId", order.request_id),
        leaf("SpGrpCode", sp_code),
        leaf("SysCode", settings.system_code),
        leaf("TrxDt", order.day.isoformat()),
        *(leaf(f"Rsv{place}", "") for place in (1, 2, 3)),
    )
    return HttpRequest(
        "POST", settings.url.rstrip("/") + _PATH, headers_for(sp_code), seal(element, settings.private_key)
    )


def day_outcome(peers: Sequence[RSAPublicKey], order: DayOrder, response: HttpResponse) -> Outcome:
    """What the immediate answer (sucSpPmtReqAck) says. Never raises. An answer to another request is Unknown."""

    def meant(ack: Element) -> Outcome:
        if (ack.optional("ReqId") or order.request_id) != order.request_id:
            return Unknown(f"HTTP {response.status}, the answer is to another request")
        codes = split_codes(ack.required("AckStsCode"), "AckStsCode")
        return reconciliation_codes.answer(codes, ack.optional("AckStsDesc"), ack.optional("AckId"))

    return outcome_of(peers, response, "sucSpPmtReqAck", meant)


def read_line(line: Element) -> PaymentReport:
    """One PmtTrxDtl. Raises UnreadableError, also for one that says that the payment failed."""
    if says_failed(line.optional("Remarks")):
        raise UnreadableError("the line says that the payment failed")
    customer, own = line.optional("CustCntrNum"), line.optional("BillCtrNum")
    combined = is_combined(line.optional("GrpBillId"), line.optional("BillId"))
    return report(line, control_number(customer, own, combined))


def _key(
    reference: str | None,
    paid: str | None,
    currency: str | None,
    customer: str | None,
    own: str | None,
    group_id: str | None,
    bill_id: str | None,
) -> Key:
    return reference, control_number(customer, own, is_combined(group_id, bill_id)), paid, currency


FORM = StatementForm(
    root="sucSpPmtRes",
    header="BatchHdr",
    id_name="ResId",
    request_name="ReqId",
    provider_name="SpGrpCode",
    status_name="PayStsCode",
    words_name="PayStsDesc",
    container="PmtDtls",
    line="PmtTrxDtl",
    ack="sucSpPmtResAck",
    code_name="AckStsCode",
    columns=("PayRefId", "PaidAmt", "Ccy", "CustCntrNum", "BillCtrNum", "GrpBillId", "BillId"),
    key=_key,
    read=read_line,
)

"""A day's account as GePG writes it, in both generations, and the acknowledgement of the request for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sandbox import clock, codes, money
from sandbox.envelope import Node
from sandbox.generation import V4
from sandbox.gepg_book import Payment
from sandbox.gepg_messages import COLLECTION_ACCOUNT, PSP_CODE, PSP_NAME, RESERVED, payment_fields


@dataclass(frozen=True, slots=True)
class DayRequest:
    """What a service provider asked for. `failed`: v4's exception report, of payments that did not succeed."""

    version: str
    request_id: str
    sp_code: str
    system_code: str
    day: date
    failed: bool = False


def request_ack(version: str, ack_id: str, req_id: str, code: str, detail: str = "") -> Node:
    if version == V4.name:
        return ("gepgSpReconcReqAck", [("ReconcStsCode", code)])
    description = codes.meaning(code) + (f" ({detail})" if detail else "")
    return (
        "sucSpPmtReqAck",
        [("AckId", ack_id), ("ReqId", req_id), ("AckStsCode", code), ("AckStsDesc", description)],
    )


def account(asked: DayRequest, res_id: str, lines: Sequence[tuple[Payment, int]]) -> Node:
    """The day's payments, each with what it says was paid, in the language of the request."""
    if asked.version == V4.name:
        batch: list[Node] = [
            ("SpReconcReqId", asked.request_id),
            ("SpCode", asked.sp_code),
            ("SpName", "Sandbox"),
            ("ReconcStsCode", codes.OK),
        ]
        listed: list[Node] = [("ReconcTrxInf", _v4_line(payment, minor)) for payment, minor in lines]
        return ("gepgSpReconcResp", [("ReconcBatchInfo", batch), ("ReconcTrans", listed)])
    header: list[Node] = [
        ("ResId", res_id),
        ("ReqId", asked.request_id),
        ("SpGrpCode", asked.sp_code),
        ("SysCode", asked.system_code),
        ("PayStsCode", codes.OK),
        ("PayStsDesc", codes.meaning(codes.OK)),
    ]
    details: list[Node] = [("PmtTrxDtl", _v5_line(payment, minor)) for payment, minor in lines]
    return ("sucSpPmtRes", [("BatchHdr", header), ("PmtDtls", details)])


def _v4_line(payment: Payment, paid_minor: int) -> list[Node]:
    """BillCtrNum here, where v4's notification says PayCtrNum; no TrxId; time and amount as in real test data."""
    return [
        ("SpBillId", payment.bill_id),
        ("BillCtrNum", payment.control_number),
        ("pspTrxId", payment.receipt),
        ("PaidAmt", money.to_text(paid_minor).removesuffix(".00")),
        ("CCy", payment.currency),
        ("PayRefId", payment.pay_ref_id),
        ("TrxDtTm", clock.to_wire(payment.at).replace("T", " ") + ".0"),
        ("CtrAccNum", COLLECTION_ACCOUNT),
        ("UsdPayChnl", payment.channel),
        ("PspName", PSP_NAME),
        ("PspCode", PSP_CODE),
        ("DptCellNum", payment.msisdn.removeprefix("+")),
        ("DptName", payment.payer),
        ("DptEmailAddr", ""),
        ("Remarks", "Successful"),
        ("ReconcRsv1", ""),
        ("ReconcRsv2", ""),
        ("ReconcRsv3", ""),
    ]


def _v5_line(payment: Payment, paid_minor: int) -> list[Node]:
    return [
        ("CustCntrNum", payment.control_number),
        ("GrpBillId", payment.bill_id),
        *payment_fields(payment, paid_minor),
        ("Remarks", "Successful"),
        *RESERVED,
    ]

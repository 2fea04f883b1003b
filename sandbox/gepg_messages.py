"""The v5 messages that GePG writes, as trees for `envelope.render`."""

import random
from datetime import datetime

from sandbox import clock, codes, money
from sandbox.envelope import Node
from sandbox.gepg_book import Bill, Payment

PSP_CODE, PSP_NAME = "PSP047", "UAT Simulator"
COLLECTION_ACCOUNT = "GEPG0123456"


def new_id(kind: str, now: datetime) -> str:
    """An identifier for a message of ours, at most 100 characters."""
    return f"{kind}{now:%Y%m%d%H%M%S}{random.randrange(10**10):010d}"  # noqa: S311 - unique, not secret


def submission_ack(ack_id: str, req_id: str, code: str, detail: str = "") -> Node:
    description = codes.meaning(code) + (f" ({detail})" if detail else "")
    return (
        "billSubReqAck",
        [("AckId", ack_id), ("ReqId", req_id), ("AckStsCode", code), ("AckStsDesc", description)],
    )


def bill_response(res_id: str, req_id: str, bill: Bill) -> Node:
    """The control number of a bill. For BillTyp 1, CustCntrNum and BillCntrNum are the same number."""
    number, bill_id = bill.control_number, bill.asked.bill_id
    header: list[Node] = [
        ("ResId", res_id),
        ("ReqId", req_id),
        ("GrpBillId", bill_id),
        ("CustCntrNum", number),
        ("ResSts", "GS"),
        ("ResStsCode", codes.OK),
        ("ResStsDesc", codes.meaning(codes.OK)),
    ]
    detail: list[Node] = [
        ("BillId", bill_id),
        ("BillCntrNum", number),
        ("BillStsCode", codes.OK),
        ("BillStsDesc", codes.meaning(codes.OK)),
    ]
    return ("billSubRes", [("BillHdr", header), ("BillDtls", [("BillDtl", detail)])])


def cancellation_answer(res_id: str, req_id: str, bill_id: str, code: str) -> Node:
    """Success is 7283, not 7101."""
    return (
        "billCanclRes",
        [
            ("ResId", res_id),
            ("ReqId", req_id),
            ("GrpBillId", bill_id),
            ("CanclStsCode", code),
            ("CanclStsDesc", codes.meaning(code)),
        ],
    )


def payment_notification(req_id: str, payment: Payment, paid_minor: int, *others: tuple[Payment, int]) -> Node:
    """What was paid in one transaction; the header speaks of the first bill. Note BillCtrNum here, where the bill's
    answer says BillCntrNum."""
    header: list[Node] = [
        ("ReqId", req_id),
        ("GrpBillId", payment.bill_id),
        ("SpGrpCode", payment.sp_code),
        ("CustCntrNum", payment.control_number),
        ("EntryCnt", str(1 + len(others))),
    ]
    entries: list[Node] = [
        ("PmtTrxDtl", [*payment_fields(each, minor), *RESERVED]) for each, minor in ((payment, paid_minor), *others)
    ]
    return ("pmtSpNtfReq", [("PmtHdr", header), ("PmtDtls", entries)])


RESERVED: list[Node] = [("Rsv1", ""), ("Rsv2", ""), ("Rsv3", "")]


def payment_fields(payment: Payment, paid_minor: int) -> list[Node]:
    """What v5 says of a payment, when it was made and again in the day's account."""
    return [
        ("SpCode", payment.sp_code),
        ("BillId", payment.bill_id),
        ("BillCtrNum", payment.control_number),
        ("PspCode", PSP_CODE),
        ("PspName", PSP_NAME),
        ("TrxId", payment.trx_id),
        ("PayRefId", payment.pay_ref_id),
        ("BillAmt", money.to_text(payment.bill_minor)),
        ("PaidAmt", money.to_text(paid_minor)),
        ("BillPayOpt", str(payment.pay_opt)),
        ("Ccy", payment.currency),
        ("CollAccNum", COLLECTION_ACCOUNT),
        ("TrxDtTm", clock.to_wire(payment.at)),
        ("UsdPayChnl", payment.channel),
        ("TrdPtyTrxId", payment.receipt),
        ("QtRefId", ""),
        ("PyrCellNum", payment.msisdn.removeprefix("+")),
        ("PyrEmail", ""),
        ("PyrName", payment.payer),
    ]

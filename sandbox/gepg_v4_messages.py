"""The v4 messages that GePG writes, as trees for `envelope.render`. None of them carries an identifier of its own."""

from collections.abc import Iterable, Sequence

from sandbox import clock, codes, money
from sandbox.envelope import Node
from sandbox.gepg_book import Bill, Payment
from sandbox.gepg_messages import COLLECTION_ACCOUNT, PSP_NAME


def submission_ack(code: str) -> Node:
    return ("gepgBillSubReqAck", [("TrxStsCode", code)])


def bill_response(answers: Iterable[tuple[Bill, str]]) -> Node:
    """All bills of one request with the code of each; a failed one (GF) carries the number that it had before."""
    return ("gepgBillSubResp", [("BillTrxInf", _answer(bill, code)) for bill, code in answers])


def _answer(bill: Bill, code: str) -> list[Node]:
    return [
        ("BillId", bill.asked.bill_id),
        ("PayCntrNum", bill.control_number),
        ("TrxSts", "GS" if code == codes.OK else "GF"),
        ("TrxStsCode", code),
    ]


def cancellation_answer(outcomes: Iterable[tuple[str, str]]) -> Node:
    """One entry a bill; success is 7283, not 7101."""
    entries: list[Node] = [
        (
            "BillCanclTrxDt",
            [("BillId", bill_id), ("TrxSts", "GS" if code == "7283" else "GF"), ("TrxStsCode", code)],
        )
        for bill_id, code in outcomes
    ]
    return ("gepgBillCanclResp", entries)


def payment_notification(entries: Sequence[tuple[Payment, int]]) -> Node:
    """Payments made in one transaction, each with what it says was paid. Note PayCtrNum and CCy here."""
    return ("gepgPmtSpInfo", [("PymtTrxInf", _entry(payment, paid_minor)) for payment, paid_minor in entries])


def _entry(payment: Payment, paid_minor: int) -> list[Node]:
    return [
        ("TrxId", payment.trx_id),
        ("SpCode", payment.sp_code),
        ("PayRefId", payment.pay_ref_id),
        ("BillId", payment.bill_id),
        ("PayCtrNum", payment.control_number),
        ("BillAmt", money.to_text(payment.bill_minor)),
        ("PaidAmt", money.to_text(paid_minor)),
        ("BillPayOpt", str(payment.pay_opt)),
        ("CCy", payment.currency),
        ("TrxDtTm", clock.to_wire(payment.at)),
        ("UsdPayChnl", payment.channel),
        ("PyrCellNum", payment.msisdn.removeprefix("+")),
        ("PyrName", payment.payer),
        ("PyrEmail", ""),
        ("PspReceiptNumber", payment.receipt),
        ("PspName", PSP_NAME),
        ("CtrAccNum", COLLECTION_ACCOUNT),
    ]

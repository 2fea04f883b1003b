"""Reading v4 bill submissions, changes and cancellations. v4's own lengths are not public: v5's stand in."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import datetime

from sandbox.envelope import text_of
from sandbox.fields import (
    MAX_ITEMS,
    NUMBER,
    SP_CODE,
    Change,
    Field,
    FieldFaults,
    Submission,
    Verdict,
    amount,
    check_fields,
    date,
    email,
    match,
    minor,
    moment,
    text,
)

MAX_BILLS = 1_000  # in one request; GePG's own limit is not public

HEADER = (
    Field("SpCode", "7205", SP_CODE),
    Field("RtrRespFlg", "7242", match("true|false")),
)
BILL = (
    Field("BillId", "7227", text(100)),
    Field("SubSpCode", "7228", text(10)),
    Field("ColCentCode", "7242", text(50), optional=True),
    Field("SpSysId", "7269", text(10)),
    Field("BillAmt", "7224", amount),
    Field("MiscAmt", "7222", amount),
    Field("BillExprDt", "7231", date),
    Field("PyrId", "7275", text(100)),
    Field("PyrName", "7276", text(200)),
    Field("BillDesc", "7277", text(500)),
    Field("BillGenDt", "7230", date),
    Field("BillGenBy", "7285", text(30)),
    Field("BillApprBy", "7278", text(30)),
    Field("PyrCellNum", "7268", match(r"((255|0)\d{9})?")),
    Field("PyrEmail", "7267", email),
    Field("Ccy", "7219", match("TZS|USD")),
    Field("BillEqvAmt", "7221", amount),
    Field("RemFlag", "7242", match("true|false")),
    Field("BillPayOpt", "7234", match("[123]")),  # infinity and limited came with v5
    Field("PayCntrNum", "7333", NUMBER, optional=True),
)
ITEM = (
    Field("BillItemRef", "7242", text(100)),
    Field("UseItemRefOnPay", "7254", match("[YN]")),
    Field("BillItemAmt", "7255", amount),
    Field("BillItemEqvAmt", "7256", amount),
    Field("BillItemMiscAmt", "7257", amount),
    Field("GfsCode", "7229", match(r"\d{6}|\d{12}")),
)
CHANGE = (
    Field("BillId", "7227", text(100)),
    Field("SpSysId", "7269", text(10)),
    Field("BillExprDt", "7231", date),
    *(Field(f"BillRsv{place}", "7242", text(100, shortest=0), optional=True) for place in (1, 2, 3)),
)
_MISSHAPEN = Verdict("7242", "BillHdr and then BillTrxInf are expected")
_OTHER_CODE = Verdict("7323", "the header Gepg-Code is not SpCode")


def read_submission(
    message: ET.Element, header_code: str, now: datetime, reuse: bool
) -> tuple[Submission, ...] | Verdict:
    """Judge a verified `gepgBillSubReq`: all its bills, or what is wrong with any. `reuse`: of the path for reuse."""
    bills = message.findall("BillTrxInf")
    header = message.find("BillHdr")
    if header is None or [child.tag for child in message] != ["BillHdr"] + ["BillTrxInf"] * len(bills):
        return _MISSHAPEN
    faults = FieldFaults()
    faults.check(not 1 <= len(bills) <= MAX_BILLS, "7242", f"{len(bills)} bills")
    check_fields(header, HEADER, faults)
    for bill in bills[:MAX_BILLS]:
        _check_bill(bill, now, reuse, faults)
    if header_code != text_of(header, "SpCode"):
        return _OTHER_CODE
    names = [text_of(bill, "BillId") for bill in bills]
    faults.check(len(set(names)) != len(names), "7226", "a BillId stands twice in the request")
    numbers = [number for bill in bills if (number := text_of(bill, "PayCntrNum"))]
    faults.check(len(set(numbers)) != len(numbers), "7333", "a PayCntrNum stands twice in the request")
    if faults.found:
        return faults.verdict()
    return tuple(_submission(bill, header_code) for bill in bills)


def _check_bill(bill: ET.Element, now: datetime, reuse: bool, faults: FieldFaults) -> None:
    own = FieldFaults()
    items = bill.findall("BillItems/BillItem")
    check_fields(bill, BILL, own, last="BillItems")
    own.check(not 1 <= len(items) <= MAX_ITEMS, "7242", f"{len(items)} bill items")
    for item in items[:MAX_ITEMS]:
        check_fields(item, ITEM, own)
    own.check(reuse != bool(text_of(bill, "PayCntrNum")), "7333", "PayCntrNum belongs to the path for reuse, always")
    if not own.found:
        _check_sense(bill, items, now, own)
    for code, details in own.found.items():
        for detail in details:
            faults.add(code, detail)


def _check_sense(bill: ET.Element, items: list[ET.Element], now: datetime, faults: FieldFaults) -> None:
    total, equivalent = minor(bill, "BillAmt"), minor(bill, "BillEqvAmt")
    faults.check(total == 0, "7224", "BillAmt is zero")
    faults.check(text_of(bill, "Ccy") == "TZS" and equivalent != total, "7221", "BillEqvAmt is not BillAmt")
    for tag, expected, code in (
        ("BillItemAmt", total, "7258"),
        ("BillItemEqvAmt", equivalent, "7259"),
        ("BillItemMiscAmt", minor(bill, "MiscAmt"), "7260"),
    ):
        faults.check(sum(minor(item, tag) for item in items) != expected, code, f"sum of {tag}")
    reachable = text_of(bill, "PyrCellNum") or text_of(bill, "PyrEmail")
    faults.check(not reachable, "7217", "neither PyrCellNum nor PyrEmail")
    expires, made = moment(bill, "BillExprDt"), moment(bill, "BillGenDt")
    faults.check(expires <= made or expires <= now, "7231", "BillExprDt is past")


def _submission(bill: ET.Element, sp_code: str) -> Submission:
    total, pay_opt, phone = minor(bill, "BillAmt"), int(text_of(bill, "BillPayOpt")), text_of(bill, "PyrCellNum")
    return Submission(
        req_id="",
        sp_code=sp_code,
        bill_id=text_of(bill, "BillId"),
        description=text_of(bill, "BillDesc"),
        payer=text_of(bill, "PyrName"),
        msisdn="+255" + phone[-9:] if phone else "",
        email=text_of(bill, "PyrEmail"),
        amount_minor=total,
        least_minor=1 if pay_opt == 2 else total,
        currency=text_of(bill, "Ccy"),
        pay_opt=pay_opt,
        expires_at=moment(bill, "BillExprDt"),
        reuse=text_of(bill, "PayCntrNum"),
        version="v4",
    )


def read_change(message: ET.Element, header_code: str, now: datetime) -> Change | Verdict:
    """Judge a verified `gepgBillSubReq` of the change path: one bill's new expiry."""
    faults = FieldFaults()
    if [child.tag for child in message] != ["BillHdr", "BillTrxInf"]:
        return _MISSHAPEN
    header, bill = message[0], message[1]
    check_fields(header, HEADER, faults)
    check_fields(bill, CHANGE, faults)
    if header_code != text_of(header, "SpCode"):
        return _OTHER_CODE
    if not faults.found:
        faults.check(moment(bill, "BillExprDt") <= now, "7231", "BillExprDt is past")
    if faults.found:
        return faults.verdict()
    return Change("", header_code, text_of(bill, "BillId"), moment(bill, "BillExprDt"))


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The bills that one service provider wants ended."""

    sp_code: str
    bill_ids: tuple[str, ...]


def read_cancellation(message: ET.Element) -> Cancellation | Verdict:
    """Judge a verified `gepgBillCanclReq`. CanclReasn may be left out, as openIMIS does."""
    tags, bill_ids = [child.tag for child in message], tuple(bill.text or "" for bill in message.findall("BillId"))
    head = ["SpCode", "SpSysId"] + ["CanclReasn"] * ("CanclReasn" in tags)
    if tags != head + ["BillId"] * len(bill_ids) or not 1 <= len(bill_ids) <= MAX_BILLS:
        return Verdict("7242", "SpCode, SpSysId, CanclReasn and then BillId are expected")
    faults = FieldFaults()
    faults.check(not SP_CODE(text_of(message, "SpCode")), "7205", "SpCode is wrong")
    faults.check(not text(10)(text_of(message, "SpSysId")), "7269", "SpSysId is wrong")
    faults.check(not all(text(100)(bill_id) for bill_id in bill_ids), "7227", "BillId is wrong")
    return faults.verdict() if faults.found else Cancellation(text_of(message, "SpCode"), bill_ids)

"""Reading v5 bill submissions and changes. The sandbox plays BillTyp 1 (one bill of one service provider) only."""

import xml.etree.ElementTree as ET
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

HEADER = (
    Field("ReqId", "7242", text(100)),
    Field("SpGrpCode", "7205", SP_CODE),
    Field("SysCode", "7269", text(10)),
    Field("BillTyp", "7242", match("1")),
    Field("PayTyp", "7242", match("[12]")),
    Field("GrpBillId", "7225", text(100)),
    Field("CustCntrNum", "7333", NUMBER, optional=True),
)
DETAIL = (
    Field("BillId", "7227", text(100)),
    Field("SpCode", "7205", SP_CODE),
    Field("CollCentCode", "7242", text(50)),
    Field("BillDesc", "7277", text(500)),
    Field("CustTin", "7242", match(r"(\d{9})?")),
    Field("CustId", "7275", text(100)),
    Field("CustIdTyp", "7242", match("[1-5]")),
    Field("CustAccnt", "7242", text(100)),
    Field("CustName", "7276", text(200)),
    Field("CustCellNum", "7268", match(r"255\d{9}")),
    Field("CustEmail", "7267", email),
    Field("BillGenDt", "7230", date),
    Field("BillExprDt", "7231", date),
    Field("BillGenBy", "7285", text(30)),
    Field("BillApprBy", "7278", text(30)),
    Field("BillAmt", "7224", amount),
    Field("BillEqvAmt", "7221", amount),
    Field("MinPayAmt", "7224", amount),
    Field("Ccy", "7219", match("TZS|USD")),
    Field("ExchRate", "7242", match(r"\d{1,10}\.\d{2,6}")),
    Field("BillPayOpt", "7234", match("[1-5]")),
    Field("PayPlan", "7242", match("[12]")),
    Field("PayLimTyp", "7242", match("[1-5]")),
    Field("PayLimAmt", "7242", amount),
    Field("CollPsp", "7242", text(100, shortest=0)),
    Field("BillCntrNum", "7333", NUMBER, optional=True),
    Field("ReuseReasn", "7376", text(200), optional=True),
)
ITEM = (
    Field("RefBillId", "7225", text(100)),
    Field("SubSpCode", "7228", text(10)),
    Field("GfsCode", "7229", match(r"\d{6}|\d{12}")),
    Field("BillItemRef", "7242", text(100)),
    Field("UseItemRefOnPay", "7254", match("[YN]")),
    Field("BillItemAmt", "7255", amount),
    Field("BillItemEqvAmt", "7256", amount),
    Field("BillItemMiscAmt", "7257", amount, optional=True),
    Field("CollSp", "7205", SP_CODE),
)
CHANGE = (
    Field("BillId", "7227", text(100)),
    Field("SpCode", "7205", SP_CODE),
    Field("BillExprDt", "7231", date),
    Field("BillGenBy", "7285", text(30)),
    Field("BillApprBy", "7278", text(30)),
    Field("UpdateReasn", "7242", text(200)),
)


def read_submission(message: ET.Element, header_code: str, now: datetime) -> Submission | Verdict:
    """Judge a verified `billSubReq`. `header_code` is the HTTP header Gepg-Code."""
    faults = FieldFaults()
    parts = _parts(message)
    if parts is None:
        return _MISSHAPEN
    header, detail = parts
    items = detail.findall("BillItems/BillItem")
    check_fields(header, HEADER, faults)
    check_fields(detail, DETAIL, faults, last="BillItems")
    faults.check(not 1 <= len(items) <= MAX_ITEMS, "7242", f"{len(items)} bill items")
    for item in items[:MAX_ITEMS]:
        check_fields(item, ITEM, faults)
    if header_code != text_of(header, "SpGrpCode"):
        return Verdict("7323", "the header Gepg-Code is not SpGrpCode")
    if not faults.found:
        _check_sense(header, detail, items, faults, now)
    if faults.found:
        return faults.verdict()
    return _submission(header, detail)


_MISSHAPEN = Verdict("7242", "BillHdr and BillDtls with one BillDtl are expected")


def _parts(message: ET.Element) -> tuple[ET.Element, ET.Element] | None:
    header, details = message.find("BillHdr"), message.findall("BillDtls/BillDtl")
    if header is None or len(details) != 1 or [child.tag for child in message] != ["BillHdr", "BillDtls"]:
        return None
    return header, details[0]


def read_change(message: ET.Element, header_code: str, now: datetime) -> Change | Verdict:
    """Judge a verified `billSubReq` of the change path: the bill's new expiry and who wants it."""
    faults = FieldFaults()
    parts = _parts(message)
    if parts is None:
        return _MISSHAPEN
    header, detail = parts
    check_fields(header, HEADER, faults)
    check_fields(detail, CHANGE, faults)
    if header_code != text_of(header, "SpGrpCode"):
        return Verdict("7323", "the header Gepg-Code is not SpGrpCode")
    if not faults.found:
        bill_id, sp_code = text_of(detail, "BillId"), text_of(detail, "SpCode")
        faults.check(text_of(header, "GrpBillId") != bill_id, "7225", "GrpBillId is not BillId")
        faults.check(sp_code != header_code, "7205", "SpCode is not SpGrpCode")
        faults.check(moment(detail, "BillExprDt") <= now, "7231", "BillExprDt is past")
    if faults.found:
        return faults.verdict()
    return Change(text_of(header, "ReqId"), header_code, bill_id, moment(detail, "BillExprDt"))


def _check_sense(
    header: ET.Element, detail: ET.Element, items: list[ET.Element], faults: FieldFaults, now: datetime
) -> None:
    bill_id, sp_code = text_of(detail, "BillId"), text_of(header, "SpGrpCode")
    faults.check(text_of(header, "GrpBillId") != bill_id, "7225", "GrpBillId is not BillId")
    faults.check(text_of(detail, "SpCode") != sp_code, "7205", "SpCode is not SpGrpCode")
    faults.check(any(text_of(item, "RefBillId") != bill_id for item in items), "7225", "RefBillId is not BillId")
    total, equivalent = minor(detail, "BillAmt"), minor(detail, "BillEqvAmt")
    faults.check(total == 0, "7224", "BillAmt is zero")
    faults.check(not 0 < minor(detail, "MinPayAmt") <= max(total, 1), "7224", "MinPayAmt is not in 0.01..BillAmt")
    faults.check(text_of(detail, "Ccy") == "TZS" and equivalent != total, "7221", "BillEqvAmt is not BillAmt")
    faults.check(sum(minor(item, "BillItemAmt") for item in items) != total, "7258", "sum of BillItemAmt")
    faults.check(sum(minor(item, "BillItemEqvAmt") for item in items) != equivalent, "7259", "sum of BillItemEqvAmt")
    expires, made = moment(detail, "BillExprDt"), moment(detail, "BillGenDt")
    faults.check(expires <= made or expires <= now, "7231", "BillExprDt is past")
    reused = {text_of(header, "CustCntrNum"), text_of(detail, "BillCntrNum")} - {""}
    faults.check(len(reused) > 1, "7333", "CustCntrNum and BillCntrNum differ")


def _submission(header: ET.Element, detail: ET.Element) -> Submission:
    return Submission(
        req_id=text_of(header, "ReqId"),
        sp_code=text_of(header, "SpGrpCode"),
        bill_id=text_of(detail, "BillId"),
        description=text_of(detail, "BillDesc"),
        payer=text_of(detail, "CustName"),
        msisdn="+" + text_of(detail, "CustCellNum"),
        email=text_of(detail, "CustEmail"),
        amount_minor=minor(detail, "BillAmt"),
        least_minor=minor(detail, "MinPayAmt"),
        currency=text_of(detail, "Ccy"),
        pay_opt=int(text_of(detail, "BillPayOpt")),
        expires_at=moment(detail, "BillExprDt"),
        reuse=text_of(header, "CustCntrNum") or text_of(detail, "BillCntrNum"),
        version="v5",
    )

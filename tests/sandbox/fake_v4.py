"""The v4 messages of the service provider that the tests play, in the order that public senders use."""

from datetime import datetime, timedelta

from fake_gateway import EAT

V4 = "/gepg/api/bill/sigqrequest"
REUSE, CHANGE, CANCEL = f"{V4}_reuse", f"{V4}_change", "/gepg/api/bill/sigcancel_request"
HEADERS_V4 = {"Gepg-Code": "SP19960", "Gepg-Com": "default.sp.in", "Content-Type": "application/xml"}


def wire(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def days_from_now(days):
    return wire(datetime.now(EAT) + timedelta(days=days))


def inner(fields, changes, drop=()):
    return "".join(f"<{tag}>{changes.get(tag, text)}</{tag}>" for tag, text in fields.items() if tag not in drop)


def header(**changes):
    return f"<BillHdr>{inner({'SpCode': 'SP19960', 'RtrRespFlg': 'true'}, changes)}</BillHdr>"


def bill(bill_id="b-1", drop=(), reuse=None, **changes) -> str:
    """One BillTrxInf, with some fields changed or left out."""
    fields = {
        "BillId": bill_id,
        "SubSpCode": "1001",
        "SpSysId": "TIMIS001",
        "BillAmt": "30000.00",
        "MiscAmt": "0.00",
        "BillExprDt": days_from_now(30),
        "PyrId": "070707081",
        "PyrName": "ASHA &amp; JUMA",
        "BillDesc": "Bima ya afya",
        "BillGenDt": days_from_now(-0.01),
        "BillGenBy": "imis",
        "BillApprBy": "imis",
        "PyrCellNum": "255712000001",
        "PyrEmail": "",
        "Ccy": "TZS",
        "BillEqvAmt": "30000.00",
        "RemFlag": "true",
        "BillPayOpt": "3",
        **({"PayCntrNum": reuse} if reuse else {}),
    }
    item = {
        "BillItemRef": "1",
        "UseItemRefOnPay": "N",
        "BillItemAmt": "30000.00",
        "BillItemEqvAmt": "30000.00",
        "BillItemMiscAmt": "0.00",
        "GfsCode": "142202380001",
    }
    items = f"<BillItems><BillItem>{inner(item, changes, drop)}</BillItem></BillItems>"
    return f"<BillTrxInf>{inner(fields, changes, drop)}{items}</BillTrxInf>"


def submission_v4(*bills: str, **changes) -> str:
    """A request for these bills; keywords change its header."""
    return f"<gepgBillSubReq>{header(**changes)}{''.join(bills)}</gepgBillSubReq>"


def change_v4(bill_id, expires, **changes) -> str:
    fields = {"BillId": bill_id, "SpSysId": "TIMIS001", "BillExprDt": expires}
    return f"<gepgBillSubReq>{header()}<BillTrxInf>{inner(fields, changes)}</BillTrxInf></gepgBillSubReq>"


def cancellation_v4(*bill_ids, sp_code="SP19960", reason="<CanclReasn>x</CanclReasn>") -> str:
    ids = "".join(f"<BillId>{bill_id}</BillId>" for bill_id in bill_ids)
    return f"<gepgBillCanclReq><SpCode>{sp_code}</SpCode><SpSysId>TIMIS001</SpSysId>{reason}{ids}</gepgBillCanclReq>"

"""Reading a v5 bill submission, field by field, as strictly as is known.

Order, presence, length and values are all checked, and every fault found is reported, codes joined by ';'.
The sandbox plays BillTyp 1 (one bill of one service provider) only.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sandbox import clock, money
from sandbox.envelope import text_of

MAX_ITEMS = 100


@dataclass(frozen=True, slots=True)
class Submission:
    """One bill as the service provider asked for it. Amounts in minor units; times in East Africa Time."""

    req_id: str
    sp_code: str
    bill_id: str
    description: str
    payer: str
    msisdn: str
    email: str
    amount_minor: int
    least_minor: int
    currency: str
    pay_opt: int
    expires_at: datetime
    reuse: str
    """The control number to give again, or ''."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the acknowledgement says: 7101, or faults joined by ';', and a sentence for whoever reads it."""

    codes: str
    detail: str


@dataclass(frozen=True, slots=True)
class Field:
    """One element: its tag, the code that names its fault, and the test of its text. Optional ones may be absent."""

    tag: str
    code: str
    good: Callable[[str], bool]
    optional: bool = False


def _text(longest: int, shortest: int = 1) -> Callable[[str], bool]:
    return lambda value: shortest <= len(value) <= longest and value == value.strip()


def _match(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: compiled.fullmatch(value) is not None


def _amount(value: str) -> bool:
    return money.to_minor(value) is not None


def _date(value: str) -> bool:
    return clock.from_wire(value) is not None


_SP_CODE = _match(r"SP(\d{3}|\d{5})")
_NUMBER = _match(r"\d{12}")
_EMAIL = _match(r"([^@\s]+@[^@\s]+\.[^@\s]+)?")

HEADER = (
    Field("ReqId", "7242", _text(100)),
    Field("SpGrpCode", "7205", _SP_CODE),
    Field("SysCode", "7269", _text(10)),
    Field("BillTyp", "7242", _match("1")),
    Field("PayTyp", "7242", _match("[12]")),
    Field("GrpBillId", "7225", _text(100)),
    Field("CustCntrNum", "7333", _NUMBER, optional=True),
)
DETAIL = (
    Field("BillId", "7227", _text(100)),
    Field("SpCode", "7205", _SP_CODE),
    Field("CollCentCode", "7242", _text(50)),
    Field("BillDesc", "7277", _text(500)),
    Field("CustTin", "7242", _match(r"(\d{9})?")),
    Field("CustId", "7275", _text(100)),
    Field("CustIdTyp", "7242", _match("[1-5]")),
    Field("CustAccnt", "7242", _text(100)),
    Field("CustName", "7276", _text(200)),
    Field("CustCellNum", "7268", _match(r"255\d{9}")),
    Field("CustEmail", "7267", lambda value: len(value) <= 150 and _EMAIL(value)),
    Field("BillGenDt", "7230", _date),
    Field("BillExprDt", "7231", _date),
    Field("BillGenBy", "7285", _text(30)),
    Field("BillApprBy", "7278", _text(30)),
    Field("BillAmt", "7224", _amount),
    Field("BillEqvAmt", "7221", _amount),
    Field("MinPayAmt", "7224", _amount),
    Field("Ccy", "7219", _match("TZS|USD")),
    Field("ExchRate", "7242", _match(r"\d{1,10}\.\d{2,6}")),
    Field("BillPayOpt", "7234", _match("[1-5]")),
    Field("PayPlan", "7242", _match("[12]")),
    Field("PayLimTyp", "7242", _match("[1-5]")),
    Field("PayLimAmt", "7242", _amount),
    Field("CollPsp", "7242", _text(100, shortest=0)),
    Field("BillCntrNum", "7333", _NUMBER, optional=True),
    Field("ReuseReasn", "7242", _text(200), optional=True),
)
ITEM = (
    Field("RefBillId", "7225", _text(100)),
    Field("SubSpCode", "7228", _text(10)),
    Field("GfsCode", "7229", _match(r"\d{6}|\d{12}")),
    Field("BillItemRef", "7242", _text(100)),
    Field("UseItemRefOnPay", "7254", _match("[YN]")),
    Field("BillItemAmt", "7255", _amount),
    Field("BillItemEqvAmt", "7256", _amount),
    Field("BillItemMiscAmt", "7257", _amount, optional=True),
    Field("CollSp", "7205", _SP_CODE),
)


class _Faults:
    """Codes and details in the order found, each code once."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}

    def add(self, code: str, detail: str) -> None:
        self.found.setdefault(code, []).append(detail)

    def check(self, wrong: bool, code: str, detail: str) -> None:
        if wrong:
            self.add(code, detail)

    def verdict(self) -> Verdict:
        details = [detail for group in self.found.values() for detail in group]
        return Verdict(";".join(self.found), ", ".join(details)[:300])


def read_submission(message: ET.Element, header_code: str, now: datetime) -> Submission | Verdict:
    """Judge a verified `billSubReq`. `header_code` is the HTTP header Gepg-Code."""
    faults = _Faults()
    header, details = message.find("BillHdr"), message.findall("BillDtls/BillDtl")
    if header is None or len(details) != 1 or [child.tag for child in message] != ["BillHdr", "BillDtls"]:
        return Verdict("7242", "BillHdr and BillDtls with one BillDtl are expected")
    detail = details[0]
    items = detail.findall("BillItems/BillItem")
    _check_fields(header, HEADER, faults)
    _check_fields(detail, DETAIL, faults, last="BillItems")
    faults.check(not 1 <= len(items) <= MAX_ITEMS, "7242", f"{len(items)} bill items")
    for item in items[:MAX_ITEMS]:
        _check_fields(item, ITEM, faults)
    if header_code != text_of(header, "SpGrpCode"):
        return Verdict("7323", "the header Gepg-Code is not SpGrpCode")
    if not faults.found:
        _check_sense(header, detail, items, faults, now)
    if faults.found:
        return faults.verdict()
    return _submission(header, detail)


def _check_fields(parent: ET.Element, fields: tuple[Field, ...], faults: _Faults, last: str | None = None) -> None:
    present = [child.tag for child in parent]
    known = [field.tag for field in fields if not field.optional or field.tag in present] + ([last] if last else [])
    for tag in dict.fromkeys(present):
        faults.check(tag not in known, "7242", f"{tag} is unknown")
    if sorted(present) == sorted(known):
        faults.check(present != known, "7242", f"{parent.tag}: order of elements")
    else:
        faults.check(len(set(present)) != len(present), "7242", f"{parent.tag}: an element is repeated")
    for field in fields:
        child = parent.find(field.tag)
        if child is None:
            faults.check(not field.optional, "7242", f"{field.tag} is missing")
        elif len(child) or not field.good(child.text or ""):
            faults.add(field.code, f"{field.tag} is wrong")


def _check_sense(
    header: ET.Element, detail: ET.Element, items: list[ET.Element], faults: _Faults, now: datetime
) -> None:
    bill_id, sp_code = text_of(detail, "BillId"), text_of(header, "SpGrpCode")
    faults.check(text_of(header, "GrpBillId") != bill_id, "7225", "GrpBillId is not BillId")
    faults.check(text_of(detail, "SpCode") != sp_code, "7205", "SpCode is not SpGrpCode")
    faults.check(any(text_of(item, "RefBillId") != bill_id for item in items), "7225", "RefBillId is not BillId")
    amount, equivalent = _minor(detail, "BillAmt"), _minor(detail, "BillEqvAmt")
    faults.check(amount == 0, "7224", "BillAmt is zero")
    faults.check(not 0 < _minor(detail, "MinPayAmt") <= max(amount, 1), "7224", "MinPayAmt is not in 0.01..BillAmt")
    faults.check(text_of(detail, "Ccy") == "TZS" and equivalent != amount, "7221", "BillEqvAmt is not BillAmt")
    faults.check(sum(_minor(item, "BillItemAmt") for item in items) != amount, "7258", "sum of BillItemAmt")
    faults.check(sum(_minor(item, "BillItemEqvAmt") for item in items) != equivalent, "7259", "sum of BillItemEqvAmt")
    expires, made = clock.from_wire(text_of(detail, "BillExprDt")), clock.from_wire(text_of(detail, "BillGenDt"))
    assert expires is not None
    assert made is not None
    faults.check(expires <= made or expires <= now, "7231", "BillExprDt is past")
    reused = {text_of(header, "CustCntrNum"), text_of(detail, "BillCntrNum")} - {""}
    faults.check(len(reused) > 1, "7333", "CustCntrNum and BillCntrNum differ")


def _minor(parent: ET.Element, tag: str) -> int:
    value = money.to_minor(text_of(parent, tag))
    assert value is not None, "checked before"
    return value


def _submission(header: ET.Element, detail: ET.Element) -> Submission:
    expires = clock.from_wire(text_of(detail, "BillExprDt"))
    assert expires is not None, "checked before"
    return Submission(
        req_id=text_of(header, "ReqId"),
        sp_code=text_of(header, "SpGrpCode"),
        bill_id=text_of(detail, "BillId"),
        description=text_of(detail, "BillDesc"),
        payer=text_of(detail, "CustName"),
        msisdn="+" + text_of(detail, "CustCellNum"),
        email=text_of(detail, "CustEmail"),
        amount_minor=_minor(detail, "BillAmt"),
        least_minor=_minor(detail, "MinPayAmt"),
        currency=text_of(detail, "Ccy"),
        pay_opt=int(text_of(detail, "BillPayOpt")),
        expires_at=expires,
        reuse=text_of(header, "CustCntrNum") or text_of(detail, "BillCntrNum"),
    )

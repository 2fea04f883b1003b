"""Asking for a control number: billSubReq, the answer to it, and the result that GePG posts later (billSubRes)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateway.domain import msisdn
from gateway.domain.bill import Bill, PayOption
from gateway.domain.outcomes import Busy, Outcome, Unknown
from gateway.ports import BillOrder, BillRefused, ControlNumberGiven, HttpRequest, HttpResponse

from .codes import BUSY_RETRY_S, DUPLICATE_BILL, SUCCESS, answer, describe, split_codes
from .envelope import Message, open_envelope, seal
from .limits import MAX_ID, UnreadableError
from .settings import GepgSettings
from .wire import amount_text, read_amount, time_text
from .xmltext import clean, group, leaf
from .xmltree import Element, parse

_PATH = "/api/bill/20/submission"
_ACK, _RESULT = "billSubReqAck", "billSubRes"
_BUSY_STATUSES = (429, 503)
_RETRY_AFTER = re.compile(r"[0-9]{1,5}")
_MAX_RETRY_S = 3600.0
_CONTROL_NUMBER = re.compile(r"(?!0{12})[0-9]{12}")
_NAME_MAX, _DESCRIPTION_MAX = 200, 200
_SMALLEST = "0.01"
DEFAULT, REUSE = "default.sp.in", "reusebill.sp.in"  # Gepg-Com
_REUSE_REASON = "The bill has expired"  # no list of reasons is public; a wrong one is 7376


# --------------------------------------------------------------------------------------------------------- the request


def submission(settings: GepgSettings, order: BillOrder) -> HttpRequest:
    """The signed request for one bill. The same order gives the same bytes at any time: the generation date is the
    bill's own, so that a resend is a true twin.

    Raises ValueError for a bill not in shillings: the rate of exchange is not ours to choose.
    """
    bill, reuse = order.bill, order.reuse
    if bill.amount.currency != "TZS":
        raise ValueError("GePG bills are asked for in TZS")
    assert 0 < len(order.request_id) <= MAX_ID, "a ReqId has 1 to 100 characters"
    assert 0 < len(bill.id) <= MAX_ID, "a BillId has 1 to 100 characters"
    sp_code = bill.provider_code or settings.sp_code
    header = group(
        "BillHdr",
        leaf("ReqId", order.request_id),
        leaf("SpGrpCode", sp_code),
        leaf("SysCode", settings.system_code),
        leaf("BillTyp", "1"),  # normal: one service provider
        # "Any" of the group's control numbers, not "all at once": what senders of BillTyp 1 use; 1 goes with combined
        # bills, and "at once" would contradict instalments.
        leaf("PayTyp", "2"),
        leaf("GrpBillId", bill.id),
        *([leaf("CustCntrNum", reuse)] if reuse else []),
    )
    detail = _detail(settings, sp_code, bill, msisdn.normalise(order.payer_msisdn), reuse)
    element = group("billSubReq", header, group("BillDtls", detail))
    headers = headers_for(sp_code, REUSE if reuse else DEFAULT)
    return HttpRequest("POST", settings.url.rstrip("/") + _PATH, headers, seal(element, settings.private_key))


def headers_for(sp_code: str, community: str = DEFAULT) -> dict[str, str]:
    """What every v5 request to GePG carries; the code must be the body's (7323)."""
    return {**common_headers(sp_code, community), "Gepg-Alg": "00S2"}


def common_headers(sp_code: str, community: str = DEFAULT) -> dict[str, str]:
    """What both generations carry."""
    return {"Content-Type": "application/xml", "Gepg-Code": sp_code, "Gepg-Com": community}


def _detail(settings: GepgSettings, sp_code: str, bill: Bill, phone: str | None, reuse: str | None) -> str:
    amount = amount_text(bill.amount)
    item = group(
        "BillItem",
        leaf("RefBillId", bill.id),
        leaf("SubSpCode", settings.sub_sp_code),
        leaf("GfsCode", settings.gfs_code),
        leaf("BillItemRef", bill.chfid),
        leaf("UseItemRefOnPay", "N"),
        leaf("BillItemAmt", amount),
        leaf("BillItemEqvAmt", amount),
        leaf("CollSp", sp_code),
    )
    return group(
        "BillDtl",
        leaf("BillId", bill.id),
        leaf("SpCode", sp_code),
        leaf("CollCentCode", settings.coll_cent_code),
        leaf("BillDesc", f"Bima ya afya {bill.product_code}", _DESCRIPTION_MAX),
        leaf("CustTin", ""),
        leaf("CustId", bill.chfid),
        leaf("CustIdTyp", "5"),  # "other": an insurance number is none of GePG's kinds
        leaf("CustAccnt", bill.chfid),
        leaf("CustName", clean(bill.payer_name) or bill.chfid, _NAME_MAX),  # a blank name is refused (7276)
        leaf("CustCellNum", msisdn.without_plus(phone) if phone else settings.payer_phone or ""),
        leaf("CustEmail", "" if phone else settings.payer_email),  # one of the two must be there (7217)
        leaf("BillGenDt", time_text(bill.created_at)),
        leaf("BillExprDt", time_text(bill.expires_at)),
        leaf("BillGenBy", settings.generated_by),
        leaf("BillApprBy", settings.approved_by),
        leaf("BillAmt", amount),
        leaf("BillEqvAmt", amount),
        leaf("MinPayAmt", amount if bill.pay_option is PayOption.EXACT else _SMALLEST),
        leaf("Ccy", bill.amount.currency),
        leaf("ExchRate", "1.00"),
        leaf("BillPayOpt", str(int(bill.pay_option))),
        leaf("PayPlan", "1"),  # post-paid: no goods are handed out against a token
        leaf("PayLimTyp", "1"),  # any bank or wallet may take it
        leaf("PayLimAmt", "0.00"),
        leaf("CollPsp", ""),
        *([leaf("BillCntrNum", reuse), leaf("ReuseReasn", _REUSE_REASON)] if reuse else []),
        group("BillItems", item),
    )


# ---------------------------------------------------------------------------------------------------------- its answer


def submission_outcome(peers: Sequence[RSAPublicKey], order: BillOrder, response: HttpResponse) -> Outcome:
    """What the immediate answer (billSubReqAck) says of the bill. Never raises.

    An acknowledgement that names another request is Unknown: somebody may play back a recorded one on a plain link.

    HTTP 429 and 503 are Busy. A well-signed acknowledgement is believed whatever the status below 500. Everything else
    leaves the bill Unknown: unsigned or unreadable words may come from a proxy, after GePG took the bill.
    """
    busy = is_busy(response)
    if busy is not None:
        return busy
    if response.status >= 500:
        return Unknown(f"HTTP {response.status}")
    try:
        ack = parse(_genuine_ack(peers, response.body).raw)
        if (ack.optional("ReqId") or order.request_id) != order.request_id:
            return Unknown(f"HTTP {response.status}, the answer is to another request")
        codes = split_codes(ack.required("AckStsCode"), "AckStsCode")
        return answer(codes, ack.optional("AckStsDesc"), ack.optional("AckId"), reuse=order.reuse is not None)
    except UnreadableError as error:
        return Unknown(f"HTTP {response.status}, {error}")


def _genuine_ack(peers: Sequence[RSAPublicKey], body: bytes) -> Message:
    """The acknowledgement, once its signature holds.

    One source shows billSubReqAck and billSubRes in one body and does not say what its signature covers, so the
    acknowledgement is taken when it is signed by itself or as part of the whole between. The result beside it is
    left alone here: the port gives an answer to a submission no way to carry a number.
    """
    envelope = open_envelope(body)
    acks = [message for message in envelope.messages if message.name == _ACK]
    results = [message for message in envelope.messages if message.name == _RESULT]
    if len(acks) != 1 or len(results) > 1 or len(envelope.messages) != len(acks) + len(results):
        raise UnreadableError(f"the answer is no {_ACK}")
    if not envelope.is_signed_beside_another(acks[0], peers):
        raise UnreadableError("the answer is not signed by GePG")
    return acks[0]


def is_busy(response: HttpResponse) -> Busy | None:
    """Busy for HTTP 429 and 503, whatever the body says."""
    if response.status not in _BUSY_STATUSES:
        return None
    return Busy(_retry_after_s(response), f"HTTP {response.status}")


def _retry_after_s(response: HttpResponse) -> float:
    text = response.headers.get("retry-after", "").strip()
    if _RETRY_AFTER.fullmatch(text) is None:
        return BUSY_RETRY_S
    return min(max(float(text), 1.0), _MAX_RETRY_S)


# ---------------------------------------------------------------------------------------------------------- its result


def read_result(message: Element) -> tuple[ControlNumberGiven | BillRefused, ...]:
    """One notice per BillDtl of a billSubRes; without any, one for the group. Raises UnreadableError.

    None of a bill of which it says only that it had arrived before (7226): that refuses nothing, and its number comes
    with the answer to its first arrival, or by asking again.
    """
    header = message.group("BillHdr")
    details = [detail for group_ in message.groups("BillDtls") for detail in group_.groups("BillDtl")]
    if not details:
        found = [_notice(header, header, header.required("GrpBillId"), alone=True)]
    else:
        found = [_notice(header, each, each.required("BillId"), len(details) == 1) for each in details]
    return tuple(notice for notice in found if notice is not None)


def _notice(header: Element, detail: Element, bill_id: str, alone: bool) -> ControlNumberGiven | BillRefused | None:
    """Given when neither header nor detail refuses and there is a usable number; a refusal never carries a number.

    A failed bill (ResSts GF) has "0" or an old number, so GF refuses, save for a duplicate (7226) that carries the
    number given before.
    """
    if len(bill_id) > MAX_ID:
        raise UnreadableError("a BillId is too long")
    said = [text for text in (header.optional("ResStsCode"), detail.optional("BillStsCode")) if text]
    codes = tuple(dict.fromkeys(code for text in said for code in split_codes(text, "the bill's status")))
    if not codes:
        raise UnreadableError("a bill has no status code")
    failed = (header.optional("ResSts") or "").upper() == "GF"
    words = detail.optional("BillStsDesc") or header.optional("ResStsDesc")
    faults = tuple(code for code in codes if code != SUCCESS)
    if any(code != DUPLICATE_BILL for code in faults):
        return BillRefused(bill_id, ";".join(faults), describe(faults, words))
    if failed and not faults:
        return BillRefused(bill_id, "GF", describe(codes, words))  # it contradicts itself: no number to give out
    number = _number(header, detail, alone)
    if number is not None:
        return given(bill_id, number, detail, repeated=bool(faults))
    if faults:
        return None
    raise UnreadableError("a bill succeeded without a control number")


def given(bill_id: str, number: str, detail: Element, repeated: bool) -> ControlNumberGiven:
    """With whatever else the message tells of the bill: no public sample does, so it is looked for and not expected."""
    amount, currency = detail.optional("BillAmt"), detail.optional("Ccy") or detail.optional("CCy") or "TZS"
    said = read_amount(amount, currency, "BillAmt") if amount else None
    return ControlNumberGiven(bill_id, number, repeated, said, detail.optional("SpCode"))


def usable_number(text: str | None) -> str | None:
    """Twelve digits, not all zero: a refused bill carries "0"."""
    return text if text and _CONTROL_NUMBER.fullmatch(text) else None


def _number(header: Element, detail: Element, alone: bool) -> str | None:
    """CustCntrNum is what the customer of a normal bill pays. Among several bills it is the group's, not the bill's."""
    named = (header.optional("CustCntrNum"), detail.optional("BillCntrNum"))
    preferred = named if alone else named[1:]
    return next((number for number in preferred if usable_number(number)), None)

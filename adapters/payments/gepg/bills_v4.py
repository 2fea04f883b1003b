"""GePG v4: asking for control numbers (gepgBillSubReq), cancelling, and the results that GePG posts later."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateway.domain import msisdn
from gateway.domain.outcomes import Outcome, Unknown
from gateway.ports import BillOrder, BillRefused, ControlNumberGiven, HttpRequest, HttpResponse

from .bills import DEFAULT, REUSE, common_headers, given, is_busy, usable_number
from .cancellation import cancellation_meant
from .codes import DUPLICATE_BILL, SUCCESS, answer, describe, split_codes
from .envelope import open_envelope, seal
from .generation import V4
from .limits import MAX_ID, UnreadableError
from .settings import GepgSettings
from .wire import amount_text, time_text
from .xmltext import clean, group, leaf
from .xmltree import Element, parse

_SUBMISSION, _REUSE = "/api/bill/sigqrequest", "/api/bill/sigqrequest_reuse"
MOST_BILLS = 500  # in one request; GePG's own limit is not public
_CHANGE, _CANCELLATION = "/api/bill/sigqrequest_change", "/api/bill/sigcancel_request"
_Meant = Callable[[Element], Outcome]
_NAME_MAX, _DESCRIPTION_MAX = 200, 200  # v5's lengths: v4's own are not public


# --------------------------------------------------------------------------------------------------------- the request


def submission(settings: GepgSettings, orders: Sequence[BillOrder]) -> HttpRequest:
    """The signed request for one bill or for many of one service provider. The same orders give the same bytes."""
    assert 0 < len(orders) <= MOST_BILLS, "a request is for 1 to MOST_BILLS bills"
    sp_code = _one_provider(settings, orders)
    bills = [_bill(settings, order) for order in orders]
    return _request(settings, sp_code, _SUBMISSION, DEFAULT, bills)


def reuse(settings: GepgSettings, order: BillOrder, control_number: str) -> HttpRequest:
    """Bind a new bill to a control number that was given before."""
    sp_code = _one_provider(settings, [order])
    return _request(settings, sp_code, _REUSE, REUSE, [_bill(settings, order, control_number)])


def change_of_expiry(settings: GepgSettings, order: BillOrder) -> HttpRequest:
    """Give a bill that GePG knows the expiry that it now has."""
    detail = group(
        "BillTrxInf",
        leaf("BillId", order.bill.id),
        leaf("SpSysId", settings.system_code),
        leaf("BillExprDt", time_text(order.bill.expires_at)),
    )
    return _request(settings, _one_provider(settings, [order]), _CHANGE, "changebill.sp.in", [detail])


def cancellation(settings: GepgSettings, order: BillOrder, reason: str) -> HttpRequest:
    """The signed request that ends a bill; answered in the same exchange."""
    sp_code = _one_provider(settings, [order])
    element = group(
        "gepgBillCanclReq",
        leaf("SpCode", sp_code),
        leaf("SpSysId", settings.system_code),
        leaf("CanclReasn", reason),
        leaf("BillId", order.bill.id),
    )
    headers = common_headers(sp_code, "changebill.sp.in")
    return HttpRequest(
        "POST", settings.url.rstrip("/") + _CANCELLATION, headers, seal(element, settings.private_key, V4)
    )


def _one_provider(settings: GepgSettings, orders: Sequence[BillOrder]) -> str:
    codes = {order.bill.provider_code or settings.sp_code for order in orders}
    if len(codes) != 1:
        raise ValueError("one request is for bills of one service provider")
    if any(order.bill.amount.currency != "TZS" for order in orders):
        raise ValueError("GePG bills are asked for in TZS")
    return codes.pop()


def _request(settings: GepgSettings, sp_code: str, path: str, community: str, bills: Sequence[str]) -> HttpRequest:
    header = group("BillHdr", leaf("SpCode", sp_code), leaf("RtrRespFlg", "true"))
    element = group("gepgBillSubReq", header, *bills)
    return HttpRequest(
        "POST",
        settings.url.rstrip("/") + path,
        common_headers(sp_code, community),
        seal(element, settings.private_key, V4),
    )


def _bill(settings: GepgSettings, order: BillOrder, control_number: str | None = None) -> str:
    bill = order.bill
    assert 0 < len(bill.id) <= MAX_ID, "a BillId has 1 to 100 characters"
    phone = msisdn.normalise(order.payer_msisdn)
    amount = amount_text(bill.amount)
    item = group(
        "BillItem",
        leaf("BillItemRef", bill.chfid),
        leaf("UseItemRefOnPay", "N"),
        leaf("BillItemAmt", amount),
        leaf("BillItemEqvAmt", amount),
        leaf("BillItemMiscAmt", "0.00"),
        leaf("GfsCode", settings.gfs_code),
    )
    return group(
        "BillTrxInf",
        leaf("BillId", bill.id),
        leaf("SubSpCode", settings.sub_sp_code),
        leaf("SpSysId", settings.system_code),
        leaf("BillAmt", amount),
        leaf("MiscAmt", "0.00"),
        leaf("BillExprDt", time_text(bill.expires_at)),
        leaf("PyrId", bill.chfid),
        leaf("PyrName", clean(bill.payer_name) or bill.chfid, _NAME_MAX),
        leaf("BillDesc", f"Bima ya afya {bill.product_code}", _DESCRIPTION_MAX),
        leaf("BillGenDt", time_text(bill.created_at)),
        leaf("BillGenBy", settings.generated_by),
        leaf("BillApprBy", settings.approved_by),
        leaf("PyrCellNum", msisdn.without_plus(phone) if phone else ""),
        leaf("PyrEmail", "" if phone else settings.payer_email),
        leaf("Ccy", bill.amount.currency),
        leaf("BillEqvAmt", amount),
        leaf("RemFlag", "true"),
        leaf("BillPayOpt", str(int(bill.pay_option))),
        *([leaf("PayCntrNum", control_number)] if control_number else []),
        group("BillItems", item),
    )


# --------------------------------------------------------------------------------------------------------- the answers


def submission_outcome(peers: Sequence[RSAPublicKey], response: HttpResponse, *, reuse: bool = False) -> Outcome:
    """What the immediate answer (gepgBillSubReqAck) says. It names no request, so any genuine one is believed."""
    return outcome_of(peers, response, "gepgBillSubReqAck", lambda ack: answer(_codes(ack), None, None, reuse=reuse))


def cancellation_outcome(peers: Sequence[RSAPublicKey], order: BillOrder, response: HttpResponse) -> Outcome:
    """Done when the bill is cancelled, was never there or has been paid; Refused when it stays payable."""

    def meant(message: Element) -> Outcome:
        for detail in message.groups("BillCanclTrxDt"):
            if detail.required("BillId") == order.bill.id:
                return cancellation_meant(_codes(detail), None)
        return Unknown("the answer is about other bills")

    return outcome_of(peers, response, "gepgBillCanclResp", meant)


def outcome_of(peers: Sequence[RSAPublicKey], response: HttpResponse, root: str, meant: _Meant) -> Outcome:
    """What a signed answer of this kind means; Busy or Unknown without one. Never raises."""
    busy = is_busy(response)
    if busy is not None:
        return busy
    if response.status >= 500:
        return Unknown(f"HTTP {response.status}")
    try:
        envelope = open_envelope(response.body)
        message = envelope.only_message()
        if message.name != root or not envelope.is_signed(message, peers):
            raise UnreadableError(f"the answer is no {root} that GePG signed")
        return meant(parse(message.raw))
    except UnreadableError as error:
        return Unknown(f"HTTP {response.status}, {error}")


def _codes(element: Element) -> tuple[str, ...]:
    return split_codes(element.required("TrxStsCode"), "TrxStsCode")


# --------------------------------------------------------------------------------------------------------- the results


def read_results(message: Element) -> tuple[ControlNumberGiven | BillRefused, ...]:
    """One notice per BillTrxInf of a gepgBillSubResp, none of those that had only arrived before (7226, no number).

    Raises UnreadableError.
    """
    details = message.groups("BillTrxInf")
    if not details:
        raise UnreadableError("gepgBillSubResp has no BillTrxInf")
    found = [_notice(detail) for detail in details]
    return tuple(notice for notice in found if notice is not None)


def _notice(detail: Element) -> ControlNumberGiven | BillRefused | None:
    """A failed bill (GF) carries "0" or an old number, so GF refuses, save for a duplicate (7226) with its number."""
    bill_id = detail.required("BillId")
    if len(bill_id) > MAX_ID:
        raise UnreadableError("a BillId is too long")
    codes = _codes(detail)
    faults = tuple(code for code in codes if code != SUCCESS)
    failed = (detail.optional("TrxSts") or "").upper() == "GF"
    if any(code != DUPLICATE_BILL for code in faults):
        return BillRefused(bill_id, ";".join(faults), describe(faults))
    if failed and not faults:
        return BillRefused(bill_id, "GF", describe(codes))  # it contradicts itself: no number to give out
    number = usable_number(detail.optional("PayCntrNum"))
    if number is not None:
        return given(bill_id, number, detail, repeated=bool(faults))
    if faults:
        return None
    raise UnreadableError("a bill succeeded without a control number")

"""Cancelling a bill (billCanclReq), answered in the same HTTP exchange; success is 7283, never 7101."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateway.domain.outcomes import Busy, Done, Outcome, Refused, Unknown
from gateway.ports import BillOrder, HttpRequest, HttpResponse

from .bills import headers_for, is_busy
from .codes import BUSY_RETRY_S, Meaning, describe, meaning, split_codes
from .envelope import open_envelope, seal
from .limits import UnreadableError
from .settings import GepgSettings
from .xmltext import group, leaf
from .xmltree import Element, parse

_PATH = "/api/bill/20/cancellation"
_RESULT, _ACK = "billCanclRes", "billCanclReqAck"  # some installations answer with both in one body
CANCELLED, NO_SUCH_BILL, SETTLED, PART_PAID = "7283", "7204", "7279", "7301"
REASON = "Familia ina bima tayari"


def cancellation(settings: GepgSettings, order: BillOrder) -> HttpRequest:
    """The signed request that ends a bill. The same order gives the same bytes."""
    sp_code = order.bill.provider_code or settings.sp_code
    element = group(
        "billCanclReq",
        leaf("ReqId", order.request_id),
        leaf("SpGrpCode", sp_code),
        leaf("SysCode", settings.system_code),
        leaf("BillTyp", "1"),
        leaf("GrpBillId", order.bill.id),
        leaf("CanclGenBy", settings.generated_by),
        leaf("CanclApprBy", settings.approved_by),
        leaf("CanclReasn", REASON),
    )
    return HttpRequest(
        "POST", settings.url.rstrip("/") + _PATH, headers_for(sp_code), seal(element, settings.private_key)
    )


def cancellation_outcome(peers: Sequence[RSAPublicKey], order: BillOrder, response: HttpResponse) -> Outcome:
    """Done when the bill is cancelled, was never there or has been paid; Refused when it stays payable. Never raises.

    Only a well-signed answer to this very request is believed; everything else is Unknown, and asked again.
    """
    busy = is_busy(response)
    if busy is not None:
        return busy
    if response.status >= 500:
        return Unknown(f"HTTP {response.status}")
    try:
        result = _genuine_result(peers, response.body)
        asked = (result.optional("ReqId") or order.request_id, result.optional("GrpBillId") or order.bill.id)
        if asked != (order.request_id, order.bill.id):
            return Unknown(f"HTTP {response.status}, the answer is to another request")
        codes = split_codes(result.required("CanclStsCode"), "CanclStsCode")
        return cancellation_meant(codes, result.optional("CanclStsDesc"))
    except UnreadableError as error:
        return Unknown(f"HTTP {response.status}, {error}")


def cancellation_meant(codes: tuple[str, ...], words: str | None) -> Outcome:
    """Success is 7283; a bill that is not there or is paid needs no cancelling."""
    said = ";".join(codes)
    if CANCELLED in codes or codes in ((NO_SUCH_BILL,), (SETTLED,)):  # a settled bill's money comes as a callback
        return Done(said)
    if PART_PAID in codes or all(meaning(code) is Meaning.REFUSED for code in codes):
        return Refused(said, describe(codes, words))
    if any(meaning(code) is Meaning.BUSY for code in codes):
        return Busy(BUSY_RETRY_S, said)
    return Unknown(said)


def _genuine_result(peers: Sequence[RSAPublicKey], body: bytes) -> Element:
    envelope = open_envelope(body)
    results = [message for message in envelope.messages if message.name == _RESULT]
    others = {message.name for message in envelope.messages} - {_RESULT, _ACK}
    if len(results) != 1 or others:
        raise UnreadableError(f"the answer is no {_RESULT}")
    if not envelope.is_signed_beside_another(results[0], peers):
        raise UnreadableError("the answer is not signed by GePG")
    return parse(results[0].raw)

"""Cancelling a bill: one exchange, success is 7283, and only a signed answer to this request is believed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from gepg_samples import holds, opened, sha1_signature, wrap
from test_gepg_bill_request import NOW, ORDER

from gateway.domain.outcomes import Busy, Done, Refused, Unknown
from gateway.ports import HttpResponse


def answered(code: str = "7283", req_id: str = ORDER.request_id, bill_id: str = ORDER.bill.id) -> str:
    return (
        f"<billCanclRes><ResId>R-1</ResId><ReqId>{req_id}</ReqId><GrpBillId>{bill_id}</GrpBillId>"
        f"<CanclStsCode>{code}</CanclStsCode><CanclStsDesc>w</CanclStsDesc></billCanclRes>"
    )


def outcome(provider: Any, body: bytes, status: int = 200, **headers: str) -> Any:
    return provider.cancel_outcome(ORDER, HttpResponse(status, headers, body))


def test_the_request(provider: Any, keys: Any) -> None:
    request = provider.cancel_request(ORDER, NOW)
    assert request.url.endswith("/api/bill/20/cancellation")
    assert request.headers["Gepg-Code"] in request.body.decode()
    element, signed = opened(request.body)
    assert holds(element, signed, keys.ours.public_key())
    text = element.decode()
    for said in (
        f"<ReqId>{ORDER.request_id}</ReqId>",
        f"<GrpBillId>{ORDER.bill.id}</GrpBillId>",
        "<BillTyp>1</BillTyp>",
        "<CanclReasn>",
    ):
        assert said in text
    assert provider.cancel_request(ORDER, NOW) == request


@pytest.mark.parametrize(
    ("code", "means"),
    [
        ("7283", Done("7283")),
        ("7283;7101", Done("7283;7101")),
        ("7204", Done("7204")),  # never submitted: nothing to pay
        ("7279", Done("7279")),  # paid: the money comes as a callback
        ("7301", Refused("7301", "w")),
        ("7303", Refused("7303", "w")),
        ("7202;7323", Refused("7202;7323", "w")),
        ("7321", Busy(60.0, "7321")),
        ("7286", Unknown("7286")),
        ("7101", Unknown("7101")),  # success elsewhere, not here
        ("9999", Unknown("9999")),
    ],
)
def test_codes(provider: Any, keys: Any, code: str, means: Any) -> None:
    assert outcome(provider, wrap(answered(code), keys.gepg)) == means


def test_an_acknowledgement_beside_the_answer_is_tolerated(provider: Any, keys: Any) -> None:
    body = wrap(f"<billCanclReqAck><AckStsCode>7101</AckStsCode></billCanclReqAck>{answered()}", keys.gepg)
    assert outcome(provider, body) == Done("7283")


def test_what_proves_nothing(provider: Any, keys: Any) -> None:
    good = wrap(answered(), keys.gepg)
    for body in (
        b"",
        b"<html>",
        good.replace(b"7283", b"7204", 1),
        wrap(answered(), keys.stranger),
        wrap(answered(req_id="another"), keys.gepg),
        wrap(answered(bill_id="another"), keys.gepg),
        wrap(answered(code="GS"), keys.gepg),
        wrap("<billSubReqAck/>", keys.gepg),
    ):
        assert isinstance(outcome(provider, body), Unknown), body
    assert isinstance(outcome(provider, good, 500), Unknown)
    assert outcome(provider, b"", 503, **{"retry-after": "7"}) == Busy(7.0, "HTTP 503")


def test_the_wrong_hash(provider: Any, keys: Any) -> None:
    element = answered().encode()
    body = b"<Gepg>" + element + b"<signature>" + sha1_signature(element, keys.gepg) + b"</signature></Gepg>"
    assert isinstance(outcome(provider, body), Unknown)


def test_the_providers_code_is_the_bills(provider: Any) -> None:
    order = replace(ORDER, bill=replace(ORDER.bill, provider_code="SP777"))
    request = provider.cancel_request(order, NOW)
    assert request.headers["Gepg-Code"] == "SP777"
    assert b"<SpGrpCode>SP777</SpGrpCode>" in request.body

"""For any bytes at all: an answer, never an exception, and nothing believed that GePG did not sign."""

from __future__ import annotations

from gepg_samples import VALID, route_of, wrap
from hypothesis import given, settings
from hypothesis import strategies as st
from test_gepg_bill_request import ORDER

from gateway.ports import HttpResponse, Verdict

ROUTE = st.sampled_from(sorted(VALID))
PIECES = st.sampled_from(
    [b"<Gepg>", b"</Gepg>", b"<pmtSpNtfReq>", b"</pmtSpNtfReq>", b"<billSubRes>", b"</billSubRes>", b"<signature>",
     b"</signature>", b"<BillHdr>", b"</BillHdr>", b"<a/>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?xml ", b"?>",
     b"&amp;", b"&#0;", b"<!DOCTYPE a>", b"\xef\xbb\xbf", b"\xff\xfe", b"\x00", b"7101", b" ", b"<", b">", b"AAAA"]
)  # fmt: skip


@given(route=ROUTE, body=st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=30).map(b"".join)))
@settings(max_examples=300, deadline=None)
def test_any_bytes(provider, route, body):
    reading = provider.read(route_of(route), body)
    assert reading.verdict in (Verdict.UNREADABLE, Verdict.BAD_SIGNATURE)
    assert reading.notices == ()
    assert provider.acknowledge(reading, "ACK-1").status in (200, 400)
    provider.bill_outcome(ORDER, HttpResponse(200, {}, body))


@given(route=ROUTE, data=st.data())
@settings(max_examples=300, deadline=None)
def test_mutations_of_the_envelope(provider, keys, route, data):
    element, notices = VALID[route]
    body = wrap(element, keys.gepg)
    reading = provider.read(route_of(route), _mutated(data, body))
    assert reading.notices == (notices if reading.verdict is Verdict.GENUINE else ())


@given(route=ROUTE, data=st.data())
@settings(max_examples=200, deadline=None)
def test_mutations_that_gepg_signed(provider, keys, route, data):
    """The gate does not help here: what was signed may be nonsense all the same."""
    reading = provider.read(route_of(route), wrap(_mutated(data, VALID[route][0].encode()), keys.gepg))
    assert bool(reading.notices) == (reading.verdict is Verdict.GENUINE)
    assert provider.acknowledge(reading, "ACK-1").body


@given(content=st.lists(st.one_of(PIECES, st.binary(max_size=5)), max_size=20).map(b"".join))
@settings(max_examples=200, deadline=None)
def test_nonsense_that_gepg_signed(provider, keys, content):
    for root in (b"pmtSpNtfReq", b"billSubRes", b"billSubReqAck"):
        body = wrap(b"<" + root + b">" + content + b"</" + root + b">", keys.gepg)
        assert provider.read("bills", body).verdict is not Verdict.GENUINE
        provider.bill_outcome(ORDER, HttpResponse(200, {}, body))


def _mutated(data: st.DataObject, body: bytes) -> bytes:
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(body)))
        end = data.draw(st.integers(start, min(len(body), start + 40)))
        body = body[:start] + data.draw(st.one_of(PIECES, st.binary(max_size=8), st.just(b""))) + body[end:]
    return body

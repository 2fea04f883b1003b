"""What does not pass: wrong signers, altered bytes, wrapped messages, and XML made to hurt."""

from __future__ import annotations

import time

import pytest
from gepg_samples import (
    REPORT,
    VALID,
    entry,
    enveloped,
    payment,
    result,
    rightly_signed,
    route_of,
    signature,
    signature_tag,
    wrap,
    wrongly_hashed,
)

from gateway.ports import Reading, Verdict

CASES = sorted(VALID)
DOCTYPES = [
    '<!DOCTYPE Gepg [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
    '<!DOCTYPE Gepg SYSTEM "http://127.0.0.1:9/x.dtd">',
    '<!DOCTYPE z [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>',
]


def _nothing_believed(reading: Reading, verdict: Verdict) -> bool:
    return reading.verdict is verdict and reading.notices == () and bool(reading.why)


@pytest.mark.parametrize("case", CASES)
def test_every_accepted_key_opens_the_gate(provider, keys, case):
    element, notices = VALID[case]
    for key in (keys.gepg, keys.gepg_next):
        assert provider.read(route_of(case), wrap(element, key)).notices == notices


@pytest.mark.parametrize("case", CASES)
def test_wrong_signers_and_signatures(provider, keys, case):
    element = VALID[case][0]
    raw = element.encode()
    good = rightly_signed(raw, keys.gepg)
    tag = signature_tag(raw)
    other = b"signature" if tag == b"gepgSignature" else b"gepgSignature"
    bodies = {
        "stranger": wrap(element, keys.stranger),
        "our own key": wrap(element, keys.ours),
        "the other generation's hash": enveloped(element, wrongly_hashed(raw, keys.gepg)),
        "none": b"<Gepg>" + raw + b"</Gepg>",
        "empty": enveloped(element, b""),
        "self-closed": b"<Gepg>" + raw + b"<" + tag + b"/></Gepg>",
        "no base64": enveloped(element, b"%%%"),
        "cut": enveloped(element, good[:-8]),
        "the other generation's element": b"<Gepg>" + raw + b"<" + other + b">" + good + b"</" + other + b"></Gepg>",
        "good one first, bad one last": enveloped(element, good + b"</" + tag + b"><" + tag + b">AAAA"),
        "re-indented after signing": enveloped(element.replace("><", ">\n<"), good),
        "re-encoded after signing": enveloped(element.replace("-", "&#45;"), good),
        "id changed": enveloped(element.replace("7f3a<", "7f3b<"), good),
        "signed with the envelope": enveloped(element, rightly_signed(raw[:0] + b"<Gepg>" + raw, keys.gepg)),
    }
    wrong = {
        name: body
        for name, body in bodies.items()
        if not _nothing_believed(provider.read(route_of(case), body), Verdict.BAD_SIGNATURE)
    }
    assert wrong == {}


def test_an_amount_changed_after_signing(provider, keys):
    body = wrap(payment(), keys.gepg)
    assert _nothing_believed(provider.read("payments", body.replace(b"30000.00", b"90000.00")), Verdict.BAD_SIGNATURE)


@pytest.mark.parametrize("case", CASES)
def test_truncated_anywhere(provider, keys, case):
    body = wrap(VALID[case][0], keys.gepg)
    for length in range(len(body)):
        reading = provider.read(route_of(case), body[:length])
        assert _nothing_believed(reading, Verdict.UNREADABLE), length


@pytest.mark.parametrize("case", CASES)
def test_one_byte_altered_anywhere(provider, keys, case):
    """A changed byte is never believed; outside the signed bytes it may at most change nothing."""
    element, notices = VALID[case]
    body = wrap(element, keys.gepg)
    signed = range(len("<Gepg>"), len("<Gepg>") + len(element))
    for place, byte in enumerate(body):
        for changed in {byte ^ 1, ord(" "), ord("<"), 0xFF} - {byte}:
            reading = provider.read(route_of(case), body[:place] + bytes([changed]) + body[place + 1 :])
            if place in signed:
                assert reading.verdict in (Verdict.BAD_SIGNATURE, Verdict.UNREADABLE), place
            assert reading.notices == (notices if reading.verdict is Verdict.GENUINE else ()), place


@pytest.mark.parametrize("case", CASES)
def test_one_byte_lost_or_doubled_anywhere(provider, keys, case):
    element, notices = VALID[case]
    body = wrap(element, keys.gepg)
    for place in range(len(body)):
        for mutant in (body[:place] + body[place + 1 :], body[:place] + body[place : place + 1] + body[place:]):
            reading = provider.read(route_of(case), mutant)
            inside = len("<Gepg>") < place < len("<Gepg>") + len(element) - 1
            assert reading.notices == (notices if reading.verdict is Verdict.GENUINE else ()), place
            assert not (inside and reading.verdict is Verdict.GENUINE), place


# ------------------------------------------------------------------------------------------------- signature wrapping

FORGED = payment(entry(PaidAmt="9000000.00"))


def test_a_signed_message_hidden_beside_a_forged_one(provider, keys):
    """Whatever the arrangement, the forged amount is never reported."""
    good, sig = payment(), signature(payment().encode(), keys.gepg).decode()
    signed = f"{good}<signature>{sig}</signature>"
    forged_outside = FORGED.removesuffix("</pmtSpNtfReq>")
    forgeries = [
        f"<Gepg>{FORGED}{signed}</Gepg>",
        f"<Gepg>{good}{FORGED}<signature>{sig}</signature></Gepg>",
        f"<Gepg>{signed}{FORGED}</Gepg>",
        f"<Gepg>{forged_outside}{good}</pmtSpNtfReq><signature>{sig}</signature></Gepg>",
        f"<Gepg>{forged_outside}{signed}</pmtSpNtfReq></Gepg>",
        f"<Gepg>{FORGED}<signature>{sig}<x>{good}</x></signature></Gepg>",
        f"<Gepg>{FORGED}<signature>{sig}{good}</signature></Gepg>",
        f"<Gepg>{FORGED}<Object>{good}</Object><signature>{sig}</signature></Gepg>",
        f"<Gepg><Gepg>{good}</Gepg>{FORGED}<signature>{sig}</signature></Gepg>",
        f"<Gepg>{FORGED}<!--{good}--><signature>{sig}</signature></Gepg>",
        f"<Gepg>{FORGED}<![CDATA[{good}]]><signature>{sig}</signature></Gepg>",
        f"<Gepg>{FORGED}<?x {good}?><signature>{sig}</signature></Gepg>",
        f"<Gepg>{FORGED}<signature>{sig}</signature></Gepg><Gepg>{signed}</Gepg>",
        f"<Gepg>{signed}</Gepg><Gepg>{FORGED}</Gepg>",
        f"<Gepg>{signed}</Gepg>{FORGED}",
        f"<Gepg><pmtSpNtfReq a='{good.replace('<', '&lt;')}'>{FORGED}</pmtSpNtfReq><signature>{sig}</signature></Gepg>",
    ]  # fmt: skip
    for body in forgeries:
        reading = provider.read("payments", body.encode())
        assert reading.verdict in (Verdict.UNREADABLE, Verdict.BAD_SIGNATURE), body
        assert reading.notices == (), body


@pytest.mark.parametrize(
    "shape",
    [
        "<Gepg>{m}{s}text</Gepg>",
        "<Gepg>text{m}{s}</Gepg>",
        "<Gepg>{m}<other/>{s}</Gepg>",
        "<Gepg>{m}{m}{s}</Gepg>",
        "<Gepg>{m}{s}<!-- c --></Gepg>",
        "<Gepg>{s}</Gepg>",
        "<Gepg></Gepg>",
        "<Gepg/>",
        "{m}{s}",
        "{m}",
        "<gepg>{m}{s}</gepg>",
        "<Gepg>{m}{s}",
        "<Gepg>{m}{s}</gepg>",
        "<Gepg>{m}{s}</Gepg>x",
        "<Gepg>{m}{s}</Gepg></Gepg>",
        "x<Gepg>{m}{s}</Gepg>",
        "<Gepg>{m}</Gepg>{s}",
        "<?xml version='1.0'?><?xml version='1.0'?><Gepg>{m}{s}</Gepg>",
        "<?xml-stylesheet href='x'?><Gepg>{m}{s}</Gepg>",
        "<x:Gepg>{m}{s}</x:Gepg>",
        "<Gepg a>{m}{s}</Gepg>",
        "<Gepg>{m}<signature><x/></signature></Gepg>",
        "<Gepg><pmtSpNtfReq><a></b></a></Gepg>",
        "<Gepg><pmtSpNtfReq></x>{s}</Gepg>",
        "<Gepg><pmtSpNtfReq>" + "<a>" * 16 + "</a>" * 16 + "</pmtSpNtfReq>{s}</Gepg>",
        "",
        " ",
        "{{}}",
    ],
)
def test_anything_but_one_message_and_signatures_is_unreadable(provider, keys, shape):
    m = payment()
    s = f"<signature>{signature(m.encode(), keys.gepg).decode()}</signature>"
    assert provider.read("payments", f"<Gepg>{m}{s}</Gepg>".encode()).notices == (REPORT,)
    assert _nothing_believed(provider.read("payments", shape.format(m=m, s=s).encode()), Verdict.UNREADABLE)


# ---------------------------------------------------------------------------------------------------------- hostile XML


@pytest.mark.parametrize("doctype", DOCTYPES)
def test_a_document_type_is_unreadable_wherever_it_stands(provider, keys, doctype):
    element = payment(entry(PyrName="&c;"))
    for body in (
        doctype.encode() + wrap(element, keys.gepg),
        b"<?xml version='1.0'?>" + doctype.encode() + wrap(element, keys.gepg),
        wrap(doctype + element, keys.gepg),
        wrap(element.replace("<PmtDtls>", doctype + "<PmtDtls>"), keys.gepg),
        wrap(payment(entry(PyrName=f"<![CDATA[{doctype}]]>")), keys.gepg),
    ):
        assert _nothing_believed(provider.read("payments", body), Verdict.UNREADABLE)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-7", "cp037"])
def test_a_document_type_in_another_encoding_is_unreadable(provider, keys, encoding):
    body = (DOCTYPES[0] + wrap(payment(), keys.gepg).decode()).encode(encoding)
    assert _nothing_believed(provider.read("payments", body), Verdict.UNREADABLE)


def test_utf16_bytes_are_unreadable_even_when_signed(provider, keys):
    element = payment().encode("utf-16-le")
    assert _nothing_believed(provider.read("payments", wrap(element, keys.gepg)), Verdict.UNREADABLE)


@pytest.mark.parametrize("size", [(1 << 20) + 1, 5_000_000])
def test_large_bodies(provider, keys, size):
    body = wrap(payment(entry(PyrName="x" * size)), keys.gepg)
    assert _nothing_believed(provider.read("payments", body), Verdict.TOO_LARGE)


def test_a_body_just_below_the_limit_is_read(provider, keys):
    spare = (1 << 20) - len(wrap(payment(entry(PyrName="")), keys.gepg))
    exact = wrap(payment(entry(PyrName="x" * spare)), keys.gepg)
    assert len(exact) == 1 << 20
    assert provider.read("payments", exact).verdict is Verdict.GENUINE
    assert provider.read("payments", exact + b" ").verdict is Verdict.TOO_LARGE


def test_many_entries_are_read_and_too_many_are_not(provider, keys):
    entries = [entry(PayRefId=str(number)) for number in range(800)]
    assert len(provider.read("payments", wrap(payment(*entries), keys.gepg)).notices) == 800
    crowd = payment(entry(Rsv3="<a/>" * 40_000))
    assert _nothing_believed(provider.read("payments", wrap(crowd, keys.gepg)), Verdict.UNREADABLE)


@pytest.mark.parametrize(
    "filler",
    [b"<a>" * 300_000, b"<a/>" * 200_000, b"<a " + b" " * 900_000, b"<a " + b"b='' " * 180_000, b"<" * 900_000,
     b"<![CDATA[" * 100_000, b"<a b='" * 150_000, b"</a>" * 200_000, b"<a" + b"/" * 900_000, b"<a b=" * 150_000,
     b"<" + b"a" * 900_000],
)  # fmt: skip
def test_hostile_bytes_are_refused_quickly(provider, filler):
    """Nothing here is signed, so nobody is held to account for sending it: it must cost little."""
    for body in (b"<Gepg>" + filler, b"<Gepg><pmtSpNtfReq>" + filler + b"</pmtSpNtfReq></Gepg>"):
        started = time.process_time()
        reading = provider.read("payments", body)
        spent = time.process_time() - started
        assert reading.verdict in (Verdict.UNREADABLE, Verdict.BAD_SIGNATURE)
        assert spent < 0.5


# ------------------------------------------------------------------------------------------------------ route and root


def test_the_root_decides_the_reader_and_the_route(provider, keys):
    for posted in ("bills", "payments"):
        for case, (element, notices) in VALID.items():
            reading = provider.read(posted, wrap(element, keys.gepg))
            assert (reading.route, reading.notices) == (route_of(case), notices)
            assert reading.dialect == ("v4" if "v4" in case else "v5")
            assert provider.read(posted, wrap(element, keys.stranger)).route == route_of(case)


@pytest.mark.parametrize("verdict", [Verdict.TOO_LARGE, Verdict.UNREADABLE])
def test_a_body_never_taken_in_whole(provider, verdict):
    assert provider.unreadable("bills", verdict, "cut") == Reading("bills", verdict, None, (), "cut")


def test_a_refused_message_keeps_its_id_only_when_that_is_plain(provider, keys):
    """The bytes are not believed; the id is only echoed."""
    cases = {
        payment(req_id="PN-77"): "PN-77",
        payment(req_id=" PN-77\n"): "PN-77",
        payment(req_id="&lt;b&gt;"): None,
        payment(req_id="x" * 101): None,
        payment(req_id="a</ReqId><ReqId>b"): None,
        payment(entry(Rsv1="<ReqId>other</ReqId>"), req_id="PN-77"): None,
        payment().replace("<ReqId>PN-1</ReqId>", ""): None,
        result(): "RES-1",
        "<other><ReqId>1</ReqId></other>": None,
    }
    found = {element: provider.read("payments", wrap(element, keys.stranger)) for element in cases}
    assert {element: reading.message_id for element, reading in found.items()} == cases
    assert {reading.verdict for reading in found.values()} == {Verdict.BAD_SIGNATURE}

"""pmtSpNtfReq: bytes to payment reports, in every spelling that peers were seen to send."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from gepg_samples import EAT, REPORT, entry, entry_v4, payment, payment_v4, signature, wrap

from gateway.domain.clock import eat_day
from gateway.domain.money import Money
from gateway.ports import Verdict


def _indented(text: str) -> str:
    return text.replace("><", ">\n      <")


def _signed(element: bytes, key, shape: bytes) -> bytes:
    """``shape`` with %M for the message and %S for the base64 of its signature."""
    return shape.replace(b"%S", signature(element, key)).replace(b"%M", element)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=EAT)


NAME = "Ng'wana <Maua> & Wanawe – K"
PLAIN = b"<Gepg>%M<signature>%S</signature></Gepg>"


@pytest.mark.parametrize(
    "shape",
    [
        PLAIN,
        b"<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n" + PLAIN,
        b'<?xml version="1.0" encoding="utf-16"?>' + PLAIN,
        b"\xef\xbb\xbf" + PLAIN,
        b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>\r\n' + PLAIN,
        b"<Gepg>%M <signature>%S</signature> </Gepg>",
        b"<Gepg>\r\n  %M\r\n  <signature>\r\n    %S\r\n  </signature>\r\n</Gepg>\r\n",
        b"  \n<Gepg>\t%M<signature>%S</signature></Gepg>\n\n",
        b"<Gepg xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" a='>'>%M<signature >%S</signature ></Gepg >",
        b"<Gepg><signature>%S</signature>%M</Gepg>",
        b"<Gepg>%M<signature>AAAA</signature><signature>%S</signature></Gepg>",  # the last one counts
    ],
)
def test_the_envelope_may_be_spelt_in_many_ways(provider, keys, shape):
    body = _signed(payment().encode(), keys.gepg, shape)
    reading = provider.read("payments", body)
    assert (reading.verdict, reading.message_id, reading.notices) == (Verdict.GENUINE, "PN-1", (REPORT,)), reading.why


@pytest.mark.parametrize(
    ("element", "changes"),
    [
        (_indented(payment()), {}),
        (_indented(payment()).replace("\n", "\r\n"), {}),
        (payment().replace("<PyrEmail></PyrEmail>", "<PyrEmail />").replace("<Rsv1></Rsv1>", "<Rsv1/>"), {}),
        (payment(entry(PyrName="")).replace("<PyrName></PyrName>", "<PyrName />"), {"payer_name": None}),
        (payment(entry(PyrName=None, TrxId=None)), {"payer_name": None, "transaction": None}),
        (payment(entry(PyrName="Ng&apos;wana &lt;Maua&gt; &amp; Wanawe &#8211; K")), {"payer_name": NAME}),
        (payment(entry(PyrName="Mwanaïsha Ng’ombe 你好")), {"payer_name": "Mwanaïsha Ng’ombe 你好"}),
        (payment(entry(PyrName="<![CDATA[A & </pmtSpNtfReq> B]]>")), {"payer_name": "A & </pmtSpNtfReq> B"}),
        (payment(entry(PyrName="signature of Asha")), {"payer_name": "signature of Asha"}),
        (payment(entry(PyrName="&lt;/signature&gt;")), {"payer_name": "</signature>"}),
        (payment(entry(signatureNote="x")), {}),
        (payment(entry(signature="x", Gepg="<pmtSpNtfReq>y</pmtSpNtfReq>")), {}),
        (payment(entry(PyrCellNum="0712345678")), {}),
        (payment(entry(PyrCellNum="not a phone")), {"payer_msisdn": None}),
        (payment(entry(PyrCellNum="")), {"payer_msisdn": None}),
        (payment(entry(NtfDtTm="2025-11-10T12:00:30")), {}),
        (payment(entry(PyrName="x" * 300)), {"payer_name": "x" * 200}),
        (payment(entry(BillId="", TrdPtyTrxId="", UsdPayChnl="", PspName="")),
         {"bill_id": None, "receipt": None, "channel": None, "origin": None}),
        (payment(entry(PaidAmt="410000")), {"amount": Money(41_000_000)}),
        (payment(entry(PaidAmt="30000.000")), {}),
        (payment(entry(PaidAmt="00030000.00")), {}),
        (payment(entry(PayRefId="\u3000925314000012345\u00a0")), {}),
        (payment(entry(TrdPtyTrxId="\U0001f600" * 250)), {"receipt": "\U0001f600" * 200}),
        (payment(entry(TrxDtTm="2025-11-10T00:00:00")), {"paid_at": at(2025, 11, 10, 0, 0, 0)}),
        (payment(entry(TrxDtTm="2025-11-09T23:59:59.999")), {"paid_at": at(2025, 11, 9, 23, 59, 59, 999_000)}),
        (payment(entry(PaidAmt="7885.5")), {"amount": Money(788_550)}),
        (payment(entry(PaidAmt=" 0.01 ")), {"amount": Money(1)}),
        (payment(entry(PaidAmt="12.00", Ccy="USD")), {"amount": Money(1200, "USD")}),
        (payment(entry(TrxDtTm="2025-11-10T12:00:26.920")), {"paid_at": at(2025, 11, 10, 12, 0, 26, 920_000)}),
        (payment(entry(TrxDtTm="2025-11-10T12:00:26:920")), {"paid_at": at(2025, 11, 10, 12, 0, 26, 920_000)}),
        (payment(entry(TrxDtTm="2025-11-10 12:00:26")), {}),
        (payment(entry(TrxDtTm="2023-01-03 14:47:14.0")), {"paid_at": at(2023, 1, 3, 14, 47, 14, 0)}),
        (payment(entry(TrxDtTm="2025-11-10T12:00:26.123456789")), {"paid_at": at(2025, 11, 10, 12, 0, 26, 123_456)}),
        (payment(count="1").replace("<EntryCnt>1</EntryCnt>", ""), {}),
        # one entry: the number that the customer keyed in
        (payment(entry(BillCtrNum="199600000999")), {}),
        (payment(entry(BillCtrNum="")), {}),
        (payment(customer=""), {}),
        (payment(customer="99-OLD-1"), {"control_number": "99-OLD-1"}),
    ],
)  # fmt: skip
def test_one_entry(provider, keys, element, changes):
    reading = provider.read("payments", wrap(element, keys.gepg))
    assert (reading.verdict, reading.notices) == (Verdict.GENUINE, (replace(REPORT, **changes),)), reading.why


PAYEES = [
    ("SP19966", "SP19966"),
    ("\n SP19966\t", "SP19966"),
    ("sp19966", "sp19966"),
    ("", None),
    (None, None),
]


@pytest.mark.parametrize(("said", "code"), PAYEES)
def test_whose_money_it_is_each_entry_says(provider, keys, said, code):
    """One that does not say is not compared. What it is of changes nothing in what tells one payment from another."""
    for element in (payment(entry(SpCode=said)), payment_v4(entry_v4(SpCode=said))):
        (report,) = provider.read("payments", wrap(element, keys.gepg)).notices
        assert report == replace(REPORT, provider_code=code)
        assert (report.key, report.digest) == (REPORT.key, REPORT.digest)


def test_elements_are_read_by_name_in_any_order(provider, keys):
    fields = re.findall(r"<([A-Za-z0-9]+)>[^<]*</\1>", entry())
    assert fields[0] == "SpCode"
    backwards = "".join(f"<{name}>{re.search(f'<{name}>([^<]*)<', entry())[1]}</{name}>" for name in reversed(fields))
    reading = provider.read("payments", wrap(payment(f"<PmtTrxDtl>{backwards}</PmtTrxDtl>"), keys.gepg))
    assert reading.notices == (REPORT,)


def test_a_combined_bill_paid_once_gives_a_report_per_entry(provider, keys):
    """Both entries carry the same TrxId; BillCtrNum tells them apart."""
    second = entry(SpCode="SP19966", BillId="B-2", BillCtrNum="199660000017", PaidAmt="4500.00")
    reading = provider.read("payments", wrap(payment(entry(), second, customer="110300000001"), keys.gepg))
    other = replace(
        REPORT, bill_id="B-2", control_number="199660000017", amount=Money(450_000), provider_code="SP19966"
    )
    assert reading.notices == (REPORT, other)


def test_one_part_of_a_combined_bill_paid_by_itself_has_its_own_number(provider, keys):
    """The group's id is not the bill's: as in a day's account, which does not say how many were paid at once."""
    element = payment(entry(BillCtrNum="199600000777"), customer="110300000001").replace(">B-7f3a<", ">G-1<", 1)
    (report,) = provider.read("payments", wrap(element, keys.gepg)).notices
    assert report.control_number == "199600000777"


def test_an_entry_among_several_without_its_own_number_has_the_customers(provider, keys):
    body = wrap(payment(entry(), entry(BillCtrNum="", PayRefId="9"), customer="110300000001"), keys.gepg)
    assert [report.control_number for report in provider.read("payments", body).notices] == [
        "199600000148",
        "110300000001",
    ]


@pytest.mark.parametrize(
    "element",
    [
        payment(count="2"),
        payment(entry(), entry(PayRefId="9"), count="1"),
        payment(count="one"),
        payment("", count="0"),
        payment("<!-- nothing -->" + entry(), count="1"),
        payment(entry(PayRefId="")),
        payment(entry(PayRefId=None)),
        payment(entry(PayRefId="9" * 101)),
        payment(entry(PayRefId="925 314000012345")),
        payment(entry(PayRefId="925314\n000012345")),
        payment(entry(PayRefId="925314\u200b000012345")),
        payment(entry(PayRefId="\uff19\uff12\uff15")),
        payment(entry(PayRefId="9253140000\u0661\u0662")),
        payment(customer="1996 0000 0148"),
        payment(customer="\uff11\uff19\uff19\uff16"),
        payment(entry(PaidAmt="")),
        payment(entry(PaidAmt=None)),
        payment(entry(PaidAmt="30,000.00")),
        payment(entry(PaidAmt="30000.005")),
        payment(entry(PaidAmt="3e4")),
        payment(entry(PaidAmt="+30000")),
        payment(entry(PaidAmt="30000.")),
        payment(entry(PaidAmt=".5")),
        payment(entry(PaidAmt="30 000")),
        payment(entry(PaidAmt="0x7530")),
        payment(entry(PaidAmt="1_000")),
        payment(entry(PaidAmt="NaN")),
        payment(entry(PaidAmt="Infinity")),
        payment(entry(PaidAmt="30000TZS")),
        payment(entry(PaidAmt="\uff13\uff10")),
        payment(entry(PaidAmt="9" * 100_000)),
        payment(entry(PaidAmt="0.000")),
        payment(entry(PaidAmt="-30000.00")),
        payment(entry(PaidAmt="0.00")),
        payment(entry(PaidAmt="٣٠٠٠٠")),
        payment(entry(PaidAmt="9" * 17)),
        payment(entry(PaidAmt="<a>30000</a>")),
        payment(entry(PaidAmt="30000<!-- 1 -->00")),
        payment(entry(PaidAmt="30000<?x?>00")),
        payment(entry(Ccy="")),
        payment(entry(Ccy="shilling")),
        payment(entry(TrxDtTm="")),
        payment(entry(TrxDtTm="10/11/2025 12:00")),
        payment(entry(TrxDtTm="2025-02-30T12:00:26")),
        payment(entry(TrxDtTm="2025-11-10T25:00:26")),
        payment(entry(TrxDtTm="2025-11-10")),
        payment(entry(TrxDtTm="0001-01-01T00:00:00")),  # has no hour in UTC
        payment(entry(TrxDtTm="1970-01-01T00:00:00")),
        payment(entry(TrxDtTm="9999-12-31T23:59:59")),
        payment(entry(BillCtrNum=""), customer=""),
        payment(entry(BillCtrNum="9" * 51), customer="9" * 51),
        payment(entry() + "<PmtTrxDtl/>"),
        payment(entry(), entry(PaidAmt="x", PayRefId="9")),  # one bad entry, and nothing of the message is believed
        payment(entry(Rsv3="</Rsv3><PaidAmt>1.00</PaidAmt><Rsv4>")),  # a value said twice
        payment(entry(Rsv3="</Rsv3><PaidAmt><x>1</x></PaidAmt><Rsv4>")),
        payment().replace("<PmtDtls>", "<PmtDtls>text"),
        payment().replace("<PmtHdr>", "<PmtHdr xmlns='urn:x'>"),
        payment().replace("<PmtDtls>", "<Other>").replace("</PmtDtls>", "</Other>"),
        payment(entry(PyrName="A & B")),
        payment(entry(PyrName="&undefined;")),
        payment(entry(PyrName="&#0;")),
        payment(entry(PyrName="\x01")),
        "<pmtSpNtfReq/>",
        "<pmtSpNtfReq></pmtSpNtfReq>",
        "<pmtSpNtfReq>" + "<a>" * 15 + "</a>" * 15 + "</pmtSpNtfReq>",
        "<pmtSpNtfReq><a></b></pmtSpNtfReq>",
        "<sucSpPmtRes><BatchHdr></BatchHdr></sucSpPmtRes>",  # reconciliation is not read here yet
        "<gepgPmtSpInfo><PymtTrxInf></PymtTrxInf></gepgPmtSpInfo>",
        "<gepgPmtSpInfo></gepgPmtSpInfo>",
        "<gepgSpReconcResp></gepgSpReconcResp>",
    ],
)
def test_well_signed_but_unreadable(provider, keys, element):
    reading = provider.read("payments", wrap(element, keys.gepg))
    assert (reading.verdict, reading.notices) == (Verdict.UNREADABLE, ())
    assert reading.why
    cut_before_the_signature_is_looked_at = b"<!--" in element.encode() or b"<?" in element.encode()
    assert reading.is_signed is not cut_before_the_signature_is_looked_at
    assert reading.why.startswith("well signed, but ") is reading.is_signed
    forged = provider.read("payments", wrap(element, keys.stranger))
    assert (forged.is_signed, forged.notices) == (False, ())


@pytest.mark.parametrize(("clock", "day"), [("2025-11-09T23:59:59", 9), ("2025-11-10T00:00:00", 10)])
def test_the_day_of_a_payment_is_east_africas(provider, keys, clock, day):
    """Both moments are of the 9th in UTC."""
    (report,) = provider.read("payments", wrap(payment(entry(TrxDtTm=clock)), keys.gepg)).notices
    assert (report.paid_at.astimezone(UTC).day, eat_day(report.paid_at).day) == (9, day)


def test_signed_bytes_that_are_not_utf8_are_unreadable(provider, keys):
    element = payment().encode().replace(b"Asha", b"Ash\xe9")
    assert provider.read("payments", wrap(element, keys.gepg)).verdict is Verdict.UNREADABLE


def test_the_reason_never_quotes_a_value(provider, keys):
    """``why`` goes to logs."""
    for field in ("PaidAmt", "Ccy", "TrxDtTm"):
        reading = provider.read("payments", wrap(payment(entry(**{field: "CANARY"})), keys.gepg))
        assert reading.verdict is Verdict.UNREADABLE
        assert "CANARY" not in reading.why
    assert "CANARY" not in provider.read("payments", wrap(payment(entry(PyrName="CANARY & <b>")), keys.gepg)).why

"""billSubRes: who is given a control number, and who is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gepg_samples import GIVEN, detail, result, wrap

from gateway.ports import BillRefused, ControlNumberGiven, Verdict

OWN = "199600000777"


def refused(code: str, text: str, bill_id: str = "B-7f3a") -> BillRefused:
    return BillRefused(bill_id, code, text)


@pytest.mark.parametrize(
    ("element", "notice"),
    [
        (result(detail()), GIVEN),
        (result(detail(number=OWN)), GIVEN),  # the customer of a normal bill pays CustCntrNum
        (result(detail(number=OWN), customer=""), ControlNumberGiven("B-7f3a", OWN)),
        (result(detail(number=OWN), customer="0"), ControlNumberGiven("B-7f3a", OWN)),
        (result(detail(number="0")), GIVEN),
        (result(detail(code="")), GIVEN),  # the header's code stands for the bill's
        (result(), GIVEN),  # no BillDtl: the group is the bill
        (result().replace("<BillDtls></BillDtls>", "<BillDtls />"), GIVEN),
        (result().replace("<BillDtls></BillDtls>", ""), GIVEN),
        (result(detail()).replace("><", ">\n  <"), GIVEN),
        # the number given before
        (result(detail(code="7226", words="Duplicate"), sts="GF", code="7226"), replace(GIVEN, repeated=True)),
        (result(detail(code="7226", words="Duplicate"), code="7101"), replace(GIVEN, repeated=True)),
        (result(detail(code="7242", words="Bad data"), sts="GF", code="7242"), refused("7242", "Bad data")),
        (result(detail(code="7242;7627", words="Bad"), sts="GF", code="7242;7627"), refused("7242;7627", "Bad")),
        (result(detail(words=""), sts="GF", code="7242"), refused("7242", "the request's data are not valid")),
        (result(detail(code="7101"), sts="GF", code="7101"), refused("GF", "Successful")),
        (result(detail(code="7301; 7201", words="")), refused("7301;7201", "the bill is partly paid; failure")),
        (result(detail(code="9999", words="")), refused("9999", "not in our table")),
        (result(sts="GF", code="7303", words="Invalid Signature", customer="0"), refused("7303", "Invalid Signature")),
        (result(detail(code="7242", words="w" * 500)), refused("7242", "w" * 200)),
    ],
)  # fmt: skip
def test_one_bill(provider, keys, element, notice):
    reading = provider.read("bills", wrap(element, keys.gepg))
    assert (reading.verdict, reading.message_id, reading.notices) == (Verdict.GENUINE, "RES-1", (notice,)), reading.why


def test_among_several_bills_each_has_its_own_number(provider, keys):
    body = wrap(result(detail(), detail("B-2", OWN), customer="110300000001"), keys.gepg)
    assert provider.read("bills", body).notices == (GIVEN, ControlNumberGiven("B-2", OWN))


def test_one_refusal_among_several(provider, keys):
    body = wrap(result(detail(), detail("B-2", "0", "7224", "Wrong amount")), keys.gepg)
    assert provider.read("bills", body).notices == (GIVEN, refused("7224", "Wrong amount", "B-2"))


@pytest.mark.parametrize(
    "element",
    [
        result(detail(number="0"), customer="0"),  # success without a number
        result(detail(number="12345678901"), customer="1234567890123"),
        result(detail(number="19960000014x"), customer=""),
        result(detail(number="١٩٩٦٠٠٠٠٠١٤٨"), customer=""),
        result(detail(number="000000000000"), customer="000000000000"),
        result(detail(number=""), detail("B-2")),  # the group's number is no bill's among several
        result(detail(bill_id="")),
        result(detail(bill_id="x" * 101)),
        result(detail(code=""), code=""),
        result(detail(code="GS")),
        result(detail(code=";".join(["7242"] * 11))),
        result(detail(code=";")),
        result(detail(code="71012")),
        result().replace("<GrpBillId>B-7f3a</GrpBillId>", ""),
        result(detail()).replace("BillHdr", "Header"),
        result(detail()).replace("</BillHdr>", "<CustCntrNum>199600000777</CustCntrNum></BillHdr>"),
    ],
)
def test_unreadable_results(provider, keys, element):
    reading = provider.read("bills", wrap(element, keys.gepg))
    assert (reading.verdict, reading.notices) == (Verdict.UNREADABLE, ())


@pytest.mark.parametrize("code", ["7201", "7242", "7303", "7226", "7242;7627", "9999", "7101;7242"])
def test_a_refusal_never_carries_a_number(provider, keys, code):
    """On GF the number may be an old one, of another bill or another family."""
    body = wrap(
        result(detail(number="991060011846", code=code), sts="GF", code="7242", customer="991060011846"), keys.gepg
    )
    (notice,) = provider.read("bills", body).notices
    assert isinstance(notice, BillRefused)
    assert "991060011846" not in repr(notice)

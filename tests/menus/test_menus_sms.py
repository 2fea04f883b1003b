"""What is sent by SMS: in plain letters, in one segment, with the longest data, in every language."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from played.talk import BOOK

from gateway.domain.bill import Bill, BillState, PayOption
from gateway.domain.effects import SendSms
from gateway.domain.money import Money
from gateway.domain.periods import Period
from gateway.domain.segments import fits_one_sms, is_gsm7, units
from gateway.domain.ussd.samples import SMS
from gateway.ports import Requester
from gateway.service.messages import Messages

MESSAGES = Messages(BOOK)
RECEIPT = SMS["receipt"]
LAST = datetime(2026, 12, 31, 20, 59, tzinfo=UTC)  # 31 December in Dar es Salaam; an hour later it is January there
BILL = Bill(
    id="B0123456789ABCDEF0123", key="family:7/product:3/after:12", generation=1, family_id=7, product_id=3,
    product_code="CHF1", preceding_policy_id=12, stage="R", chfid="100000014", payer_name="Mwanamkasi Rajabu",
    amount=Money(999_999_900), policy_value=Money(999_999_900), pay_option=PayOption.EXACT, provider_code="SP19960",
    state=BillState.NUMBERED, control_number=SMS["number"], paid=Money(0), created_at=LAST - timedelta(days=30),
    expires_at=LAST,
)  # fmt: skip
MILLIONS = Money(999_999_900)


def every_message(bill: Bill, language: str, amount: Money) -> dict[str, SendSms]:
    """One of each kind."""
    reader = Requester("+255754100200", language)
    start, until = date(2027, 1, 1), date(2027, 12, 31)
    return {
        "control_number": MESSAGES.control_number(bill, [reader])[0],
        "number_refused": MESSAGES.number_refused(bill, [reader])[0],
        "number_cancelled": MESSAGES.number_cancelled(bill, [reader])[0],
        "covered": MESSAGES.covered(reader, bill, amount, RECEIPT, start, until),
        "paid_ready": MESSAGES.paid_ready(reader, bill, amount, RECEIPT),
        "cover_moved": MESSAGES.cover_moved(reader, bill.chfid, 12, Period(start, until)),
        "part_paid": MESSAGES.part_paid(reader, bill, amount, RECEIPT, amount),
        "receipt": MESSAGES.receipt(reader, amount, RECEIPT, "994180000017"),
        "held": MESSAGES.held(reader, amount, RECEIPT, "994180000017"),
    }


WRITTEN = {
    "sw": {
        "control_number": "CHF: Namba ya malipo 9941 8000 0017. Lipa TZS 9,999,999 kabla ya 31/12/2026 kwa simu "
        "(Malipo ya Serikali) au benki. Bima ya 100000014.",
        "number_refused": "CHF: Samahani, namba ya malipo ya bima 100000014 haijapatikana. Jaribu tena kesho au "
        "muulize afisa wa CHF.",
        "number_cancelled": "CHF: Familia 100000014 ina bima tayari. Usilipe namba 9941 8000 0017: imefutwa.",
        "covered": "CHF: Tumepokea TZS 9,999,999. Risiti 123456789012345. Bima ya familia 100000014 ni hai 01/01/2027 "
        "hadi 31/12/2027. Asante.",
        "paid_ready": "CHF: Tumepokea TZS 9,999,999. Risiti 123456789012345. Malipo ya bima 100000014 yamekamilika. "
        "Afisa wa CHF ataifanya hai; tutakujulisha.",
        "cover_moved": "CHF: Bima ya familia 100000014 imelipwa mara mbili. Fedha hazijapotea: bima ya pili ni hai "
        "01/01/2027 hadi 31/12/2027.",
        "part_paid": "CHF: Tumepokea TZS 9,999,999. Risiti 123456789012345. Bado TZS 9,999,999 kukamilisha bima ya "
        "100000014. Namba 9941 8000 0017.",
        "receipt": "CHF: Tumepokea malipo yako TZS 9,999,999. Risiti 123456789012345. Asante.",
        "held": "CHF: Tumepokea TZS 9,999,999. Risiti 123456789012345. Malipo yanakaguliwa na afisa; tutakujulisha. "
        "Fedha zako ziko salama.",
    },
    "en": {
        "control_number": "CHF: Control number 9941 8000 0017. Pay TZS 9,999,999 before 31/12/2026 by phone "
        "(Government Payments) or bank. Insurance 100000014.",
        "number_refused": "CHF: Sorry, no control number could be had for insurance 100000014. Try tomorrow or ask "
        "your CHF officer.",
        "number_cancelled": "CHF: Family 100000014 is covered already. Do not pay number 9941 8000 0017: it is "
        "cancelled.",
        "covered": "CHF: TZS 9,999,999 received. Receipt 123456789012345. Family 100000014 is covered 01/01/2027 to "
        "31/12/2027. Thank you.",
        "paid_ready": "CHF: TZS 9,999,999 received. Receipt 123456789012345. Insurance 100000014 is paid in full. A "
        "CHF officer will activate it; we will tell you.",
        "cover_moved": "CHF: Family 100000014 was paid for twice. No money is lost: the second cover runs "
        "01/01/2027 to 31/12/2027.",
        "part_paid": "CHF: TZS 9,999,999 received. Receipt 123456789012345. TZS 9,999,999 still due for insurance "
        "100000014. Number 9941 8000 0017.",
        "receipt": "CHF: We received your payment of TZS 9,999,999. Receipt 123456789012345. Thank you.",
        "held": "CHF: TZS 9,999,999 received. Receipt 123456789012345. An officer is checking the payment; we will "
        "tell you. Your money is safe.",
    },
}


@pytest.mark.parametrize("language", BOOK.languages)
def test_every_message_reads_so(language: str) -> None:
    assert {kind: sms.text for kind, sms in every_message(BILL, language, MILLIONS).items()} == WRITTEN[language]


@pytest.mark.parametrize("language", BOOK.languages)
@pytest.mark.parametrize("amount", [Money(15_000_000), MILLIONS, Money(SMS["amount"])], ids=str)
def test_every_message_is_one_segment(language: str, amount: Money) -> None:
    bill = replace(BILL, amount=amount, policy_value=amount)
    for kind, sms in every_message(bill, language, amount).items():
        assert is_gsm7(sms.text), kind
        assert fits_one_sms(sms.text), (kind, units(sms.text), sms.text)
        assert not set(sms.text) & set("{}"), kind
        assert " - " not in sms.text, f"{kind}: a dash for something that is missing"


def test_every_kind_of_message_in_the_book_is_written_by_someone() -> None:
    kinds = {key.removeprefix("sms.") for key in BOOK.language("sw").texts if key.startswith("sms.")}
    assert kinds == set(every_message(BILL, "sw", MILLIONS)) == set(WRITTEN["sw"]) == set(WRITTEN["en"])


def test_what_is_still_due_is_what_is_asked_for() -> None:
    bill = replace(BILL, amount=Money(3_000_000), paid=Money(1_000_000))
    assert "TZS 20,000 " in MESSAGES.control_number(bill, [Requester("+255754100200", "en")])[0].text


def test_the_last_day_is_east_africas() -> None:
    late = replace(BILL, expires_at=LAST + timedelta(hours=1))
    assert "01/01/2027" in MESSAGES.control_number(late, [Requester("+255754100200", "en")])[0].text


def test_a_stranger_is_told_nothing_of_the_family() -> None:
    for language in BOOK.languages:
        text = every_message(BILL, language, MILLIONS)["receipt"].text
        assert not any(known in text for known in ("100000014", "994180000017", "9941", "31/12", "Rajabu"))


def test_a_message_about_a_thing_leaves_once_a_phone_and_each_reader_reads_his_language() -> None:
    readers = [Requester("+255754100200", "sw"), Requester("+255754100201", "en")]
    first, second = MESSAGES.control_number(BILL, readers)
    assert (first.to, second.to) == ("+255754100200", "+255754100201")
    assert first.text.startswith("CHF: Namba")
    assert second.text.startswith("CHF: Control")
    assert first.key != second.key
    again = MESSAGES.control_number(BILL, readers)[0]
    assert again.key == first.key
    keys = [sms.key for sms in every_message(BILL, "sw", MILLIONS).values()]
    assert len(set(keys)) == len(keys), "two kinds of message drop each other"


def test_one_reference_that_pays_two_numbers_sends_two_receipts() -> None:
    reader = Requester("+255754100200", "sw")
    one, two = (MESSAGES.receipt(reader, MILLIONS, RECEIPT, number) for number in ("994180000017", "994180000018"))
    assert one.key != two.key

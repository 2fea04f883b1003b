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
from gateway.domain.ussd.book import Template
from gateway.domain.ussd.by_sms import ELSEWHERE, messages_of
from gateway.domain.ussd.effects import TellCommission
from gateway.domain.ussd.facts import FACTS, MESSAGE_FIELDS, SMS_FIELDS
from gateway.domain.ussd.samples import SMS
from gateway.domain.ussd.session import OTHER_NETWORK
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
NETWORKS = (*BOOK.networks, OTHER_NETWORK)
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
        "cover_moved": MESSAGES.cover_moved(reader, bill.family_id, bill.chfid, 12, Period(start, until)),
        "part_paid": MESSAGES.part_paid(reader, bill, amount, RECEIPT, amount),
        "receipt": MESSAGES.receipt(reader, amount, RECEIPT, "994180000017"),
        "held": MESSAGES.held(reader, amount, RECEIPT, "994180000017"),
        "how_bank": MESSAGES.how_to_pay(bill, "bank", OTHER_NETWORK, reader),
        **{f"how_mobile.{network}": MESSAGES.how_to_pay(bill, "mobile", network, reader) for network in NETWORKS},
        "commission": MESSAGES.commission(told(language, amount, reckoned=True), start),
        "collected": MESSAGES.commission(told(language, amount, reckoned=False), start),
        **{kind: _answer(reader, kind, amount) for fact in FACTS for kind in messages_of(fact)},
        ELSEWHERE: _answer(reader, ELSEWHERE, amount),
    }


def told(language: str, amount: Money, reckoned: bool) -> TellCommission:
    minor = amount.amount_minor
    return TellCommission("EO0000000123", "2026-12-01", reckoned, minor, minor, "+255754100200", language)


def _answer(reader: Requester, kind: str, amount: Money) -> SendSms:
    """With all that any answer may mention."""
    scope = {"chfid": "100000014", "number": "994180000017", "amount": amount.amount_minor, "expires": "2026-12-31"}
    about = f"answer:2026-12-31T20/{kind}"
    dates = {"start": "2027-01-01", "until": "2027-12-31", "month": "12/2026"}
    sums = dict.fromkeys(("collected", "due", "paid"), amount.amount_minor)
    last = {"receipt": RECEIPT, "day": "2026-12-31", "count": 40, "covered": 39}
    return MESSAGES.answer(reader, kind, about, LAST, **scope, **dates, **sums, **last)


WRITTEN = {
    "sw": {
        "control_number": "CHF: Namba ya malipo 9941 8000 0017. Lipa TZS 9,999,999 kwa simu "
        "(Malipo ya Serikali) au benki, mwisho 31/12/2026. Bima ya 100000014.",
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
        "how_mobile.vodacom": "CHF: Lipa TZS 9,999,999 kwa M-Pesa. Piga *150*00#, chagua Malipo ya Serikali. Namba "
        "9941 8000 0017, mwisho 31/12/2026.",
        "how_mobile.yas": "CHF: Lipa TZS 9,999,999 kwa Mixx by Yas. Piga *150*01#, chagua Malipo ya Serikali. Namba "
        "9941 8000 0017, mwisho 31/12/2026.",
        "how_mobile.airtel": "CHF: Lipa TZS 9,999,999 kwa Airtel Money. Piga *150*60#, chagua Malipo ya Serikali. "
        "Namba 9941 8000 0017, mwisho 31/12/2026.",
        "how_mobile.halotel": "CHF: Lipa TZS 9,999,999 kwa HaloPesa. Piga *150*88#, chagua Malipo ya Serikali. Namba "
        "9941 8000 0017, mwisho 31/12/2026.",
        "how_mobile.ttcl": "CHF: Lipa TZS 9,999,999 kwa T-Pesa. Piga *150*71#, chagua Malipo ya Serikali. Namba "
        "9941 8000 0017, mwisho 31/12/2026.",
        "how_mobile.other": "CHF: Lipa TZS 9,999,999: M-Pesa *150*00#, Mixx *150*01#, Airtel *150*60#, HaloPesa "
        "*150*88#, T-Pesa *150*71#. Namba 9941 8000 0017, mwisho 31/12/2026.",
        "how_bank": "CHF: Lipa TZS 9,999,999 benki au kwa wakala wa benki. Toa namba ya malipo 9941 8000 0017, mwisho "
        "31/12/2026. Tunza risiti.",
        "commission": "CHF: Kamisheni 12/2026: TZS 9,999,999. Makusanyo yote: TZS 9,999,999.",
        "collected": "CHF: Makusanyo 12/2026: TZS 9,999,999. Kamisheni haijahesabiwa.",
        "answer_cover_covered": "CHF 31/12 23:59: Bima ya 100000014 ni HAI hadi 31/12/2027.",
        "answer_cover_undated": "CHF 31/12 23:59: Bima ya 100000014 ni HAI. Mwisho wake haujulikani: muone afisa wa "
        "CHF.",
        "answer_cover_ready": "CHF 31/12 23:59: Bima ya 100000014 imelipwa. Bado si hai: afisa wa CHF ataifanya hai.",
        "answer_cover_ended": "CHF 31/12 23:59: Bima ya 100000014 IMEISHA.",
        "answer_cover_starts": "CHF 31/12 23:59: Bima ya 100000014 imelipwa. Inaanza 01/01/2027.",
        "answer_cover_unpaid": "CHF 31/12 23:59: Bima ya 100000014 HAIJALIPWA.",
        "answer_cover_suspended": "CHF 31/12 23:59: Bima ya 100000014 IMESIMAMISHWA. Muone afisa wa CHF.",
        "answer_cover_expired": "CHF 31/12 23:59: Bima ya 100000014 IMEISHA tangu 31/12/2027.",
        "answer_cover_none": "CHF 31/12 23:59: Namba 100000014 haina bima.",
        "answer_cover_unknown": "CHF 31/12 23:59: Namba ya bima 100000014 haipo. Piga tena uandike namba sahihi.",
        "answer_cover_limited": "CHF 31/12 23:59: Umejaribu mara nyingi. Piga tena baada ya saa moja.",
        "answer_cover_stranger": "CHF 31/12 23:59: Simu hii haijasajiliwa. Piga tena uandike namba ya bima ya CHF.",
        "answer_cover_several": "CHF 31/12 23:59: Simu hii ina familia zaidi ya moja. Piga tena uchague familia.",
        "answer_bill_numbered": "CHF 31/12 23:59: Namba ya malipo 9941 8000 0017. Lipa TZS 9,999,999, "
        "mwisho 31/12/2026. Bima ya 100000014.",
        "answer_bill_none": "CHF 31/12 23:59: Bima ya 100000014 haina namba ya malipo sasa. Piga "
        "tena uchague Lipia bima.",
        "answer_quote_payable": "CHF 31/12 23:59: Bima ya 100000014: lipa TZS 9,999,999. Itakuwa hai "
        "01/01/2027 hadi 31/12/2027 ukilipa leo. Piga tena upate namba ya malipo.",
        "answer_quote_suspended": "CHF 31/12 23:59: Bima ya 100000014 IMESIMAMISHWA. Muone afisa wa CHF.",
        "answer_quote_already_renewed": "CHF 31/12 23:59: Bima ijayo ya 100000014 imeshalipwa. Hakuna cha kulipa sasa.",
        "answer_quote_no_product": "CHF 31/12 23:59: Hakuna bima inayouzwa kwa eneo lako sasa. Muone afisa wa CHF.",
        "answer_quote_nothing_due": "CHF 31/12 23:59: Hakuna cha kulipa sasa kwa bima ya 100000014.",
        "answer_members_some": "CHF 31/12 23:59: Familia 100000014: watu 40, wenye bima hai 39. Piga tena kuona "
        "kila mtu.",
        "answer_members_none": "CHF 31/12 23:59: Familia 100000014 haipo tena kwenye orodha. Muone afisa wa CHF.",
        "answer_payment_checked": "CHF 31/12 23:59: Afisa anakagua malipo ya bima 100000014. Fedha zako ziko salama. "
        "Usilipe tena.",
        "answer_payment_waiting": "CHF 31/12 23:59: Namba ya malipo ya bima 100000014 haijafika bado. Piga tena "
        "uchague Namba ya malipo.",
        "answer_payment_numbered": "CHF 31/12 23:59: Bima 100000014 bado HAIJALIPWA: TZS 9,999,999. Namba "
        "9941 8000 0017, mwisho 31/12/2026. Kama umelipa leo, subiri SMS.",
        "answer_payment_part_paid": "CHF 31/12 23:59: Bado TZS 9,999,999 kwa bima 100000014. Namba 9941 8000 0017, "
        "mwisho 31/12/2026.",
        "answer_payment_part_due": "CHF 31/12 23:59: Bado TZS 9,999,999 kwa bima 100000014. Piga tena uchague "
        "Lipia bima.",
        "answer_payment_paid": "CHF 31/12 23:59: Malipo ya mwisho ya bima 100000014: TZS 9,999,999, 31/12/2026. "
        "Risiti 123456789012345.",
        "answer_payment_none": "CHF 31/12 23:59: Hakuna malipo ya bima 100000014 yaliyopokelewa bado.",
        "answer_commission_nothing": "CHF 31/12 23:59: Hakuna makusanyo mwezi 12/2026.",
        "answer_commission_collected": "CHF 31/12 23:59: Makusanyo 12/2026: TZS 9,999,999. Kamisheni haijahesabiwa.",
        "answer_commission_partly": "CHF 31/12 23:59: Kamisheni 12/2026: TZS 9,999,999, haijahesabiwa kwa yote. "
        "Makusanyo yote: TZS 9,999,999.",
        "answer_commission_reckoned": "CHF 31/12 23:59: Kamisheni 12/2026: TZS 9,999,999. Makusanyo yote: "
        "TZS 9,999,999.",
        "answer_elsewhere": "CHF 31/12 23:59: Familia uliyoulizia si ya eneo lako. Namba ya malipo itaombwa na familia "
        "au na afisa wa eneo lake.",
        "answer_late": "CHF: Samahani, hatukuweza kujibu ulichouliza. Tafadhali piga tena.",
    },
    "en": {
        "control_number": "CHF: Control number 9941 8000 0017. Pay TZS 9,999,999 by phone "
        "(Government Payments) or bank, last day 31/12/2026. Insurance 100000014.",
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
        "how_mobile.vodacom": "CHF: Pay TZS 9,999,999 by M-Pesa. Dial *150*00#, choose Government Payments. Number "
        "9941 8000 0017, last day 31/12/2026.",
        "how_mobile.yas": "CHF: Pay TZS 9,999,999 by Mixx by Yas. Dial *150*01#, choose Government Payments. Number "
        "9941 8000 0017, last day 31/12/2026.",
        "how_mobile.airtel": "CHF: Pay TZS 9,999,999 by Airtel Money. Dial *150*60#, choose Government Payments. "
        "Number 9941 8000 0017, last day 31/12/2026.",
        "how_mobile.halotel": "CHF: Pay TZS 9,999,999 by HaloPesa. Dial *150*88#, choose Government Payments. Number "
        "9941 8000 0017, last day 31/12/2026.",
        "how_mobile.ttcl": "CHF: Pay TZS 9,999,999 by T-Pesa. Dial *150*71#, choose Government Payments. Number "
        "9941 8000 0017, last day 31/12/2026.",
        "how_mobile.other": "CHF: Pay TZS 9,999,999: M-Pesa *150*00#, Mixx *150*01#, Airtel *150*60#, HaloPesa "
        "*150*88#, T-Pesa *150*71#. Number 9941 8000 0017, last day 31/12/2026.",
        "how_bank": "CHF: Pay TZS 9,999,999 at a bank or a bank agent. Give control number 9941 8000 0017, last day "
        "31/12/2026. Keep the receipt.",
        "commission": "CHF: Commission 12/2026: TZS 9,999,999. Collected in all: TZS 9,999,999.",
        "collected": "CHF: Collected 12/2026: TZS 9,999,999. Commission is not worked out.",
        "answer_cover_covered": "CHF 31/12 23:59: Insurance 100000014 is COVERED until 31/12/2027.",
        "answer_cover_undated": "CHF 31/12 23:59: Insurance 100000014 is COVERED. Its last day is not known: see your "
        "CHF officer.",
        "answer_cover_ready": "CHF 31/12 23:59: Insurance 100000014 is paid. Not active yet: a CHF officer will "
        "activate it.",
        "answer_cover_ended": "CHF 31/12 23:59: Insurance 100000014 ENDED.",
        "answer_cover_starts": "CHF 31/12 23:59: Insurance 100000014 is paid. Cover starts 01/01/2027.",
        "answer_cover_unpaid": "CHF 31/12 23:59: Insurance 100000014 is NOT PAID.",
        "answer_cover_suspended": "CHF 31/12 23:59: Insurance 100000014 is SUSPENDED. See your CHF officer.",
        "answer_cover_expired": "CHF 31/12 23:59: Insurance 100000014 ENDED on 31/12/2027.",
        "answer_cover_none": "CHF 31/12 23:59: Number 100000014 has no insurance.",
        "answer_cover_unknown": "CHF 31/12 23:59: There is no insurance number 100000014. Dial again "
        "and type the right number.",
        "answer_cover_limited": "CHF 31/12 23:59: You tried too often. Dial again after one hour.",
        "answer_cover_stranger": "CHF 31/12 23:59: This phone is not registered. Dial again and type "
        "a CHF insurance number.",
        "answer_cover_several": "CHF 31/12 23:59: This phone has more than one family. Dial again and choose a family.",
        "answer_bill_numbered": "CHF 31/12 23:59: Control number 9941 8000 0017. Pay TZS 9,999,999, "
        "last day 31/12/2026. Insurance 100000014.",
        "answer_bill_none": "CHF 31/12 23:59: Insurance 100000014 has no control number now. Dial "
        "again and choose Pay for insurance.",
        "answer_quote_payable": "CHF 31/12 23:59: Insurance 100000014: pay TZS 9,999,999. Covered "
        "01/01/2027 to 31/12/2027 if you pay today. Dial again for a control number.",
        "answer_quote_suspended": "CHF 31/12 23:59: Insurance 100000014 is SUSPENDED. See your CHF officer.",
        "answer_quote_already_renewed": "CHF 31/12 23:59: The next insurance of 100000014 is paid "
        "already. Nothing to pay now.",
        "answer_quote_no_product": "CHF 31/12 23:59: No insurance is sold where you live now. See your CHF officer.",
        "answer_quote_nothing_due": "CHF 31/12 23:59: Nothing to pay now for insurance 100000014.",
        "answer_members_some": "CHF 31/12 23:59: Family 100000014: 40 people, 39 covered now. Dial again to see each "
        "one.",
        "answer_members_none": "CHF 31/12 23:59: Family 100000014 is not on the list any more. See your CHF officer.",
        "answer_payment_checked": "CHF 31/12 23:59: An officer checks a payment for insurance 100000014. Your money "
        "is safe. Do not pay again.",
        "answer_payment_waiting": "CHF 31/12 23:59: The control number of insurance 100000014 has not come yet. Dial "
        "again and choose Control number.",
        "answer_payment_numbered": "CHF 31/12 23:59: Insurance 100000014 is NOT PAID yet: TZS 9,999,999. Number "
        "9941 8000 0017, last day 31/12/2026. If you paid today, wait for the SMS.",
        "answer_payment_part_paid": "CHF 31/12 23:59: TZS 9,999,999 is still due for insurance 100000014. Number "
        "9941 8000 0017, last day 31/12/2026.",
        "answer_payment_part_due": "CHF 31/12 23:59: TZS 9,999,999 is still due for insurance 100000014. Dial again "
        "and choose Pay for insurance.",
        "answer_payment_paid": "CHF 31/12 23:59: Last payment for insurance 100000014: TZS 9,999,999, 31/12/2026. "
        "Receipt 123456789012345.",
        "answer_payment_none": "CHF 31/12 23:59: No payment for insurance 100000014 was received yet.",
        "answer_commission_nothing": "CHF 31/12 23:59: Nothing was collected in 12/2026.",
        "answer_commission_collected": "CHF 31/12 23:59: Collected 12/2026: TZS 9,999,999. Commission is not "
        "worked out.",
        "answer_commission_partly": "CHF 31/12 23:59: Commission 12/2026: TZS 9,999,999, not worked out for all. "
        "Collected in all: TZS 9,999,999.",
        "answer_commission_reckoned": "CHF 31/12 23:59: Commission 12/2026: TZS 9,999,999. Collected in all: TZS "
        "9,999,999.",
        "answer_elsewhere": "CHF 31/12 23:59: The family that you asked for is not of your area. It asks for its "
        "control number itself, or its own officer does.",
        "answer_late": "CHF: Sorry, we could not answer your question. Please dial again.",
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


def test_a_message_knows_the_fields_that_texts_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither less, which would be a dash, nor more, which would be refused."""
    all_fields = Template(" ".join(f"{name}=[{{{name}}}]" for name in sorted(SMS_FIELDS)))
    swahili = BOOK.language("sw")
    texts = dict.fromkeys(swahili.texts, all_fields)
    monkeypatch.setattr(
        f"{__name__}.MESSAGES", Messages(replace(BOOK, languages={"sw": replace(swahili, texts=texts)}))
    )
    known = {
        kind.split(".")[0]: {name for name in SMS_FIELDS if f"{name}=[-]" not in sms.text}
        for kind, sms in every_message(BILL, "sw", MILLIONS).items()
        if kind.split(".")[0] in MESSAGE_FIELDS
    }
    assert known == {kind: set(fields) for kind, fields in MESSAGE_FIELDS.items()}


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
    kinds = every_message(BILL, "sw", MILLIONS)
    same = {sms.key for kind, sms in kinds.items() if kind.startswith("how_mobile.")}
    assert len(same) == 1, "how to pay by phone is said once, whatever the network of the next call"
    assert len({sms.key for sms in kinds.values()}) == len(kinds) - len(NETWORKS) + 1, "two kinds drop each other"


def test_one_reference_that_pays_two_numbers_sends_two_receipts() -> None:
    reader = Requester("+255754100200", "sw")
    one, two = (MESSAGES.receipt(reader, MILLIONS, RECEIPT, number) for number in ("994180000017", "994180000018"))
    assert one.key != two.key


def test_an_officer_gets_the_same_figures_once_a_day_and_other_figures_at_once() -> None:
    day, sent = date(2026, 12, 5), told("sw", MILLIONS, reckoned=True)
    key = MESSAGES.commission(sent, day).key
    assert MESSAGES.commission(replace(sent, language="en"), day).key == key
    others = [
        MESSAGES.commission(sent, day + timedelta(days=1)),
        *(
            MESSAGES.commission(replace(sent, **other), day)
            for other in (
                {"commission_minor": 1},
                {"collected_minor": 1},
                {"first": "2026-11-01"},
                {"officer": "EO2"},
                {"msisdn": "+255754100201"},
                {"reckoned": False},
            )
        ),
    ]
    assert len({key, *(sms.key for sms in others)}) == 1 + len(others)

"""Bad data as production holds it: read without a crash, and the caller is told what can be known.

Each case goes from the rows through the registry, the rules and the menus' own facts. Where the registry says too
little, what is said must err on the side that takes nobody's money and promises no cover.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

import menus
from adapters.registry.openimis import tables as t
from gateway.domain.bill import PayOption
from gateway.domain.money import Money
from gateway.domain.quote import Quote
from gateway.domain.ussd.book import load_book
from gateway.ports import LegacyStatus, PaymentReceived
from gateway.service.index_phones import IndexPhones
from gateway.service.quotes import read_quote
from gateway.service.ussd_facts import UssdFacts
from gateway.service.ussd_members import MembersFact
from gateway.store import tables as g
from gateway.store.callers import SqlCallers
from gateway.store.follow import SqlFollow

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 8, 15, 30, tzinfo=UTC)
DEAD = datetime(2026, 1, 1, tzinfo=UTC)
END = TODAY + timedelta(days=364)
YESTERDAY = TODAY - timedelta(days=1)
PHONE, MSISDN = "0712000001", "+255712000001"
BOOK = load_book(*menus.read())
NOBODY: dict[str, Any] = {"language": None, "count": 0, "families": []}


class Clock:
    def now(self) -> datetime:
        return NOW


class OneTransaction:
    """A unit of work that is the test's own transaction."""

    def __init__(self, world: Any) -> None:
        connection = world.connection
        self._all = SimpleNamespace(
            registry=world.registry, callers=SqlCallers(connection), follow=SqlFollow(connection)
        )

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        yield self._all

    writing = reading


@dataclass
class Desk:
    """What a caller is told."""

    world: Any
    uow: Any

    async def caller(self, msisdn: str = MSISDN) -> dict[str, Any]:
        await IndexPhones(self.uow, Clock())()
        return await UssdFacts(self.uow, Clock()).caller(msisdn)

    async def first_screen(self) -> tuple[str, str | None, str | None]:
        """State, last day, first day; the enquiry by number must say the same, and both in words."""
        [told] = (await self.caller())["families"]
        cover = {name: told[name] for name in ("state", "until", "start")}
        assert await self.enquiry(told["chfid"]) == cover
        for language in BOOK.languages.values():
            for text in (f"home.{told['state']}", f"enquiry_answer.{told['state']}"):
                said = language.say(text, {"family": told, "enquiry": cover})
                assert said != text
                assert "None" not in said
        return told["state"], told["until"], told["start"]

    async def enquiry(self, chfid: str) -> dict[str, Any]:
        return await UssdFacts(self.uow, Clock()).enquiry(chfid, MSISDN)

    async def quote(self, family: int) -> dict[str, Any]:
        told = await UssdFacts(self.uow, Clock()).quote(family)
        return {name: told[name] for name in ("state", "amount", "start", "until") if name in told}

    async def priced(self, family: int) -> Quote:
        quote, _ = await read_quote(self.world.registry, family, TODAY)
        assert isinstance(quote, Quote)
        return quote

    async def enrolled(self, *policies: dict[str, Any], **product: Any) -> int:
        """A family whose head has the phone, with these policies of one product."""
        sold = await self.world.product(**product)
        family: int = (await self.world.family(PHONE))[0]
        for values in policies:
            await self.world.policy(family, sold, **values)
        return family


@pytest.fixture
async def desk(world: Any) -> Desk:
    await world.connection.run_sync(g.metadata.create_all)
    return Desk(world, OneTransaction(world))


def payable(amount: int, start: date = TODAY, until: date = END) -> dict[str, Any]:
    return {"state": "payable", "amount": amount, "start": start.isoformat(), "until": until.isoformat()}


NEW = payable(30_000_00)
DUE_NOTHING = {"state": "nothing_due"}


# ------------------------------------------------------------------------------------------------------------ policies

ACTIVE = {"PolicyStatus": 2, "EffectiveDate": TODAY}
IDLE = {"PolicyStatus": 1}
OVER = {"StartDate": TODAY - timedelta(days=365), "ExpiryDate": YESTERDAY}
AFTER = payable(30_000_00, END + timedelta(days=1), date(2028, 11, 21))


@pytest.mark.parametrize(
    ("policies", "told", "quoted"),
    [
        # no end: covered, and until when is not said; a renewal begins today, since no day precedes it
        ([{**ACTIVE, "ExpiryDate": None}], ("undated", None, None), NEW),
        ([{"PolicyStatus": 8, "ExpiryDate": None}], ("ended", None, None), NEW),
        ([{"PolicyStatus": 4, "ExpiryDate": None}], ("suspended", None, None), {"state": "suspended"}),
        # one end unknown beside a known one: that day is covered for certain
        ([{**ACTIVE, "ExpiryDate": None}, ACTIVE], ("covered", str(END), None), AFTER),
        # no status is idle, as a missing value is openIMIS' default; a number that is none of its five is an officer's
        ([{"PolicyStatus": None}], ("unpaid", None, None), NEW),
        ([{"PolicyStatus": 3}], ("suspended", None, None), {"state": "suspended"}),
        ([{"PolicyStatus": 0}], ("suspended", None, None), {"state": "suspended"}),
        ([{"PolicyStatus": 3, **OVER}], ("expired", str(YESTERDAY), None), NEW),
        ([{"PolicyStatus": 99, **OVER}, IDLE], ("unpaid", str(YESTERDAY), None), NEW),
        # twice the same: both active are one cover to the later end; of two idle ones the newer is paid
        ([ACTIVE, ACTIVE], ("covered", str(END), None), AFTER),
        (
            [ACTIVE, {**ACTIVE, "ExpiryDate": END + timedelta(days=3)}],
            ("covered", str(END + timedelta(days=3)), None),
            payable(30_000_00, END + timedelta(days=4), date(2028, 11, 24)),
        ),
        ([IDLE, {**IDLE, "PolicyValue": Decimal(25000)}], ("unpaid", None, None), payable(25_000_00)),
        ([ACTIVE, IDLE], ("covered", str(END), None), NEW),
        # no effective day: covered from the start; no stage: new; no value: nothing can be asked for
        ([{"PolicyStatus": 2}], ("covered", str(END), None), AFTER),
        ([{"PolicyStatus": 2, "StartDate": END}], ("starts", str(END), str(END)), {"state": "already_renewed"}),
        ([{**IDLE, "PolicyStage": None}], ("unpaid", None, None), NEW),
        ([{**IDLE, "PolicyStage": " "}], ("unpaid", None, None), NEW),
        ([{**IDLE, "PolicyValue": None}], ("unpaid", None, None), DUE_NOTHING),
        ([{**ACTIVE, "PolicyValue": None}], ("covered", str(END), None), AFTER),
        # it ends before it begins: over
        ([{**ACTIVE, "ExpiryDate": YESTERDAY}], ("expired", str(YESTERDAY), None), NEW),
    ],
)
async def test_a_policy_with_a_gap(desk: Desk, policies: Any, told: Any, quoted: dict[str, Any]) -> None:
    family = await desk.enrolled(*policies)
    assert await desk.first_screen() == told
    assert await desk.quote(family) == quoted


async def test_an_idle_policy_without_an_end_can_be_paid(desk: Desk) -> None:
    family = await desk.enrolled({**IDLE, "ExpiryDate": None})
    assert await desk.first_screen() == ("unpaid", None, None)
    quoted = await desk.quote(family)
    assert (quoted["state"], quoted["amount"], quoted["start"]) == ("payable", 30_000_00, str(TODAY))


async def test_a_policy_without_stage_is_paid_as_new(desk: Desk) -> None:
    assert (await desk.priced(await desk.enrolled({**IDLE, "PolicyStage": None}))).stage == "N"


async def test_a_policy_of_a_product_that_is_gone(desk: Desk) -> None:
    family = await desk.enrolled()
    await desk.world.policy(family, 4711, **ACTIVE)
    assert (await desk.first_screen())[0] == "covered"
    assert (await desk.priced(family)).product.code == "CHFDOM"  # what is sold there now


# ------------------------------------------------------------------------------------------------------------ premiums


async def test_premiums_that_do_not_count_and_premiums_that_say_little(desk: Desk) -> None:
    """A premium that may be a photo fee is none to openIMIS; an empty receipt and nobody who paid are still money."""
    family = await desk.enrolled(IDLE)
    [policy] = await desk.world.rows(t.policies)
    await desk.world.premium(policy, "10000", isPhotoFee=None)
    assert await desk.quote(family) == NEW
    await desk.world.premium(policy, "12000.50", Receipt="", PayType=" ", isOffline=None)
    await desk.world.premium(policy, "0", Receipt="")
    assert await desk.quote(family) == payable(17_999_50)
    [held] = await desk.world.registry.policies(family)
    assert held.paid == Money.parse("12000.50")
    assert await desk.world.registry.receipt_is_used(held.product_id, "")
    assert (await desk.world.registry.last_premium(policy)).paid_on == TODAY


async def test_a_corrected_premium_takes_money_back(desk: Desk) -> None:
    family = await desk.enrolled(IDLE)
    [policy] = await desk.world.rows(t.policies)
    await desk.world.premium(policy, "5000")
    await desk.world.premium(policy, "-5000")
    assert await desk.quote(family) == NEW


async def test_more_than_the_value_was_paid_and_nobody_activated_it(desk: Desk) -> None:
    family = await desk.enrolled(IDLE)
    [policy] = await desk.world.rows(t.policies)
    await desk.world.premium(policy, "40000")
    assert (await desk.first_screen())[0] == "unpaid"
    assert await desk.quote(family) == DUE_NOTHING


async def test_money_on_a_numbered_payment_whose_number_was_never_written(desk: Desk) -> None:
    """tblPayment says "numbered" and tblControlNumber has no row, or a row without the number."""
    for with_row in (False, True):
        payment = await desk.world.put(t.payments, PaymentStatus=LegacyStatus.NUMBERED)
        if with_row:
            await desk.world.put(t.control_numbers, PaymentID=payment)
        received = PaymentReceived(Money.parse("30000"), "R", None, None, NOW, None, 1, matched=True)
        await desk.world.registry.payment_received(payment, received, NOW)
        await desk.world.registry.number_given(payment, "994180000017", NOW)
        row = (await desk.world.rows(t.payments))[payment]
        assert (row["PaymentStatus"], row["ReceivedAmount"]) == (LegacyStatus.MATCHED, Decimal(30000))
    [number] = (await desk.world.rows(t.control_numbers)).values()
    assert number["ControlNumber"] == "994180000017"


async def test_a_payment_of_which_nothing_is_known(desk: Desk) -> None:
    payment = await desk.world.put(t.payments)  # no status, no amounts, no details
    received = PaymentReceived(Money.parse("1"), "R", None, None, NOW, None, 1, matched=False)
    await desk.world.registry.payment_received(payment, received, NOW)
    await desk.world.registry.payment_matched(payment, NOW)
    assert (await desk.world.rows(t.payments))[payment]["PaymentStatus"] == LegacyStatus.MATCHED


# -------------------------------------------------------------------------------------------------- phones and families


@pytest.mark.parametrize(
    "spelt", [PHONE, "255712000001", "+255 712 000 001", "0712-000-001", "712000001", "2550712000001"]
)
async def test_a_phone_however_it_is_spelt(desk: Desk, spelt: str) -> None:
    await desk.world.family(spelt)
    assert (await desk.caller())["count"] == 1


@pytest.mark.parametrize(
    "spelt",
    ["0712000001/0713000001", "0712000001, 0713000001", "0712000001 0713000001", "071200000", "hana", "-", " ", ""],
)
async def test_two_numbers_in_one_field_or_none_are_nobodys(desk: Desk, spelt: str) -> None:
    """Neither half is picked: the other may be a neighbour's. The insurance number still finds the family."""
    family, _ = await desk.world.family(spelt)
    for msisdn in (MSISDN, "+255713000001"):
        assert await desk.caller(msisdn) == NOBODY
    assert (await desk.enquiry("000000001"))["state"] == "none"
    assert (await desk.world.registry.family(family)).head.phone == spelt


@pytest.mark.parametrize("head", ["none", "dead", "elsewhere", "funding"])
async def test_a_family_whose_head_is_not_there(desk: Desk, head: str) -> None:
    product = await desk.world.product()
    family, [first, second] = await desk.world.family(PHONE, "0712000002")
    _, [stranger] = await desk.world.family("0712000003")
    said = {"none": 0, "dead": first, "elsewhere": stranger, "funding": first}[head]
    await desk.world.connection.execute(
        t.families.update().where(t.families.c.FamilyID == family).values(InsureeID=said)
    )
    if head in ("dead", "funding"):
        gone = {"ValidityTo": DEAD} if head == "dead" else {"CHFID": "999999999"}
        await desk.world.connection.execute(t.insurees.update().where(t.insurees.c.InsureeID == first).values(gone))
    await desk.world.policy(family, product, **ACTIVE)
    by_second = (await desk.caller("+255712000002"))["families"]
    assert [told["state"] for told in by_second] == ["covered"]
    assert (await desk.world.registry.family(family)).head.insuree_id == (
        second if head in ("dead", "funding") else first
    )
    assert await desk.quote(family) == AFTER
    if head == "dead":
        assert await desk.caller() == NOBODY
        assert by_second[0]["chfid"] == "000000002"


async def test_an_insuree_whose_family_is_gone(desk: Desk) -> None:
    _, [head] = await desk.world.family(PHONE)
    await desk.world.connection.execute(t.families.delete())
    assert await desk.caller() == NOBODY
    assert await desk.enquiry("000000001") == {"state": "unknown"}
    assert await desk.world.registry.insuree_covers([head]) == []


async def test_a_member_without_birth_date_pays_as_an_adult(desk: Desk) -> None:
    prices = {"LumpSum": Decimal(0), "PremiumAdult": Decimal(10000), "PremiumChild": Decimal(1000)}
    await desk.world.product(**prices)
    family, members = await desk.world.family(PHONE, None, None)
    for member, born in zip(members, (None, date(2020, 1, 1), date(1890, 1, 1)), strict=True):
        await desk.world.connection.execute(
            t.insurees.update().where(t.insurees.c.InsureeID == member).values(DOB=born)
        )
    assert await desk.quote(family) == payable(21_000_00)


@pytest.mark.parametrize(
    ("kept", "asked", "state"),
    [
        ("000000001", "000000001", "covered"),
        ("ab12", "ab12", "covered"),
        # the number as it is kept: spaces and case are part of it, and no look-up guesses
        (" 000000001", "000000001", "unknown"),
        ("000000001 ", "000000001", "unknown"),
        ("ab12", "AB12", "unknown"),
        (None, "000000001", "unknown"),
        ("", "000000001", "unknown"),
    ],
)
async def test_an_insurance_number_as_it_is_kept(desk: Desk, kept: str | None, asked: str, state: str) -> None:
    await desk.enrolled(ACTIVE)
    await desk.world.connection.execute(t.insurees.update().values(CHFID=kept))
    assert (await desk.enquiry(asked))["state"] == state
    [told] = (await desk.caller())["families"]  # the phone finds the family all the same
    assert (told["state"], told["chfid"]) == ("covered", kept or "")
    assert told["label"] == f"Asha 1 Mushi {kept or ''}"


async def test_one_insurance_number_for_two_people(desk: Desk) -> None:
    """A head's family before a member's; among equals the one that was there first. One answer, never two."""
    product = await desk.world.product()
    _, [_, member] = await desk.world.family("0712000002", "0712000003")
    covered, [head] = await desk.world.family(PHONE)
    _, [later] = await desk.world.family("0712000004")
    await desk.world.policy(covered, product, **ACTIVE)
    same = t.insurees.c.InsureeID.in_([member, head, later])
    await desk.world.connection.execute(t.insurees.update().where(same).values(CHFID="000000777"))
    assert (await desk.enquiry("000000777"))["state"] == "covered"
    assert (await desk.caller("+255712000004"))["families"][0]["state"] == "none"


# ------------------------------------------------------------------------------------------------------------ products


async def test_a_product_that_says_little(desk: Desk) -> None:
    """No instalments: all at once. No threshold and no member count: everybody, for the one price."""
    gaps = {"MaxInstallments": None, "Threshold": None, "MemberCount": 0, "GracePeriodRenewal": None}
    texts = {"AccCodePremiums": "", "StartCycle1": "", "StartCycle2": "31-02", "StartCycle3": "siku"}
    await desk.world.product(**gaps, **texts, PremiumAdult=Decimal(5000), AdministrationPeriod=None)
    family, _ = await desk.world.family(PHONE, *[None] * 9)
    assert await desk.quote(family) == NEW
    quote = await desk.priced(family)
    assert (quote.pay_option, quote.product.provider_code) == (PayOption.EXACT, None)
    assert quote.product.start_cycles == ()


@pytest.mark.parametrize(
    ("values", "quoted"),
    [
        ({"LumpSum": Decimal(0)}, DUE_NOTHING),  # no price at all
        ({"DateTo": datetime(2026, 11, 21, tzinfo=UTC)}, {"state": "no_product"}),
        ({"ConversionProdID": 4711, "DateTo": datetime(2026, 11, 21, tzinfo=UTC)}, {"state": "no_product"}),
        ({"RenewalDiscountPerc": 10, "RenewalDiscountPeriod": None}, NEW),
        ({"LocationId": 4711}, {"state": "no_product"}),  # sold in a place that nobody lives in
    ],
)
async def test_a_product_that_cannot_be_sold_or_not_so(desk: Desk, values: dict[str, Any], quoted: Any) -> None:
    family = await desk.enrolled(**values)
    assert await desk.quote(family) == quoted


async def test_a_product_that_converts_to_itself(desk: Desk) -> None:
    family = await desk.enrolled({**ACTIVE, **OVER}, DateTo=datetime(2026, 11, 21, tzinfo=UTC))
    await desk.world.connection.execute(t.products.update().values(ConversionProdID=t.products.c.ProdID))
    assert await desk.quote(family) == {"state": "no_product"}


# ------------------------------------------------------------------------------------------------------------- members


async def shown_members(desk: Desk, family: int) -> list[tuple[str, str, str | None]]:
    told = await MembersFact(desk.uow, Clock())(family)
    assert told["state"] == "some"
    return [(item["name"], item["state"], item["until"]) for item in told["items"]]


async def test_a_member_is_told_its_own_cover(desk: Desk) -> None:
    """Rows without a day, dead rows, rows of a policy that died, of members who died or went to another family."""
    world, sold = desk.world, await desk.world.product()
    family, members = await world.family(PHONE, None, None, None, None, None)
    policy = await world.policy(family, sold, PolicyStatus=2, EffectiveDate=TODAY)
    dead = await world.policy(family, sold, PolicyStatus=2, EffectiveDate=TODAY, ValidityTo=DEAD)
    whole = {"PolicyId": policy, "StartDate": TODAY, "EffectiveDate": TODAY, "ExpiryDate": END}
    await world.put(t.insuree_policies, InsureeID=members[0], **whole)
    await world.put(t.insuree_policies, InsureeID=members[1], **{**whole, "EffectiveDate": None})
    await world.put(t.insuree_policies, InsureeID=members[2], **whole, ValidityTo=DEAD)
    await world.put(t.insuree_policies, InsureeID=members[3], **{**whole, "PolicyId": dead})
    await world.put(t.insuree_policies, InsureeID=members[4], PolicyId=policy, EffectiveDate=TODAY)
    await world.put(t.insuree_policies, InsureeID=members[5], **whole)
    gone = t.insurees.update().where(t.insurees.c.InsureeID == members[5])
    await world.connection.execute(gone.values(ValidityTo=DEAD))
    assert await shown_members(desk, family) == [
        ("Asha 1", "covered", END.isoformat()),
        ("Asha 2", "unpaid", None),
        ("Asha 3", "none", None),
        ("Asha 4", "none", None),
        ("Asha 5", "covered", END.isoformat()),
    ]
    _, [other] = await world.family(None)
    moved = t.insurees.update().where(t.insurees.c.InsureeID == members[4])
    await world.connection.execute(moved.values(FamilyID=family + 1))  # the row of the old family's policy stays
    assert [row.insuree_id for row in await world.registry.coverages(family)] == members[:2]
    assert other not in members


async def test_two_live_policies_are_the_best_of_both(desk: Desk) -> None:
    sold = await desk.world.product()
    family, members = await desk.world.family(PHONE, None)
    first = await desk.world.policy(family, sold, PolicyStatus=2, EffectiveDate=TODAY, ExpiryDate=None)
    second = await desk.world.policy(family, sold, PolicyStatus=1)
    days = {"StartDate": TODAY, "EffectiveDate": TODAY}
    await desk.world.put(t.insuree_policies, InsureeID=members[0], PolicyId=first, **days)
    await desk.world.put(t.insuree_policies, InsureeID=members[1], PolicyId=second)
    assert await shown_members(desk, family) == [("Asha 1", "undated", None), ("Asha 2", "unpaid", None)]


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ({"OtherNames": "Mwanamkasi Rajabu Selemani"}, "Mwanamkasi"),
        ({"OtherNames": "Mwanamkasirajabu"}, "Mwanamkasiraja"),
        ({"OtherNames": " Asha   Juma "}, "Asha Juma"),
        ({"OtherNames": " ", "LastName": " "}, "000000001"),
        ({"OtherNames": ""}, "Mushi"),
    ],
)
async def test_a_name_is_as_long_as_a_line_lets_it_be(desk: Desk, names: dict[str, str], shown: str) -> None:
    family = await desk.enrolled()
    await desk.world.connection.execute(t.insurees.update().values(**names))
    assert await shown_members(desk, family) == [(shown, "none", None)]


async def test_a_family_that_is_gone_has_no_members(desk: Desk) -> None:
    assert (await MembersFact(desk.uow, Clock())(4711))["state"] == "none"

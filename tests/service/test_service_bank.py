"""Money through a bank: by control number and by insurance number, settled by the same code and the same rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from service_world import (
    COVERED,
    EXPIRED,
    EXPIRED_YESTERDAY,
    INSTALMENTS,
    NEVER_PAID,
    NUMBER,
    OFFICER_RENEWAL,
    RENEWED,
    STRANGER,
    SUSPENDED,
    UNENROLLED,
    Peer,
    Provider,
    Sms,
    World,
)
from sqlalchemy import update

from adapters.registry.openimis import tables as t
from gateway.domain.bill import BillFact
from gateway.domain.cases import Act
from gateway.domain.clock import eat_day
from gateway.domain.money import Money
from gateway.domain.outcomes import Refused
from gateway.domain.payments import PaymentReport
from gateway.ports import ControlNumberGiven, Evidence, Notice, Verdict
from gateway.service.run_effects import RunEffects
from gateway.service.settle_case import Decision, SettleCase
from gateway.service.ussd_facts import UssdFacts
from gateway.store import tables as g

BANK = "bank-crdb"
NOBODY = "999999980"


async def noticed(world: World, *notices: Notice, provider: str = BANK) -> list[str]:
    """One message of a bank received and settled; the entries' states."""
    inbox_id, now = uuid4().hex, world.clock.now()
    about = next((n.reference for n in notices if isinstance(n, PaymentReport)), None)
    kept = Evidence(inbox_id, provider, "notice", now, b"ok", 2, {}, "0" * 64, Verdict.GENUINE, "", about, 200)
    async with world.database.writing() as tx:
        await tx.inbox.keep(kept, notices)
    await world.settle_all()
    return [row["state"] for row in await world.rows(g.entry, inbox_id=inbox_id)]


async def chfid_of(world: World, family_id: int) -> str:
    (head,) = [i for i in await world.rows(t.insurees, FamilyID=family_id, ValidityTo=None) if i["IsHead"]]
    return str(head["CHFID"])


async def by_chfid(
    world: World, family_id: int, amount: str | Money = "30000", reference: str = "CRDB-1", **more: Any
) -> PaymentReport:
    chfid = await chfid_of(world, family_id)
    paid = Money.parse(amount) if isinstance(amount, str) else amount
    fields = {"paid_at": world.clock.now() - timedelta(minutes=1), "origin": "CRDB", **more}
    return PaymentReport(reference, chfid, paid, fields.pop("paid_at"), chfid=chfid, **fields)


async def effects(world: World, kind: str) -> Sequence[dict[str, Any]]:
    return await world.rows(g.outbox, kind=kind)


# ------------------------------------------------------------------------------------------------- by control number


async def test_a_number_that_is_paid_at_a_bank_is_settled_and_withdrawn_where_it_was_issued(world: World) -> None:
    bill = await world.numbered(EXPIRED)
    assert bill.issuer == "fakepay"
    report = world.payment(bill, reference="CRDB-1", bill_id=None)
    assert await noticed(world, report) == ["settled"]
    assert (await world.bill(bill.id)).state == "paid"
    (premium,) = await world.rows(t.premiums, Receipt="CRDB-1")
    assert premium["Amount"] == Decimal("30000.00")
    (job,) = await effects(world, "cancel_bill")
    assert job["payload"] == {"bill_id": bill.id}
    assert await noticed(world, report) == ["duplicate"]
    assert len(await effects(world, "cancel_bill")) == 1


async def test_what_comes_through_the_issuer_is_not_withdrawn(world: World) -> None:
    bill = await world.numbered(EXPIRED)
    assert await world.told(world.payment(bill)) == ["settled"]
    assert await effects(world, "cancel_bill") == []


async def test_the_withdrawal_is_asked_of_the_issuer(world: World) -> None:
    bill = await world.numbered(EXPIRED)
    await noticed(world, world.payment(bill, reference="CRDB-1"))
    issuer = Provider()
    run = RunEffects(world.database, Peer(), issuer, Sms(), world.messages, world.clock)
    await run.batch("bills")
    assert [order.bill.id for order in issuer.cancels] == [bill.id]
    assert {job["state"] for job in await effects(world, "cancel_bill")} == {"done"}


async def test_a_number_that_could_not_be_withdrawn_is_put_before_a_person(world: World) -> None:
    bill = await world.numbered(EXPIRED)
    await noticed(world, world.payment(bill, reference="CRDB-1"))
    run = RunEffects(world.database, Peer(), Provider(cancelled=Refused("7279")), Sms(), world.messages, world.clock)
    await run.batch("bills")
    assert await world.cases() == ["effect_held"]


async def test_a_number_that_is_paid_twice_all_the_same_is_a_case(world: World) -> None:
    bill = await world.numbered(EXPIRED)
    assert await noticed(world, world.payment(bill, reference="CRDB-1", bill_id=None)) == ["settled"]
    assert await world.told(world.payment(bill, bill.amount, reference="924")) == ["case"]
    assert await world.cases() == ["paid_twice"]
    assert await world.count(t.premiums, Receipt="924") == 0


@pytest.mark.parametrize(
    ("first", "second", "withdrawn"),
    [("fakepay", "fakepay", 0), (BANK, "fakepay", 1), ("fakepay", BANK, 1), (BANK, BANK, 1)],
)
async def test_parts_through_two_providers(world: World, first: str, second: str, withdrawn: int) -> None:
    """The issuer counts only its own part: once the bill is paid, its number must go, whoever took the rest."""
    bill = await world.numbered(INSTALMENTS)
    part = Money(bill.amount.amount_minor // 2)
    assert await noticed(world, world.payment(bill, part, reference="P1"), provider=first) == ["settled"]
    assert await effects(world, "cancel_bill") == [], "the rest may still be paid on it"
    rest = bill.amount - part
    assert await noticed(world, world.payment(bill, rest, reference="P2"), provider=second) == ["settled"]
    assert (await world.bill(bill.id)).state == "paid"
    assert len(await effects(world, "cancel_bill")) == withdrawn


async def test_the_same_reference_with_another_amount_is_refused_and_kept(world: World) -> None:
    bill = await world.numbered(EXPIRED)
    assert await noticed(world, world.payment(bill, reference="CRDB-1")) == ["settled"]
    assert await noticed(world, world.payment(bill, "29000", reference="CRDB-1", control_number=NUMBER)) == [
        "conflicting"
    ]
    assert await world.cases() == ["conflict"]


# ----------------------------------------------------------------------------------------------- by insurance number


@pytest.mark.parametrize(
    ("family_id", "stage"),
    [(EXPIRED, "R"), (EXPIRED_YESTERDAY, "R"), (OFFICER_RENEWAL, "R"), (UNENROLLED, "N"), (NEVER_PAID, "N")],
)
async def test_a_family_without_a_bill_is_covered(world: World, family_id: int, stage: str) -> None:
    due = (await world.quote(family_id)).amount
    report = await by_chfid(world, family_id, due, payer_msisdn=STRANGER)
    assert await noticed(world, report) == ["settled"]
    (premium,) = await world.rows(t.premiums, Receipt="CRDB-1")
    (policy,) = await world.rows(t.policies, PolicyID=premium["PolicyID"])
    assert (policy["FamilyID"], policy["PolicyStatus"], policy["PolicyStage"]) == (family_id, 2, stage)
    (bill,) = await world.rows(g.bill, family_id=family_id)
    assert (bill["state"], bill["control_number"], bill["paid_minor"]) == ("paid", None, due.amount_minor)
    (row,) = await world.rows(t.payments, PaymentID=bill["payment_record_id"])
    assert (row["PaymentStatus"], row["ReceiptNo"]) == (5, "CRDB-1")
    assert await effects(world, "submit_bill") == [], "nobody needs a number any more"
    assert await effects(world, "cancel_bill") == []
    assert ("receipt", STRANGER) in await world.sms()
    assert not [text for text in await world.texts() if "None" in text]
    assert await noticed(world, report) == ["duplicate"]
    assert await world.count(t.premiums, Receipt="CRDB-1") == 1


async def test_the_bill_that_was_asked_for_by_phone_is_used_and_its_number_withdrawn(world: World) -> None:
    bill = await world.numbered(EXPIRED)
    assert await noticed(world, await by_chfid(world, EXPIRED, bill.amount)) == ["settled"]
    assert (await world.bill(bill.id)).state == "paid"
    assert await world.count(g.bill, family_id=EXPIRED) == 1
    assert [job["payload"]["bill_id"] for job in await effects(world, "cancel_bill")] == [bill.id]
    assert await world.told(world.payment(bill, bill.amount, reference="924")) == ["case"]
    assert await world.cases() == ["paid_twice"]


async def test_a_number_that_comes_after_the_money_is_withdrawn_at_once(world: World) -> None:
    bill = await world.ask(EXPIRED)
    assert await noticed(world, await by_chfid(world, EXPIRED, bill.amount)) == ["settled"]
    issuer = Provider()
    run = RunEffects(world.database, Peer(), issuer, Sms(), world.messages, world.clock)
    await run.batch("bills")
    assert issuer.orders == [], "it is not asked for any more"
    assert await world.told(ControlNumberGiven(bill.id, NUMBER)) == ["settled"]  # but was on its way
    assert (await world.bill(bill.id)).state == "paid"
    assert [job["payload"]["bill_id"] for job in await effects(world, "cancel_bill")] == [bill.id]
    assert "control_number" not in [message for message, _ in await world.sms()]
    await run.batch("bills")
    assert [order.bill.id for order in issuer.cancels] == [bill.id]


@pytest.mark.parametrize("amount", ["29000", "31000"])
async def test_another_amount_is_a_case_and_leaves_no_bill(world: World, amount: str) -> None:
    report = await by_chfid(world, EXPIRED, amount, payer_msisdn=STRANGER)
    assert await noticed(world, report) == ["case"]
    assert await world.cases() == ["wrong_amount"]
    assert await world.count(g.bill, family_id=EXPIRED) == 0, "one that nobody asked for would be asked a number for"
    (case,) = await world.rows(g.case)
    assert (case["bill_id"], case["details"]["billed_minor"]) == (None, 3_000_000)
    (details,) = await world.rows(t.payment_details, PaymentID=case["details"]["payment_record_id"])
    assert details["InsuranceNumber"] == report.chfid
    assert await world.sms() == [("held", STRANGER)]
    # a person places it
    said = await SettleCase(world.database, world.messages, world.clock)(
        case["id"], Decision(Act.MATCH, "Ester", chfid=report.chfid)
    )
    assert "booked on policy" in said
    assert await world.count(t.premiums, Receipt="CRDB-1") == 1


@pytest.mark.parametrize(
    ("family_id", "kind"),
    [(SUSPENDED, "policy_suspended"), (RENEWED, "already_covered"), (COVERED, "already_covered")],
)
async def test_what_is_not_due_is_a_case(world: World, family_id: int, kind: str) -> None:
    assert await noticed(world, await by_chfid(world, family_id)) == ["case"]
    assert await world.cases() == [kind]
    assert await world.count(t.premiums, Receipt="CRDB-1") == 0


async def test_a_number_that_nobody_has_is_a_case(world: World) -> None:
    report = PaymentReport("CRDB-1", NOBODY, Money(3_000_000), world.clock.now(), chfid=NOBODY)
    assert await noticed(world, report) == ["unmatched"]
    assert await world.cases() == ["unknown_control_number"]


async def test_a_second_payment_buys_no_second_year(world: World) -> None:
    """Two members of the family pay at two banks on one day: the second is put before a person."""
    assert await noticed(world, await by_chfid(world, EXPIRED)) == ["settled"]
    assert await noticed(world, await by_chfid(world, EXPIRED, reference="NMB-7"), provider="bank-nmb") == ["case"]
    assert await world.cases() == ["already_covered"]
    assert await world.count(t.premiums, Receipt="NMB-7") == 0


async def test_a_renewal_that_was_asked_for_is_paid_however_early(world: World) -> None:
    bill = await world.ask(COVERED)
    assert await noticed(world, await by_chfid(world, COVERED, bill.amount)) == ["settled"]
    assert (await world.bill(bill.id)).state == "paid"


@pytest.mark.parametrize(("days", "state"), [(90, "settled"), (91, "case")])
async def test_unasked_a_cover_is_renewed_in_its_last_ninety_days(world: World, days: int, state: str) -> None:
    last_day = world.today + timedelta(days=days)
    await world.execute(
        update(t.policies)
        .where(t.policies.c.FamilyID == COVERED, t.policies.c.PolicyStatus == 2)
        .values(ExpiryDate=last_day)
    )
    due = (await world.quote(COVERED)).amount
    assert await noticed(world, await by_chfid(world, COVERED, due)) == [state]


async def test_instalments_by_insurance_number(world: World) -> None:
    due = (await world.quote(INSTALMENTS)).amount
    first = Money(due.amount_minor // 2)
    assert await noticed(world, await by_chfid(world, INSTALMENTS, first)) == ["settled"]
    (bill,) = await world.rows(g.bill, family_id=INSTALMENTS)
    assert bill["state"] == "part_paid"
    assert [message for message, _ in await world.sms()] == ["receipt"], "there is no number to pay the rest on"
    assert await noticed(world, await by_chfid(world, INSTALMENTS, due - first, "CRDB-2")) == ["settled"]
    (bill,) = await world.rows(g.bill, family_id=INSTALMENTS)
    assert (bill["state"], bill["paid_minor"]) == ("paid", due.amount_minor)
    (policy,) = {p["PolicyID"] for p in await world.rows(t.premiums) if p["Receipt"] in ("CRDB-1", "CRDB-2")}
    assert (await world.rows(t.policies, PolicyID=policy))[0]["PolicyStatus"] == 2


async def test_the_rest_of_instalments_can_be_asked_for_by_phone(world: World) -> None:
    """A part that came by insurance number has no control number, and none would come for it: a new bill is asked."""
    due = (await world.quote(INSTALMENTS)).amount
    first = Money(due.amount_minor // 2)
    assert await noticed(world, await by_chfid(world, INSTALMENTS, first)) == ["settled"]
    assert await UssdFacts(world.database, world.clock).bill(INSTALMENTS) == {"state": "none"}, "nothing to wait for"
    rest = await world.numbered(INSTALMENTS)
    assert rest.amount == due - first
    assert await world.told(world.payment(rest, reference="924")) == ["settled"]
    assert (await world.bill(rest.id)).state == "paid"
    assert await world.cases() == []


async def test_late_news_is_priced_and_dated_by_the_day_of_payment(world: World) -> None:
    paid_at = world.clock.now()
    report = await by_chfid(world, EXPIRED, paid_at=paid_at)
    world.clock.pass_(days=20)
    assert await noticed(world, report) == ["settled"]
    (premium,) = await world.rows(t.premiums, Receipt="CRDB-1")
    (policy,) = await world.rows(t.policies, PolicyID=premium["PolicyID"])
    assert premium["PayDate"] == policy["StartDate"] == eat_day(paid_at)


@pytest.mark.parametrize("settlers", [1, 4])
async def test_twenty_notices_of_one_payment_at_once(world: World, settlers: int) -> None:
    report = await by_chfid(world, EXPIRED)
    for _ in range(20):
        await world.receive(report)
    await world.settle_all(settlers)
    states = [row["state"] for row in await world.rows(g.entry)]
    assert (states.count("settled"), states.count("duplicate")) == (1, 19)
    assert await world.count(t.premiums, Receipt="CRDB-1") == 1
    assert await world.count(g.bill, family_id=EXPIRED) == 1


@pytest.mark.parametrize("settlers", [1, 4])
async def test_two_banks_at_once_buy_one_cover(world: World, settlers: int) -> None:
    for n in range(4):
        await world.receive(await by_chfid(world, EXPIRED, reference=f"CRDB-{n}"))
    await world.settle_all(settlers)
    states = sorted(row["state"] for row in await world.rows(g.entry))
    assert states == ["case", "case", "case", "settled"]
    assert await world.count(g.bill, family_id=EXPIRED) == 1


async def test_a_bill_says_who_issued_its_number(world: World) -> None:
    bill = await world.ask(EXPIRED)
    async with world.database.writing() as tx:
        changed = await tx.bills.record(bill, BillFact.NUMBERED, world.clock.now(), control_number=NUMBER, issuer="x")
    assert changed.issuer == (await world.bill(bill.id)).issuer == "x"

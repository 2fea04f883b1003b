"""What a payment does, table by table: each kind of family, each way it is paid."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from decimal import Decimal

import pytest
from service_world import (
    COVERED,
    EIGHT,
    EXPIRED,
    EXPIRED_YESTERDAY,
    INSTALMENTS,
    NEVER_PAID,
    NO_PHONE,
    NUMBER,
    OFFICER_RENEWAL,
    SOON,
    STRANGER,
    TWO_PHONES,
    UNENROLLED,
    World,
    eventually,
)
from sqlalchemy import text

from adapters.registry.openimis import tables as t
from gateway.domain.bill import BillFact
from gateway.domain.clock import eat_day
from gateway.domain.money import Money
from gateway.domain.periods import add_months
from gateway.domain.policy import Policy
from gateway.ports import ControlNumberGiven
from gateway.store import tables as g

A = "+255712000001"
DAY = timedelta(days=1)


def year_from(start: date) -> date:
    return add_months(start, 12) - DAY


async def policies(world: World, family_id: int) -> tuple[Policy, ...]:
    async with world.database.reading() as tx:
        found: tuple[Policy, ...] = await tx.registry.policies(family_id)
        return found


# ---- an exact payment, row by row


@dataclass(frozen=True)
class Paid:
    """A family and what its payment must do. ``start``: months and days from today of a policy to be born."""

    family_id: int
    price: str
    stage: str
    covered: int
    start: tuple[int, int] | None = None  # None: the officer's idle policy is used
    prompted: bool = False


PAID = {
    "covered, renews early": Paid(COVERED, "30000.00", "R", 3, (8, 1)),
    "about to expire, prompted": Paid(SOON, "30000.00", "R", 4, (0, 8), prompted=True),
    "expired, prompted": Paid(EXPIRED, "30000.00", "R", 2, (0, 0), prompted=True),
    "expired, openIMIS has not noticed": Paid(EXPIRED_YESTERDAY, "150000.00", "R", 2, (0, 0)),
    "never enrolled": Paid(UNENROLLED, "30000.00", "N", 2, (0, 0)),
    "eight members, a price for six": Paid(EIGHT, "30000.00", "R", 8, (1, 1)),
    "officer's renewal waits": Paid(OFFICER_RENEWAL, "30000.00", "R", 2),
    "enrolled, never paid": Paid(NEVER_PAID, "30000.00", "N", 2),
}


@pytest.mark.parametrize("paid", PAID.values(), ids=PAID)
async def test_an_exact_payment(world: World, paid: Paid) -> None:
    await world.gives(paid.family_id, A)
    bill = await world.numbered(paid.family_id)
    before = await policies(world, paid.family_id)
    now, today, price = world.clock.now(), world.today, Decimal(paid.price)
    report = world.payment(bill, reference="923003000023547", origin="CRDB", receipt="1704803236988")
    states: list[str] = []

    async def pay() -> None:
        states.extend(await world.told(report))

    done = await world.changes_of(pay)
    assert states == ["settled"]

    # the policy: born active, or the officer's made active; beside it one history row of its idle state
    history = [row for row in done.inserted["tblPolicy"] if row["ValidityTo"] is not None]
    born = [row for row in done.inserted["tblPolicy"] if row["ValidityTo"] is None]
    assert len(history) == 1
    if paid.start is not None:
        (policy,) = born
        start = add_months(today, paid.start[0]) + timedelta(days=paid.start[1])
        effective, expiry = start, year_from(start)
        assert (policy["EnrollDate"], policy["PolicyStage"], policy["PolicyValue"]) == (today, paid.stage, price)
        assert (policy["FamilyID"], policy["AuditUserID"], policy["ValidityFrom"]) == (paid.family_id, -1, now)
        last = max(before, key=lambda p: p.id, default=None)
        # a family that never had an officer gets its district's: openIMIS' nightly prompts fail on a policy without
        assert policy["OfficerID"] == (last.officer_id if last else 1)
        assert "tblPolicy" not in done.updated
    else:
        assert born == []
        (idle,) = [p for p in before if p.status == 1]
        policy = {"PolicyID": idle.id}
        start, effective, expiry = idle.start_date, today, idle.expiry_date  # dates as the officer set them
        assert done.updated["tblPolicy"] == {idle.id: {"PolicyStatus": 2, "EffectiveDate": effective}}
    after = {p.id: p for p in await policies(world, paid.family_id)}[policy["PolicyID"]]
    assert (after.status, after.start_date, after.effective_date, after.expiry_date) == (2, start, effective, expiry)
    assert after.paid == after.value == Money.parse(paid.price)
    assert (history[0]["LegacyID"], history[0]["ValidityTo"]) == (policy["PolicyID"], now)
    assert (history[0]["PolicyStatus"], history[0]["EffectiveDate"]) == (1, None)
    assert (history[0]["StartDate"], history[0]["ExpiryDate"]) == (start, expiry)

    # who is covered
    if paid.start is not None:
        covers = done.inserted["tblInsureePolicy"]
        members = await world.rows(t.insurees, FamilyID=paid.family_id, ValidityTo=None)
        assert [c["InsureeID"] for c in covers] == [m["InsureeID"] for m in members][: paid.covered]
        assert {c["EnrollmentDate"] for c in covers} == {today}
    else:
        covers = await world.rows(t.insuree_policies, PolicyId=policy["PolicyID"], ValidityTo=None)
        changed = done.updated["tblInsureePolicy"]
        assert changed == {c["InsureePolicyID"]: {"EffectiveDate": effective} for c in covers}
    assert len(covers) == paid.covered
    assert {(c["PolicyId"], c["StartDate"], c["EffectiveDate"], c["ExpiryDate"]) for c in covers} == {
        (policy["PolicyID"], start, effective, expiry)
    }

    # the money
    (premium,) = done.inserted["tblPremium"]
    assert (premium["PolicyID"], premium["Amount"], premium["Receipt"]) == (policy["PolicyID"], price, report.reference)
    assert (premium["PayDate"], premium["PayType"], premium["isPhotoFee"]) == (today, "M", False)
    assert done.updated["tblPayment"] == {
        bill.payment_record_id: {
            "PaymentStatus": 5,
            "ReceivedAmount": price,
            "ReceivedDate": now,
            "PaymentDate": report.paid_at,
            "MatchedDate": now,
            "ReceiptNo": report.reference,
            "TransactionNo": "T1",
            "PaymentOrigin": "CRDB",
        }
    }
    (details,) = done.updated["tblPaymentDetails"].values()
    enrolled = today if paid.start is not None else idle.enroll_date
    assert details == {"Amount": price, "PremiumID": premium["PremiumId"], "enrollmentDate": enrolled}

    # openIMIS stops asking, and nothing else of its tables is touched
    prompts = done.updated.get("tblPolicyRenewals", {})
    assert len(prompts) == (1 if paid.prompted else 0)
    assert all((p["ResponseStatus"], p["ValidityTo"]) == (1, now) for p in prompts.values())
    assert set(done.inserted) | set(done.updated) <= {
        "tblPolicy",
        "tblInsureePolicy",
        "tblPremium",
        "tblPayment",
        "tblPaymentDetails",
        "tblPolicyRenewals",
    }

    # ours
    settled = await world.bill(bill.id)
    assert (settled.state, settled.paid) == ("paid", bill.amount)
    (payment,) = await world.rows(g.payment)
    assert (payment["state"], payment["bill_id"], payment["premium_id"]) == ("settled", bill.id, premium["PremiumId"])
    (audit,) = await world.rows(g.audit, action="payment.settled")
    assert audit["details"] == {
        "bill": bill.id,
        "policy": policy["PolicyID"],
        "premium": premium["PremiumId"],
        "amount_minor": bill.amount.amount_minor,
        "born": paid.start is not None,
        "activated": True,
    }
    assert await world.sms() == [("control_number", A), ("covered", A)]
    assert report.reference in (await world.texts())[1]
    assert bill.chfid in (await world.texts())[1]
    assert await world.cases() == []


async def test_the_cover_is_what_the_caller_was_told(world: World) -> None:
    quote = await world.quote(COVERED)
    bill = await world.numbered(COVERED)
    await world.told(world.payment(bill))
    new = (await policies(world, COVERED))[-1]
    assert (new.start_date, new.expiry_date) == (quote.period.start, quote.period.expiry)


async def test_paid_late_it_starts_on_the_day_of_payment(world: World) -> None:
    """The bill's life is over, the number was paid all the same: late truth wins."""
    bill = await world.numbered(EXPIRED)
    async with world.database.writing() as tx:
        await tx.bills.record(bill, BillFact.EXPIRED, world.clock.now())
    world.clock.pass_(days=40)
    report = world.payment(bill, paid_at=world.clock.now() - timedelta(days=2))
    assert await world.told(report) == ["settled"]
    new = (await policies(world, EXPIRED))[-1]
    paid_on = eat_day(report.paid_at)
    assert (new.start_date, new.effective_date, new.expiry_date) == (paid_on, paid_on, year_from(paid_on))
    assert (await world.bill(bill.id)).state == "paid"


async def test_a_payment_from_the_future_is_paid_today(world: World) -> None:
    bill = await world.numbered(EXPIRED)
    assert await world.told(world.payment(bill, paid_at=world.clock.now() + timedelta(days=2))) == ["settled"]
    assert (await world.rows(t.premiums))[-1]["PayDate"] == world.today


async def test_days_are_east_africas(world: World) -> None:
    bill = await world.numbered(EXPIRED)
    world.clock.pass_(hours=13)  # 01:00 in Dar es Salaam, 22:00 of the day before in UTC
    assert await world.told(world.payment(bill)) == ["settled"]
    assert world.today != world.clock.now().astimezone(UTC).date()
    assert (await world.rows(t.premiums))[-1]["PayDate"] == world.today
    assert (await policies(world, EXPIRED))[-1].start_date == world.today


async def test_a_scheme_that_activates_in_two_steps(world: World) -> None:
    await world.put(t.defaults, ActivationOption=3)
    bill = await world.numbered(COVERED)
    assert await world.told(world.payment(bill)) == ["settled"]
    new = (await policies(world, COVERED))[-1]
    assert (new.status, new.effective_date) == (16, new.start_date)
    assert (await world.rows(t.payments))[0]["PaymentStatus"] == 5


# ---- instalments


async def test_instalments(world: World) -> None:
    bill = await world.numbered(INSTALMENTS, msisdn="+255655000014")
    (idle,) = await policies(world, INSTALMENTS)
    assert (bill.amount, idle.paid) == (Money.parse("20000"), Money.parse("10000"))

    first = await world.changes_of(lambda: world.told(world.payment(bill, "5000", "R1")))
    assert "tblPolicy" not in first.updated
    assert "tblInsureePolicy" not in first.updated
    assert [p["Amount"] for p in first.inserted["tblPremium"]] == [Decimal("5000.00")]
    (payment,) = first.updated["tblPayment"].values()
    assert (payment["PaymentStatus"], payment["ReceivedAmount"]) == (4, Decimal("5000.00"))
    assert "MatchedDate" not in payment
    part = await world.bill(bill.id)
    assert (part.state, part.paid) == ("part_paid", Money.parse("5000"))
    assert (await world.sms())[-1] == ("part_paid", "+255655000014")
    assert "TZS 15,000" in (await world.texts())[-1]

    assert await world.told(world.payment(bill, "15000.01", "R2")) == ["case"]
    assert await world.cases() == ["wrong_amount"]

    second = await world.changes_of(lambda: world.told(world.payment(bill, "15000", "R3")))
    assert second.updated["tblPolicy"] == {idle.id: {"PolicyStatus": 2, "EffectiveDate": world.today}}
    (payment,) = second.updated["tblPayment"].values()
    assert (payment["PaymentStatus"], payment["ReceivedAmount"]) == (5, Decimal("20000.00"))
    assert ((await world.bill(bill.id)).state, (await world.sms())[-1]) == ("paid", ("covered", "+255655000014"))
    (after,) = await policies(world, INSTALMENTS)
    assert after.paid == after.value
    assert (after.start_date, after.expiry_date) == (idle.start_date, idle.expiry_date)
    assert await world.told(world.payment(bill, "1000", "R4")) == ["case"]
    assert await world.cases() == ["wrong_amount", "paid_twice"]


async def test_instalments_at_once_add_up(world: World) -> None:
    bill = await world.numbered(INSTALMENTS)
    for n in range(4):
        await world.receive(world.payment(bill, "5000", f"R{n}"))
    await world.settle_all(settlers=4)
    assert {e["state"] for e in await world.rows(g.entry)} == {"settled"}
    (policy,) = await policies(world, INSTALMENTS)
    assert (policy.status, policy.paid) == (2, policy.value)
    assert ((await world.bill(bill.id)).paid, (await world.bill(bill.id)).state) == (bill.amount, "paid")
    assert (await world.rows(t.payments))[0]["ReceivedAmount"] == Decimal("20000.00")


async def test_an_officer_took_part_of_the_money_meanwhile(world: World) -> None:
    bill = await world.numbered(INSTALMENTS)
    (idle,) = await policies(world, INSTALMENTS)
    cash = {"Amount": Decimal(15000), "Receipt": "CASH-1", "PayDate": world.today, "PayType": "C"}
    await world.put(t.premiums, PolicyID=idle.id, isPhotoFee=False, CreatedDate=world.clock.now(), **cash)
    assert await world.told(world.payment(bill, "20000")) == ["settled"]
    (policy,) = await policies(world, INSTALMENTS)
    assert (policy.status, policy.paid) == (2, Money.parse("45000"))
    (case,) = await world.rows(g.case)
    assert (case["kind"], case["bill_id"]) == ("overpaid", bill.id)


# ---- who reads what


async def test_who_is_told(world: World) -> None:
    for place, (family_id, payer, readers) in enumerate(
        [
            (COVERED, None, [("covered", A)]),  # over a bank's counter
            (SOON, "+255712000002", [("covered", "+255712000002")]),  # who asked
            (EXPIRED, STRANGER, [("covered", "+255712000003"), ("receipt", STRANGER)]),
            (TWO_PHONES, "+255655000009", [("covered", "+255655000009")]),  # the family's other phone
            (NO_PHONE, STRANGER, [("receipt", STRANGER)]),
        ]
    ):
        own = A if family_id == NO_PHONE else await world.phone(family_id)
        bill = await world.numbered(family_id, f"99412000002{place}", own)
        before = len(await world.sms())
        report = world.payment(bill, reference=f"R{place}", payer_msisdn=payer, payer_name="Bwana Fulani")
        assert await world.told(report) == ["settled"]
        assert (await world.sms())[before:] == readers


async def test_a_stranger_learns_nothing_of_the_family(world: World) -> None:
    bill = await world.numbered(COVERED)
    await world.told(world.payment(bill, reference="R77", payer_msisdn=STRANGER))
    receipt = (await world.texts())[2]
    assert "R77" in receipt
    assert "30,000" in receipt
    family = await world.rows(t.insurees, FamilyID=COVERED)
    private = {str(value) for m in family for value in (m["CHFID"], m["LastName"], m["OtherNames"])}
    assert not [word for word in (*private, "bima", "hai") if word in receipt]


async def test_each_reads_its_language(world: World) -> None:
    for place, (family_id, asked_in, keeps, paid_by_phone, sentence) in enumerate(
        [
            (COVERED, "sw", None, True, "Tumepokea"),
            (SOON, "en", None, True, "received"),
            (EXPIRED, "en", None, False, "received"),
            (NEVER_PAID, "sw", "en", True, "received"),
            (UNENROLLED, "en", "sw", True, "Tumepokea"),
        ]
    ):
        msisdn, number = f"+25562000003{place}", f"99412000003{place}"
        await world.gives(family_id, msisdn)
        bill = await world.ask(family_id, msisdn, asked_in)
        if keeps:
            async with world.database.writing() as tx:
                await tx.callers.set_language(msisdn, keeps, world.clock.now())
        await world.told(ControlNumberGiven(bill.id, number))
        payer = msisdn if paid_by_phone else None
        await world.told(world.payment(await world.bill(bill.id), reference=f"R{place}", payer_msisdn=payer))
        assert (await world.sms())[-1] == ("covered", msisdn)
        assert sentence in (await world.texts())[-1], family_id


async def test_one_reference_for_two_numbers_is_two_payments(world: World) -> None:
    first = await world.numbered(COVERED, NUMBER)
    await world.gives(TWO_PHONES, A)
    second = await world.numbered(TWO_PHONES, "994120000012")
    assert await world.told(world.payment(first), world.payment(second)) == ["settled", "settled"]
    assert (await world.sms()).count(("covered", A)) == 2


# ---- order and repeat


async def test_the_payment_overtakes_its_control_number(world: World) -> None:
    bill = await world.ask(COVERED)
    assert await world.told(world.payment(bill, control_number=NUMBER)) == ["settled"]
    paid = await world.bill(bill.id)
    assert (paid.state, paid.control_number) == ("paid", NUMBER)
    assert await world.told(ControlNumberGiven(bill.id, NUMBER)) == ["duplicate"]
    assert await world.told(ControlNumberGiven(bill.id, "994120000012")) == ["conflicting"]
    assert await world.sms() == [("covered", A)]
    assert await world.count(t.premiums, Receipt="R1") == 1
    assert (await world.rows(t.payments))[0]["PaymentStatus"] == 5


async def test_one_payment_fifty_times_at_once(world: World) -> None:
    bill = await world.numbered(COVERED)
    for n in range(50):  # each in an envelope of its own
        await world.receive(world.payment(bill, transaction=f"T{n}", receipt=f"envelope {n}"))
    done = await world.changes_of(lambda: world.settle_all(settlers=8))
    assert len(done.inserted["tblPremium"]) == 1
    assert len([p for p in done.inserted["tblPolicy"] if p["ValidityTo"] is None]) == 1
    states = [e["state"] for e in await world.rows(g.entry, kind="payment")]
    assert (states.count("settled"), states.count("duplicate")) == (1, 49)
    assert await world.count(g.payment) == 1
    assert await world.sms() == [("control_number", A), ("covered", A)]
    assert await world.count(g.audit, action="payment.settled") == 1
    assert await world.cases() == []


async def test_a_payment_said_again_much_later(world: World) -> None:
    bill = await world.numbered(COVERED)
    report = world.payment(bill)
    await world.told(report)
    world.clock.pass_(days=60)
    again = await world.changes_of(lambda: world.told(report))
    assert (again.inserted, again.updated) == ({}, {})


async def test_many_families_at_once(world: World) -> None:
    families = [COVERED, SOON, EXPIRED, NEVER_PAID, UNENROLLED, EIGHT, OFFICER_RENEWAL]
    bills = [await world.numbered(f, f"9941200001{f:02}") for f in families]
    for bill in bills:
        for copy in range(3):
            await world.receive(world.payment(bill, reference=f"R{bill.family_id}", receipt=str(copy)))
    await world.settle_all(settlers=8)
    assert [(await world.bill(b.id)).state for b in bills] == ["paid"] * len(bills)
    assert [await world.count(t.premiums, Receipt=f"R{f}") for f in families] == [1] * len(families)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_another_number_is_given_while_the_payment_waits_for_the_family(world: World) -> None:
    """Read without a lock, the bill had no number; it has one now, and the money went to another."""
    bill = await world.ask(COVERED)
    await world.receive(world.payment(bill, control_number="994120000012"))

    async def waits() -> bool:
        async with world.database.engine.connect() as connection:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            return bool(await connection.scalar(text(f"{waiting} AND datname = current_database()")))

    async with world.database.writing() as tx:
        assert await tx.registry.lock_family(COVERED)
        settling = asyncio.create_task(world.settle_all())
        await eventually(waits)
        await tx.bills.record(bill, BillFact.NUMBERED, world.clock.now(), control_number=NUMBER)
    await settling
    assert await world.cases() == ["unknown_control_number"]
    assert await world.count(t.premiums, Receipt="R1") == 0


async def test_a_receipt_longer_than_its_column_stops_no_payment(world: World) -> None:
    bill = await world.numbered(COVERED)
    assert await world.told(world.payment(bill, receipt="\U0001f600" * 200, origin="é" * 200)) == ["settled"]
    (row,) = await world.rows(g.payment)
    assert row["receipt"] == "\U0001f600" * 50, "a hundred places, as SQL Server counts them"

"""The main job: dial, control number, pay, covered, SMS, with real processes over real HTTP."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from processes_harness import Family, World, until
from sqlalchemy import select

from adapters.registry.openimis.tables import insuree_policies, payment_details, payments, policies, premiums
from gateway.domain.clock import eat_day
from gateway.domain.periods import add_months
from gateway.domain.policy import PolicyStatus
from gateway.store.tables import bill, bill_requester, case, outbox, payment


def on(day: object) -> str:
    return f"{day:%d/%m/%Y}"


async def policy_rows(world: World, family: Family) -> list[object]:
    return list(await world.sql.rows(select(policies.c.PolicyID).where(policies.c.FamilyID == family.id)))


@pytest.mark.parametrize("ended_days", [40, -7], ids=["expired", "ends in a week"])
async def test_a_known_phone_renews_its_cover(world: World, ended_days: int) -> None:
    family = await world.family(ended_days=ended_days, members=3)
    assert family.expiry is not None
    phone = world.phone(family.phones[0])
    first = await phone.dial()
    assert (first.status, first.kind) == (200, "CON")
    assert ("IMEISHA" if ended_days > 0 else "HAI") in first.text
    assert on(family.expiry) in first.text

    confirm = await phone.press("1")
    assert "30,000" in confirm.text
    given = await phone.press("1")
    assert given.kind == "CON", "how to pay it is one key further"
    number = given.control_number
    assert len(number) == 12, "two keys and the number is on the screen"
    assert await policy_rows(world, family) == [(family.policy_id,)], "asking writes no policy"

    paid = await world.pay(number, family.phones[0])
    acked = time.monotonic()
    assert paid["status"] == "paid"
    reference = paid["pay_ref_id"]

    async def covered() -> list[str]:
        return await world.sms_like(family.phones[0], reference)

    await until(covered, "the SMS that says covered")
    took_s = time.monotonic() - acked
    print(f"\n[{world.stack.backend}] from the acknowledgement to the SMS: {took_s:.2f} s")

    today = eat_day(datetime.now(UTC))
    start = max(today, family.expiry + timedelta(days=1))
    until_day = add_months(start, 12) - timedelta(days=1)
    rows = await world.sql.rows(
        select(policies).where(policies.c.FamilyID == family.id, policies.c.PolicyID != family.policy_id)
    )
    live = [row for row in rows if row.ValidityTo is None]
    history = [row for row in rows if row.ValidityTo is not None]
    assert len(live) == 1
    assert [row.LegacyID for row in history] == [live[0].PolicyID], "one history row"
    assert (live[0].PolicyStatus, live[0].PolicyStage) == (PolicyStatus.ACTIVE, "R")
    assert (live[0].StartDate, live[0].EffectiveDate, live[0].ExpiryDate) == (start, start, until_day)
    assert live[0].PolicyValue == Decimal("30000.00")

    covered_rows = await world.sql.rows(select(insuree_policies).where(insuree_policies.c.PolicyId == live[0].PolicyID))
    assert {row.InsureeID for row in covered_rows} == set(family.members)
    assert {(row.StartDate, row.EffectiveDate, row.ExpiryDate) for row in covered_rows} == {(start, start, until_day)}

    money = await world.sql.rows(select(premiums).where(premiums.c.PolicyID == live[0].PolicyID))
    assert [(row.Amount, row.Receipt, row.PayDate) for row in money] == [(Decimal("30000.00"), reference, today)]

    ours = (await world.sql.rows(select(bill).where(bill.c.family_id == family.id)))[0]
    assert (ours.state, ours.control_number, ours.paid_minor) == ("paid", number, 3_000_000)
    shown = (await world.sql.rows(select(payments).where(payments.c.PaymentID == ours.payment_record_id)))[0]
    assert (shown.PaymentStatus, shown.ReceivedAmount, shown.ReceiptNo) == (5, Decimal("30000.00"), reference)
    detail = await world.sql.rows(select(payment_details).where(payment_details.c.PaymentID == ours.payment_record_id))
    assert [(row.PremiumID, row.InsuranceNumber, row.Amount) for row in detail] == [
        (money[0].PremiumId, family.chfid, Decimal("30000.00"))
    ]

    await world.quiet()
    texts = await world.sms_like(family.phones[0], reference)
    assert len(texts) == 1
    assert on(start) in texts[0]
    assert on(until_day) in texts[0]
    assert len(await world.sms(family.phones[0])) == 2, "the control number and the cover, no more"
    again = await world.phone(family.phones[0]).dial()
    assert "HAI" in again.text


async def test_asking_again_is_the_same_bill(world: World) -> None:
    """From a repeated callback, a new session, and another phone of the family; before paying."""
    family = await world.family(phones=2)
    mine, other = family.phones
    first = world.phone(mine)
    number = (await first.ask_for_number()).control_number
    assert number
    assert (await first.send(first.text)).control_number == number, "the same turn again"
    assert (await world.phone(mine).ask_for_number()).control_number == number
    assert (await world.phone(other).ask_for_number()).control_number == number
    await world.quiet()

    ours = await world.sql.rows(select(bill).where(bill.c.family_id == family.id))
    assert [(row.control_number, row.state) for row in ours] == [(number, "numbered")]
    held = await world.bills_at_provider(family)
    assert [(b["control_number"], b["amount"]) for b in held] == [(number, "30000.00")]
    assert await policy_rows(world, family) == [(family.policy_id,)]
    asked = await world.sql.rows(select(bill_requester.c.msisdn).where(bill_requester.c.bill_id == ours[0].id))
    assert {row.msisdn for row in asked} == {mine, other}
    pretty = f"{number[:4]} {number[4:8]} {number[8:]}"
    for msisdn in family.phones:
        assert len(await world.sms_like(msisdn, pretty)) == 1, "one SMS of a bill to a phone, ever"


# ---------------------------------------------------------------------------------------------------------- slow GePG


async def test_a_number_within_three_seconds_comes_in_the_session(world: World) -> None:
    family = await world.family()
    await world.fault("bill_response", "delay", seconds=2.5)
    screen = await world.phone(family.phones[0]).ask_for_number()
    print(f"\n[{world.stack.backend}] GePG after 2.8 s, the screen after {screen.seconds:.2f} s")
    assert screen.control_number, screen
    assert 2.5 < screen.seconds < 10, "within the operator's patience"


async def test_a_late_number_is_promised_and_comes_by_sms(world: World) -> None:
    family = await world.family()
    await world.fault("bill_response", "delay", seconds=8)
    screen = await world.phone(family.phones[0]).ask_for_number()
    assert screen.kind == "END"
    assert "itakuja kwa SMS" in screen.text
    assert not screen.control_number
    assert screen.seconds < 10, "inside the operator's patience"

    async def told() -> list[str]:
        return await world.sms_like(family.phones[0], "Namba ya malipo")

    await until(told, "the promised SMS")
    await world.quiet()
    assert len(await told()) == 1
    assert len(await world.bills_at_provider(family)) == 1


@pytest.mark.parametrize("fault", ["drop", "error_after"])
async def test_a_bill_is_asked_for_again_until_gepg_has_it(world: World, fault: str) -> None:
    """Down: nothing was done. Or the bill was taken and the answer lost: the resend is the same bill."""
    family = await world.family()
    await world.fault("bill_submission", fault, times=2)
    screen = await world.phone(family.phones[0]).ask_for_number()
    assert screen.control_number or "itakuja kwa SMS" in screen.text

    async def told() -> list[str]:
        return await world.sms_like(family.phones[0], "Namba ya malipo")

    await until(told, "the control number by SMS")
    await world.quiet()
    held = await world.bills_at_provider(family)
    assert len(held) == 1, "one bill at GePG, however often it was sent"
    ours = await world.sql.rows(select(bill).where(bill.c.family_id == family.id))
    assert [row.control_number for row in ours] == [held[0]["control_number"]]
    sent = await world.sql.rows(select(outbox.c.attempts).where(outbox.c.aggregate == f"bill:{ours[0].id}"))
    if fault == "drop":
        assert max(row.attempts for row in sent) == 3
    assert len(await told()) == 1


# -------------------------------------------------------------------------------------------------------- many the same


async def taken(world: World) -> list[float]:
    """How many genuine payment callbacks each serving process has taken, as its metrics say."""
    wanted = r'^gateway_callbacks_total\{provider="gepg",route="payments",verdict="genuine"\} (\S+)$'
    counts = []
    for operator in world.stack.operators:
        async with world.client.get(f"{operator}/metrics") as response:
            found = re.search(wanted, await response.text(), re.MULTILINE)
            counts.append(float(found[1]) if found else 0.0)
    return counts


async def test_a_hundred_callbacks_of_one_payment(world: World) -> None:
    """50 byte for byte the same and 50 with fresh ids and signatures, at once, over all serving processes."""
    family = await world.family()
    number = await world.number_for(family)
    await world.fault("payment_notification", "drop", forever=True)  # the money has moved; nobody has told us yet
    paid = await world.pay(number, family.phones[0])
    assert paid["status"] == "undelivered"
    reference = paid["pay_ref_id"]
    await world.no_faults()

    before = await taken(world)

    def again(fresh: bool) -> object:
        body = {"pay_ref_id": reference, "times": 50, "concurrency": 50, "fresh": fresh}
        return world.sandbox("POST", "/sandbox/redeliver", body)

    started = time.monotonic()
    answers = await asyncio.gather(again(False), again(True))
    print(f"\n[{world.stack.backend}] 100 callbacks acknowledged in {time.monotonic() - started:.2f} s")
    assert [a["acks"] for a in answers] == [{"7101": 50}, {"7101": 50}]
    assert [a["http"] for a in answers] == [{"200": 50}, {"200": 50}]
    shares = [now - then for now, then in zip(await taken(world), before, strict=True)]
    assert sum(shares) == 100
    assert min(shares) >= 40, "over all serving processes"
    await world.quiet()

    assert await world.sql.count(premiums, premiums.c.Receipt == reference) == 1
    told = await world.sql.rows(select(payment).where(payment.c.reference == reference))
    assert [(row.state, row.control_number, row.amount_minor) for row in told] == [("settled", number, 3_000_000)]
    assert len(await world.sms_like(family.phones[0], reference)) == 1
    live = await world.sql.rows(
        select(policies.c.PolicyStatus).where(
            policies.c.FamilyID == family.id, policies.c.ValidityTo.is_(None), policies.c.PolicyID != family.policy_id
        )
    )
    assert [row.PolicyStatus for row in live] == [PolicyStatus.ACTIVE]
    about = case.c.subject == f"payment:{reference}/{number}"
    assert await world.sql.count(case, about) == 0

    altered = await world.sandbox("POST", "/sandbox/redeliver", {"pay_ref_id": reference, "amount": "29000.00"})
    twice = await world.sandbox("POST", "/sandbox/redeliver", {"pay_ref_id": reference, "amount": "29000.00"})
    assert altered["acks"] == twice["acks"] == {"7101": 1}
    await world.quiet()
    cases = await world.sql.rows(select(case).where(about))
    assert [(row.kind, row.state, row.amount_minor) for row in cases] == [("conflict", "open", 2_900_000)]
    assert await world.sql.count(premiums, premiums.c.Receipt == reference) == 1
    assert len(await world.sms_like(family.phones[0], reference)) == 1

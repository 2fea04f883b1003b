"""Asking for a control number: one bill, whoever asks and however often, and no policy."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from functools import partial

import pytest
from service_world import (
    COVERED,
    EIGHT,
    EXPIRED,
    INSTALMENTS,
    NEVER_PAID,
    NO_PHONE,
    NUMBER,
    OFFICER_RENEWAL,
    RENEWED,
    SOON,
    SUSPENDED,
    UNENROLLED,
    World,
)

from adapters.registry.openimis import tables as t
from gateway.domain.bill import PayOption
from gateway.domain.clock import EAT, eat_day
from gateway.domain.money import Money
from gateway.domain.ussd.effects import RequestBill
from gateway.ports import BillRefused, ControlNumberGiven, Requester
from gateway.service.new_bill import end_of_life
from gateway.service.ussd_facts import number_fact
from gateway.store import tables as g

A, B = "+255712000001", "+255655000009"


ASKED = [
    (COVERED, "R", "30000", PayOption.EXACT, True),
    (EXPIRED, "R", "30000", PayOption.EXACT, True),
    (OFFICER_RENEWAL, "R", "30000", PayOption.EXACT, True),
    (NEVER_PAID, "N", "30000", PayOption.EXACT, False),
    (UNENROLLED, "N", "30000", PayOption.EXACT, False),
    (EIGHT, "R", "30000", PayOption.EXACT, True),
    (NO_PHONE, "R", "30000", PayOption.EXACT, True),
    (INSTALMENTS, "N", "20000", PayOption.PARTIAL, False),
]


async def test_asking_writes_a_bill_and_no_policy(world: World) -> None:
    for family_id, stage, amount, option, preceded in ASKED:
        asked = await world.changes_of(partial(world.ask, family_id, A, "en"))
        assert asked.updated == {}
        assert {table: len(rows) for table, rows in asked.inserted.items()} == {
            "tblPayment": 1,
            "tblPaymentDetails": 1,
            "tblControlNumber": 1,
        }
        (payment,), (details,) = asked.inserted["tblPayment"], asked.inserted["tblPaymentDetails"]
        assert (payment["PaymentStatus"], payment["ExpectedAmount"], payment["ReceivedAmount"]) == (
            1,
            Decimal(amount),
            None,
        )
        assert (payment["PhoneNumber"], payment["LanguageName"]) == ("255712000001", "en")
        assert payment["RequestDate"] == world.clock.now()
        assert (details["PaymentID"], details["PolicyStage"], details["PremiumID"]) == (
            payment["PaymentID"],
            stage,
            None,
        )
        (row,) = await world.rows(g.bill, family_id=family_id)
        bill = await world.bill(row["id"])
        assert (bill.family_id, bill.stage, bill.amount, bill.pay_option) == (
            family_id,
            stage,
            Money.parse(amount),
            option,
        )
        assert (bill.state, bill.generation, bill.control_number, bill.paid) == ("created", 1, None, Money(0))
        assert (bill.preceding_policy_id is not None) == preceded
        assert (details["InsuranceNumber"], details["ProductCode"]) == (bill.chfid, bill.product_code)
        assert bill.payment_record_id == payment["PaymentID"]
        assert bill.expires_at == end_of_life(world.clock.now(), timedelta(days=30))
        (job,) = await world.rows(g.outbox, aggregate=f"bill:{bill.id}")
        assert (job["kind"], job["payload"]) == ("submit_bill", {"bill_id": bill.id, "attempt": 1})
        assert [a["action"] for a in await world.rows(g.audit, subject=f"bill:{bill.id}")] == ["bill.created"]


@pytest.mark.parametrize("at", ["00:00:00", "02:59:59", "12:00:00", "23:59:59"])
async def test_a_number_can_be_paid_on_all_of_the_last_day_that_is_told(world: World, at: str) -> None:
    """By East Africa's days: the first three hours of one are the last of UTC's day before."""
    asked = world.clock.time = datetime.combine(world.today, time.fromisoformat(at), EAT)
    bill = (await world.request(await world.wish(COVERED, A), asked)) or pytest.fail("no bill")
    assert await world.told(ControlNumberGiven(bill.id, NUMBER)) == ["settled"]
    bill, last = await world.bill(bill.id), eat_day(asked) + timedelta(days=30)
    assert number_fact(bill)["expires"] == last.isoformat()
    (text,) = world.messages.control_number(bill, [Requester(A, "sw")])
    assert f"{last:%d/%m/%Y}" in text.text
    end = datetime.combine(last, time(23, 59, 59), EAT)
    assert [bill.payable_at(end + timedelta(seconds=s)) for s in (-1, 0, 1)] == [True, False, False]


async def test_a_bill_names_no_family_and_no_sequence(world: World) -> None:
    ids = [(await world.ask(family)).id for family in (COVERED, SOON, EXPIRED)]
    assert len(set(ids)) == 3
    assert all(i.startswith("B") and len(i) == 21 and int(i[1:], 16) > 2**40 for i in ids)


async def test_asking_again_from_anywhere_is_the_same_bill(world: World) -> None:
    first = await world.ask(COVERED, A)
    again = await world.changes_of(lambda: world.ask(COVERED, A))
    assert (again.inserted, again.updated) == ({}, {})
    assert await world.ask(COVERED, B, "en") == first
    assert await world.count(g.bill) == await world.count(g.outbox) == await world.count(g.audit) == 1
    async with world.database.reading() as tx:
        assert await tx.bills.requesters(first.id) == [Requester(A, "sw"), Requester(B, "en")]


async def test_thirty_at_once_are_one_bill(world: World) -> None:
    wish = await world.wish(COVERED)
    wishes = [replace(wish, msisdn=f"+2557120001{n % 10:02}") for n in range(30)]
    bills = await asyncio.gather(*(world.request(w, world.clock.now()) for w in wishes))
    assert len({bill.id for bill in bills if bill}) == 1
    assert None not in bills
    assert await world.count(g.bill) == await world.count(t.payments) == await world.count(t.payment_details) == 1
    assert [job["kind"] for job in await world.rows(g.outbox)] == ["submit_bill"]
    assert await world.count(g.bill_requester) == 10


NOT_DUE = [
    RequestBill("family:1/product:1/after:1", COVERED, 30_000_00 - 1, A, "sw"),
    RequestBill("family:1/product:1/after:1", COVERED, 30_000_00 + 1, A, "sw"),
    RequestBill("family:1/product:1/after:0", COVERED, 30_000_00, A, "sw"),
    RequestBill("family:2/product:1/after:1", COVERED, 30_000_00, A, "sw"),
    RequestBill("family:12/product:2/after:1", SUSPENDED, 150_000_00, A, "sw"),
    RequestBill("family:13/product:2/after:1", RENEWED, 150_000_00, A, "sw"),
    RequestBill("family:99/product:1/after:0", 99, 30_000_00, A, "sw"),
]


async def test_what_is_no_longer_due_makes_no_bill(world: World) -> None:
    """Less, more, another cover, another family's key, suspended, renewed already, nobody."""

    async def ask() -> None:
        for wish in NOT_DUE:
            assert await world.request(wish, world.clock.now()) is None, wish

    asked = await world.changes_of(ask)
    assert (asked.inserted, asked.updated) == ({}, {})
    assert await world.count(g.bill) == await world.count(g.outbox) == await world.count(g.bill_requester) == 0


async def test_the_wishes_above_differ_from_a_good_one_in_one_thing(world: World) -> None:
    assert await world.wish(COVERED) == RequestBill("family:1/product:1/after:1", COVERED, 30_000_00, A, "sw")


async def test_the_price_changed_while_the_caller_read_the_screen(world: World) -> None:
    wish = await world.wish(COVERED)
    await world.execute(t.products.update().values(LumpSum=Decimal(40000)))
    assert await world.request(wish, world.clock.now()) is None
    dearer = await world.ask(COVERED)
    assert (dearer.amount, dearer.generation) == (Money.parse("40000"), 1)


@pytest.mark.parametrize("why", ["expired", "refused", "price"])
async def test_a_bill_that_can_be_paid_no_more_has_a_next_generation(world: World, why: str) -> None:
    first = await world.ask(COVERED)
    if why == "expired":
        async with world.database.reading() as tx:
            assert first.payable_at(first.expires_at - timedelta(seconds=1))
            assert await tx.bills.open_for(COVERED, first.expires_at - timedelta(seconds=1)) == first
        world.clock.time = first.expires_at
    elif why == "refused":
        await world.told(BillRefused(first.id, "7204", "no"))
    else:
        await world.execute(t.products.update().values(LumpSum=Decimal(40000)))
    second = await world.ask(COVERED)
    assert (second.key, second.generation) == (first.key, 2)
    assert second.id != first.id
    assert await world.ask(COVERED) == second
    submitted = [job["payload"]["bill_id"] for job in await world.rows(g.outbox, kind="submit_bill")]
    assert submitted == [first.id, second.id]


async def test_a_number_that_is_there_already_is_sent_to_each_phone_once(world: World) -> None:
    bill = await world.ask(COVERED, A)
    await world.told(ControlNumberGiven(bill.id, NUMBER))
    assert await world.sms() == [("control_number", A)]
    for _ in range(2):
        assert (await world.ask(COVERED, B, "en")).control_number == NUMBER
        await world.ask(COVERED, A)
    assert await world.sms() == [("control_number", A), ("control_number", B)]
    swahili, english = await world.texts()
    assert swahili.startswith("CHF: Namba ya malipo 9941")
    assert english.startswith("CHF: Control number 9941")
    assert all("30,000" in text and bill.chfid in text for text in (swahili, english))

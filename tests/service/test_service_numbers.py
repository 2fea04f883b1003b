"""What a provider says of a bill: its number or its refusal, once, to everyone who asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from service_world import COVERED, EXPIRED, NUMBER, World

from adapters.registry.openimis import tables as t
from gateway.domain.bill import BillFact
from gateway.domain.payments import CaseKind
from gateway.ports import BillRefused, ControlNumberGiven
from gateway.store import tables as g

A, B = "+255712000001", "+255655000009"
OTHER_NUMBER = "994120000012"


async def legacy_status(world: World) -> list[tuple[int, str | None]]:
    return [(p["PaymentStatus"], p["RejectedReason"]) for p in await world.rows(t.payments)]


async def test_a_number_goes_to_everyone_who_asked_once(world: World) -> None:
    await world.gives(COVERED, A, B)
    bill = await world.ask(COVERED, A, "sw")
    await world.ask(COVERED, B, "en")
    assert await world.told(ControlNumberGiven(bill.id, NUMBER)) == ["settled"]
    numbered = await world.bill(bill.id)
    assert (numbered.state, numbered.control_number) == ("numbered", NUMBER)
    assert await world.sms() == [("control_number", A), ("control_number", B)]
    swahili, english = await world.texts()
    assert "Namba ya malipo" in swahili
    assert "Control number" in english
    assert await legacy_status(world) == [(3, None)]
    assert [a["action"] for a in await world.rows(g.audit)] == ["bill.created", "bill.numbered"]
    assert await world.told(ControlNumberGiven(bill.id, NUMBER)) == ["duplicate"]
    assert len(await world.sms()) == 2
    assert await world.bill(bill.id) == numbered
    assert await world.cases() == []


async def test_a_refusal_goes_to_everyone_who_asked_once(world: World) -> None:
    await world.gives(COVERED, A, B)
    bill = await world.ask(COVERED, A, "sw")
    await world.ask(COVERED, B, "en")
    assert await world.told(BillRefused(bill.id, "7204", "no such provider")) == ["settled"]
    assert (await world.bill(bill.id)).state == "refused"
    assert await world.sms() == [("number_refused", A), ("number_refused", B)]
    assert await legacy_status(world) == [(-3, "7204:no such provider")]
    assert await world.told(BillRefused(bill.id, "7204", "no such provider")) == ["duplicate"]
    assert len(await world.sms()) == 2
    assert await world.cases() == []


async def test_a_number_after_a_refusal_wins(world: World) -> None:
    bill = await world.ask(COVERED)
    assert await world.told(BillRefused(bill.id, "7204", "no"), ControlNumberGiven(bill.id, NUMBER)) == [
        "settled",
        "settled",
    ]
    assert (await world.bill(bill.id)).state == "numbered"
    assert await world.sms() == [("number_refused", A), ("control_number", A)]
    assert (await legacy_status(world))[0][0] == 3


async def test_a_refusal_after_the_number_changes_nothing(world: World) -> None:
    bill = await world.numbered(COVERED)
    await world.told(BillRefused(bill.id, "7204", "no"))
    assert await world.bill(bill.id) == bill
    assert await world.sms() == [("control_number", A)]
    assert await legacy_status(world) == [(3, None)]


@pytest.mark.parametrize("notice", [ControlNumberGiven("B0", NUMBER), BillRefused("B0", "7204", "no")])
async def test_a_bill_that_is_not_ours(world: World, notice: ControlNumberGiven | BillRefused) -> None:
    told = await world.changes_of(lambda: world.told(notice))
    assert (told.inserted, told.updated) == ({}, {})
    assert [e["state"] for e in await world.rows(g.entry)] == ["unmatched"]
    assert await world.sms() == []


async def test_another_number_for_the_same_bill(world: World) -> None:
    bill = await world.numbered(COVERED)
    for _ in range(2):
        assert await world.told(ControlNumberGiven(bill.id, OTHER_NUMBER)) == ["conflicting"]
    assert await world.bill(bill.id) == bill
    (case,) = await world.rows(g.case)
    assert (case["kind"], case["bill_id"]) == (CaseKind.CONFLICT, bill.id)
    assert case["details"] == {"control_number": OTHER_NUMBER, "held": NUMBER}
    assert await world.sms() == [("control_number", A)]


async def test_a_number_that_another_family_holds(world: World) -> None:
    """The old service gave two callers one number."""
    first = await world.numbered(COVERED)
    second = await world.ask(EXPIRED, B)
    assert await world.told(ControlNumberGiven(second.id, NUMBER)) == ["conflicting"]
    assert (await world.bill(second.id)).control_number is None
    assert await world.bill(first.id) == first
    assert [c["bill_id"] for c in await world.rows(g.case)] == [second.id]
    assert await world.sms() == [("control_number", A)]


async def test_two_bills_given_one_number_at_once(world: World) -> None:
    first, second = await world.ask(COVERED, A), await world.ask(EXPIRED, B)
    await world.receive(ControlNumberGiven(first.id, NUMBER))
    await world.receive(ControlNumberGiven(second.id, NUMBER))
    await world.settle_all(settlers=2)
    world.clock.pass_(minutes=1)  # on PostgreSQL the loser may have met the unique key and is tried again
    await world.settle_all()
    assert sorted(e["state"] for e in await world.rows(g.entry)) == ["conflicting", "settled"]
    numbers = [(await world.bill(b.id)).control_number for b in (first, second)]
    assert sorted(numbers, key=str) == [NUMBER, None]
    assert len(await world.sms()) == 1


@pytest.mark.parametrize("fact", [BillFact.CANCELLED, BillFact.EXPIRED])
async def test_a_number_too_late_is_kept_and_not_sent(world: World, fact: BillFact) -> None:
    bill = await world.ask(COVERED)
    async with world.database.writing() as tx:
        await tx.bills.record(bill, fact, world.clock.now())
    assert await world.told(ControlNumberGiven(bill.id, NUMBER)) == ["settled"]
    late = await world.bill(bill.id)
    assert (late.state, late.control_number) == (fact, NUMBER)
    assert await world.sms() == []


async def test_what_is_refused_leaves_openimis_alone(world: World) -> None:
    bill = await world.ask(COVERED)
    steps: list[tuple[Callable[[], Awaitable[object]], set[str]]] = [
        (lambda: world.told(BillRefused(bill.id, "7204", "x" * 400)), {"tblPayment"}),
        (lambda: world.told(ControlNumberGiven(bill.id, NUMBER)), {"tblPayment", "tblControlNumber"}),
    ]
    for step, touched in steps:
        changed = await world.changes_of(step)
        assert changed.inserted == {}
        assert set(changed.updated) == touched

"""An expired number is asked for again for the next bill; whatever is paid to it in between is settled once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from service_world import COVERED, EXPIRED, NUMBER, Peer, Provider, Sms, World, eventually

from adapters.registry.openimis import tables as t
from gateway.domain.bill import Bill
from gateway.domain.money import Money
from gateway.domain.outcomes import Refused
from gateway.ports import BillRefused, ControlNumberGiven
from gateway.service.expire_bills import ExpireBills
from gateway.service.run_effects import RunEffects
from gateway.service.sweep_bills import SilencePolicy, SweepBills
from gateway.store import tables as g

OTHER = "994120000022"


def runner(world: World, provider: Provider) -> RunEffects:
    return RunEffects(world.database, Peer(), provider, Sms(), world.messages, world.clock)


async def revived(world: World) -> tuple[Bill, Bill]:
    """A bill whose number has expired, and the family's next one."""
    own = await world.phone(EXPIRED)
    old = await world.numbered(EXPIRED, msisdn=own)
    world.clock.pass_(days=31)
    new = await world.ask(EXPIRED, own)
    assert (new.generation, new.key, new.reuses, new.control_number) == (2, old.key, NUMBER, None)
    return old, new


async def facts(world: World, bill: Bill) -> list[str]:
    return [row["fact"] for row in await world.rows(g.bill_fact, bill_id=bill.id)]


async def settled_once(world: World, on: Bill) -> None:
    assert (await world.bill(on.id)).state == "paid"
    assert [row["bill_id"] for row in await world.rows(g.payment)] == [on.id]
    assert await world.count(t.premiums, Receipt="R1") == 1
    assert await world.cases() == []


async def test_the_next_bill_asks_for_the_number_that_the_family_knows(world: World) -> None:
    old, new = await revived(world)
    (job,) = await world.rows(g.outbox, aggregate=f"bill:{new.id}")
    assert (job["kind"], job["payload"]) == ("reuse_number", {"bill_id": new.id, "attempt": 1})
    provider = Provider()
    assert await runner(world, provider).batch("bills") > 0
    assert [(o.bill.id, o.reuse) for o in provider.orders if o.bill.id == new.id] == [(new.id, NUMBER)]
    assert (await world.bill(old.id)).control_number == NUMBER, "not before the provider has confirmed"
    assert await world.told(ControlNumberGiven(new.id, NUMBER)) == ["settled"]
    held, ended = await world.bill(new.id), await world.bill(old.id)
    assert (held.state, held.control_number, ended.state, ended.control_number) == ("numbered", NUMBER, "expired", None)
    assert await facts(world, old) == ["numbered", "released"]
    (kept,) = await world.rows(g.bill_fact, bill_id=old.id, fact="released")
    assert kept["details"] == {"control_number": NUMBER, "to": new.id}
    rows = {row["PaymentID"]: row for row in await world.rows(t.payments)}
    assert rows[old.payment_record_id or 0]["ValidityTo"] is not None
    assert (rows[new.payment_record_id or 0]["ValidityTo"], rows[new.payment_record_id or 0]["PaymentStatus"]) == (
        None,
        3,
    )
    assert [kind for kind, _ in await world.sms()] == ["control_number", "control_number"]
    # said again, of either bill: nothing changes and nobody is called
    assert await world.told(ControlNumberGiven(new.id, NUMBER)) == ["duplicate"]
    assert await world.told(ControlNumberGiven(old.id, NUMBER)) == ["duplicate"]
    assert await world.cases() == []


async def test_a_number_of_another_service_provider_is_not_asked_for(world: World) -> None:
    await world.numbered(EXPIRED)
    await world.execute(t.products.update().values(AccCodePremiums="SP108"))
    world.clock.pass_(days=31)
    assert (await world.ask(EXPIRED)).reuses is None


ORDERS = ["before", "asked, named old", "asked, unnamed", "asked, named new", "after, named old", "after, named new"]


@pytest.mark.parametrize("order", ORDERS)
async def test_a_payment_to_the_old_number_is_settled_once_on_the_right_bill(world: World, order: str) -> None:
    if order == "before":
        old = await world.numbered(EXPIRED)
        world.clock.pass_(days=31)
        assert await ExpireBills(world.database, world.clock)() == 1
        assert await world.told(world.payment(old)) == ["settled"]
        await settled_once(world, old)
        return
    old, new = await revived(world)
    if order.startswith("after"):
        assert await world.told(ControlNumberGiven(new.id, NUMBER)) == ["settled"]
    named = {"old": old.id, "new": new.id}.get(order.split()[-1])
    payment = world.payment(old, control_number=NUMBER, bill_id=named)
    assert await world.told(payment) == ["settled"]
    right = old if order in ("asked, named old", "asked, unnamed") else new
    await settled_once(world, right)
    # whatever comes late changes nothing
    assert await world.told(ControlNumberGiven(new.id, NUMBER), payment) == ["duplicate", "duplicate"]
    await settled_once(world, right)
    assert (await world.bill(right.id)).control_number == NUMBER
    assert [row["id"] for row in await world.rows(g.bill, control_number=NUMBER)] == [right.id]


async def test_money_and_confirmation_at_once(world: World) -> None:
    old, new = await revived(world)
    await world.receive(ControlNumberGiven(new.id, NUMBER))
    for named in (old.id, new.id, None):
        await world.receive(world.payment(old, control_number=NUMBER, bill_id=named))
    await world.settle_all(settlers=1 if world.database.embedded else 4)
    paid = [row["id"] for row in await world.rows(g.bill, state="paid")]
    assert len(paid) == 1
    await settled_once(world, await world.bill(paid[0]))


async def test_a_number_paid_meanwhile_is_not_asked_for_any_more(world: World) -> None:
    old, new = await revived(world)
    await world.told(world.payment(old))
    provider = Provider()
    await runner(world, provider).batch("bills")
    assert new.id not in [order.bill.id for order in provider.orders]


async def test_the_old_amount_after_a_new_price_is_a_persons(world: World) -> None:
    old = await world.numbered(EXPIRED)
    await world.execute(t.products.update().values(LumpSum=Decimal(40000)))
    world.clock.pass_(days=31)
    new = await world.ask(EXPIRED)
    assert (new.reuses, new.amount) == (NUMBER, Money.parse("40000"))
    await world.told(ControlNumberGiven(new.id, NUMBER))
    assert await world.told(world.payment(old, control_number=NUMBER)) == ["case"]
    assert await world.cases() == ["wrong_amount"]


@pytest.mark.parametrize("by", ["answer", "callback"])
async def test_a_reuse_refused_goes_on_as_an_ordinary_bill_once(world: World, by: str) -> None:
    _, new = await revived(world)
    refusal = BillRefused(new.id, "7376", "no")
    if by == "answer":
        await runner(world, Provider(outcome=Refused("7376", "no"))).batch("bills")
    else:
        assert await world.told(refusal) == ["settled"]
    now = await world.bill(new.id)
    assert (now.state in ("created", "submitted"), now.reuses) == (True, None)
    (kept,) = await world.rows(g.bill_fact, bill_id=new.id, fact="not_reused")
    assert kept["details"] == {"control_number": NUMBER, "code": "7376", "text": "no"}
    assert await world.told(refusal) == ["duplicate"], "delivered again, it refuses nothing more"
    assert (await world.bill(new.id)).state != "refused"
    provider = Provider()
    await runner(world, provider).batch("bills")
    assert [order.reuse for order in provider.orders if order.bill.id == new.id] == [None]
    assert await world.told(ControlNumberGiven(new.id, OTHER)) == ["settled"]
    assert (await world.bill(new.id)).control_number == OTHER
    assert [kind for kind, _ in await world.sms()] == ["control_number", "control_number"]


async def test_an_ordinary_refusal_after_it_is_final(world: World) -> None:
    _, new = await revived(world)
    await world.told(BillRefused(new.id, "7376", "no"))
    assert await world.told(BillRefused(new.id, "7205", "no")) == ["settled"]
    assert (await world.bill(new.id)).state == "refused"
    assert (await world.sms())[-1][0] == "number_refused"


async def test_two_askings_refused_are_one_fall_back(world: World) -> None:
    _, new = await revived(world)
    world.clock.pass_(minutes=4)
    await SweepBills(world.database, world.clock, SilencePolicy(timedelta(minutes=3)), world.messages)()
    kinds = [job["kind"] for job in await world.rows(g.outbox, aggregate=f"bill:{new.id}")]
    assert kinds == ["reuse_number", "reuse_number"]
    provider = Provider(outcome=Refused("7335", "no"))
    peer = Peer(hold=asyncio.Event())
    effects = RunEffects(world.database, peer, provider, Sms(), world.messages, world.clock)
    running = asyncio.create_task(effects.batch("bills"))

    async def both_asked() -> bool:
        return len(peer.sent) == 2

    await eventually(both_asked)
    assert peer.hold is not None
    peer.hold.set()
    await running
    assert (await world.bill(new.id)).state == "created"
    assert await facts(world, new) == ["not_reused"]


async def test_a_third_generation_asks_for_the_same_number(world: World) -> None:
    _, second = await revived(world)
    world.clock.pass_(days=31)  # never answered
    third = await world.ask(EXPIRED)
    assert (third.generation, third.reuses) == (3, NUMBER)
    assert await world.told(ControlNumberGiven(third.id, NUMBER)) == ["settled"]
    world.clock.pass_(days=31)
    fourth = await world.ask(EXPIRED)
    assert await world.told(ControlNumberGiven(fourth.id, NUMBER)) == ["settled"]
    assert await world.told(ControlNumberGiven(third.id, NUMBER)) == ["duplicate"]
    assert await world.told(world.payment(await world.bill(fourth.id), bill_id=second.id)) == ["settled"]
    await settled_once(world, fourth)


# ---------------------------------------------------------------------------------------------------- the end of a life


async def test_a_life_that_has_ended_is_said_once(world: World) -> None:
    numbered, waiting = await world.numbered(EXPIRED), await world.ask(COVERED)
    expire = ExpireBills(world.database, world.clock)
    assert await expire() == 0
    world.clock.pass_(days=31)
    changed = await world.changes_of(expire)
    assert (changed.inserted, changed.updated) == ({}, {}), "openIMIS knows no expired payment"
    assert [(await world.bill(b.id)).state for b in (numbered, waiting)] == ["expired", "expired"]
    assert (await world.bill(numbered.id)).control_number == NUMBER
    assert await expire() == 0
    assert await facts(world, numbered) == ["numbered", "expired"]


async def test_money_received_does_not_expire(world: World) -> None:
    bill = await world.numbered(EXPIRED)
    await world.told(world.payment(bill))
    world.clock.pass_(days=31)
    assert await ExpireBills(world.database, world.clock)(limit=1) == 0


# ------------------------------------------------------------------------------------- a number with "it had arrived"

REPEATED: list[tuple[str, dict[str, Any], str, bool]] = [
    ("created", {"repeated": True}, "settled", True),
    ("created", {"repeated": True, "amount": Money.parse("30000")}, "settled", True),
    ("created", {"repeated": True, "amount": Money.parse("29999")}, "conflicting", False),
    ("created", {"amount": Money.parse("29999")}, "conflicting", False),
    ("created", {"repeated": True, "provider_code": "SP00001"}, "conflicting", False),
    ("refused", {"repeated": True}, "unmatched", False),
    ("refused", {}, "settled", True),
    ("expired", {"repeated": True}, "unmatched", False),
]


@pytest.mark.parametrize(("state", "said", "verdict", "taken"), REPEATED)
async def test_a_number_that_comes_with_a_duplicate(
    world: World, state: str, said: dict[str, Any], verdict: str, taken: bool
) -> None:
    await world.execute(t.products.update().values(AccCodePremiums="SP19960"))
    bill = await world.ask(COVERED)
    await world.execute(g.bill.update().where(g.bill.c.id == bill.id).values(state=state))
    assert await world.told(ControlNumberGiven(bill.id, NUMBER, **said)) == [verdict]
    assert (await world.bill(bill.id)).control_number == (NUMBER if taken else None)
    assert await world.cases() == (["conflict"] if verdict == "conflicting" else [])


async def test_a_duplicate_with_another_bills_number_is_a_case(world: World) -> None:
    await world.numbered(EXPIRED)
    bill = await world.ask(COVERED)
    assert await world.told(ControlNumberGiven(bill.id, NUMBER, repeated=True)) == ["conflicting"]
    assert await world.cases() == ["conflict"]


async def test_a_bill_given_up_is_asked_for_again_by_its_next_caller(world: World) -> None:
    bill = await world.ask(COVERED)
    sweep = SweepBills(world.database, world.clock, SilencePolicy(timedelta(minutes=3), asks=1), world.messages)
    world.clock.pass_(minutes=4)
    assert await sweep() == 1
    world.clock.pass_(minutes=4)
    assert await sweep() == 0
    assert await world.cases() == ["bill_without_number"]
    before = await world.count(g.outbox, kind="submit_bill")
    for _ in range(3):
        assert (await world.ask(COVERED)).id == bill.id  # a caller who dials again and again asks once
    assert await world.count(g.outbox, kind="submit_bill") == before + 1

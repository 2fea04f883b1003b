"""The pool of ready control numbers: filled, handed out to one caller each, bound, retired."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from service_world import (
    COVERED,
    EIGHT,
    EXPIRED,
    INSTALMENTS,
    NEVER_PAID,
    NUMBER,
    OFFICER_RENEWAL,
    SOON,
    UNENROLLED,
    Peer,
    Provider,
    Sms,
    World,
)

from adapters.registry.openimis import tables as t
from gateway.domain.outcomes import Accepted, Refused, Unreachable
from gateway.domain.pool import PoolMarks
from gateway.ports import BillRefused, ControlNumberGiven
from gateway.service.fill_pool import FillPool, PoolPolicy
from gateway.service.new_bill import end_of_life
from gateway.service.request_control_number import BillPolicy, RequestControlNumber
from gateway.service.run_effects import RunEffects
from gateway.store import tables as g

POLICY = PoolPolicy(enabled=True, marks=PoolMarks(0, 0), by_product={"CHFDOM": PoolMarks(2, 4)})
A = "+255712000001"


@pytest.fixture
async def code(world: World) -> str:
    """The product that most demo families renew into."""
    return (await world.quote(COVERED)).product.code


def policy(code: str, low: int = 2, high: int = 4, **more: Any) -> PoolPolicy:
    return replace(POLICY, by_product={code: PoolMarks(low, high)}, **more)


def filler(world: World, wanted: PoolPolicy, provider: Provider | None = None) -> FillPool:
    return FillPool(world.database, provider or Provider(), world.clock, wanted)


def effects(world: World, provider: Provider) -> RunEffects:
    return RunEffects(world.database, Peer(), provider, Sms(), world.messages, world.clock)


async def filled(world: World, code: str, count: int = 4) -> list[str]:
    """A pool of so many ready numbers, the policy on; their control numbers."""
    world.request = RequestControlNumber(world.database, world.messages, BillPolicy(pool_of="fakepay"))
    assert await filler(world, policy(code, count, count))() == count
    numbers = []
    for at, row in enumerate(await world.rows(g.pool_number, state="asked")):
        numbers.append(f"9941200001{at:02}")
        assert await world.told(ControlNumberGiven(row["bill_id"], numbers[-1])) == ["settled"]
    assert await world.count(g.pool_number, state="ready") == count
    return numbers


# ------------------------------------------------------------------------------------------------------------- filling


async def test_it_is_filled_in_bulk_as_openimis_keeps_it(world: World, code: str) -> None:
    provider = Provider()
    fill = filler(world, policy(code), provider)
    asked = await world.changes_of(fill)
    assert asked.updated == {}
    assert {table: len(rows) for table, rows in asked.inserted.items()} == {
        "tblPayment": 4,
        "tblPaymentDetails": 4,
        "tblControlNumber": 4,
    }
    for payment, details in zip(asked.inserted["tblPayment"], asked.inserted["tblPaymentDetails"], strict=True):
        assert (payment["PaymentStatus"], payment["ExpectedAmount"]) == (1, Decimal(30000))
        assert (payment["PhoneNumber"], payment["OfficerCode"], payment["TypeOfPayment"]) == (None, None, None)
        assert (details["ProductCode"], details["InsuranceNumber"], details["PolicyStage"]) == (code, None, "N")
    jobs = await world.rows(g.outbox, kind="ask_for_numbers")
    assert [len(job["payload"]["bill_ids"]) for job in jobs] == [3, 1], "as many in a request as the provider takes"
    assert {job["priority"] for job in jobs} == {9}, "after every bill that a caller waits for"
    await effects(world, provider).batch("bills")
    assert [len(orders) for orders in provider.bulk] == [3, 1]
    for order in (order for orders in provider.bulk for order in orders):
        assert (order.bill.payer_name, order.bill.chfid, order.payer_msisdn) == ("CHF", order.bill.id, None)
        assert order.bill.expires_at - world.clock.now() == timedelta(days=365)
    assert await fill() == 0, "its turn is over"
    world.clock.pass_(seconds=11)
    assert await fill() == 0, "what is coming counts"


async def test_a_number_that_comes_is_ready(world: World, code: str) -> None:
    await filled(world, code, 1)
    (row,) = await world.rows(g.pool_number)
    assert await world.told(ControlNumberGiven(row["bill_id"], row["control_number"])) == ["duplicate"]
    (payment,) = await world.rows(t.payments)
    (number,) = await world.rows(t.control_numbers)
    assert (payment["PaymentStatus"], number["ControlNumber"]) == (3, row["control_number"])


async def test_of_many_workers_one_fills(world: World, code: str) -> None:
    fillers = [filler(world, policy(code)) for _ in range(6)]
    assert sorted(await asyncio.gather(*(fill() for fill in fillers))) == [0, 0, 0, 0, 0, 4]
    assert await world.count(g.pool_number) == 4


async def test_off_asks_for_nothing(world: World, code: str) -> None:
    assert await filler(world, policy(code, enabled=False))() == 0
    assert await world.count(g.pool_number) == await world.count(g.outbox) == 0


@pytest.mark.parametrize("by", ["answer", "callback"])
async def test_a_refusal_is_not_hammered(world: World, code: str, by: str) -> None:
    fill = filler(world, policy(code, 1, 1))
    await fill()
    (row,) = await world.rows(g.pool_number)
    if by == "answer":
        await effects(world, Provider(outcome=Refused("7205", "no"))).batch("bills")
    else:
        assert await world.told(BillRefused(row["bill_id"], "7205", "no")) == ["settled"]
        assert await world.told(BillRefused(row["bill_id"], "7205", "no")) == ["duplicate"]
    (row,) = await world.rows(g.pool_number)
    (payment,) = await world.rows(t.payments)
    assert (row["state"], payment["PaymentStatus"], payment["RejectedReason"]) == ("refused", -3, "7205:no")
    world.clock.pass_(minutes=59)
    assert await fill() == 0
    world.clock.pass_(minutes=2)
    assert await fill() == 1


async def test_silence_is_asked_again_so_often_and_given_up_after_a_day(world: World, code: str) -> None:
    fill = filler(world, policy(code, 1, 1, asks=3))
    assert await fill() == 1
    world.clock.pass_(minutes=4)
    assert await fill() == 0, "it is still being sent"
    await effects(world, Provider()).batch("bills")
    asked = []
    for _ in range(5):
        world.clock.pass_(minutes=4)
        asked.append(await fill())
    assert asked == [1, 1, 0, 0, 0]
    attempts = [job["payload"]["attempt"] for job in await world.rows(g.outbox, kind="ask_for_numbers")]
    assert attempts == [1, 2, 3]
    world.clock.pass_(days=1)
    assert await fill() == 2, "one retired, one asked for in its place"
    (gone,) = await world.rows(g.pool_number, state="retired")
    assert [job["payload"]["bill_id"] for job in await world.rows(g.outbox, kind="cancel_number")] == [gone["bill_id"]]
    # its number comes after all: it stays retired
    assert await world.told(ControlNumberGiven(gone["bill_id"], NUMBER)) == ["settled"]
    assert await world.count(g.pool_number, state="ready") == 0


# --------------------------------------------------------------------------------------------------------- handing out


async def test_a_caller_gets_one_at_once_and_it_becomes_the_familys_bill(world: World, code: str) -> None:
    numbers = await filled(world, code)
    before = await world.snapshot()
    bill = await world.ask(COVERED, A, "en")
    after = await world.snapshot()
    assert bill.control_number in numbers
    assert (bill.state, bill.generation, bill.family_id) == ("numbered", 1, COVERED)
    assert bill.expires_at == end_of_life(bill.created_at, timedelta(days=30))
    (row,) = await world.rows(g.pool_number, bill_id=bill.id)
    assert (row["state"], row["payment_record_id"]) == ("bound", bill.payment_record_id)
    assert {name: len(rows) for name, rows in before.items()} == {name: len(rows) for name, rows in after.items()}
    (payment,) = await world.rows(t.payments, PaymentID=bill.payment_record_id)
    (details,) = await world.rows(t.payment_details, PaymentID=bill.payment_record_id)
    assert (payment["PhoneNumber"], payment["LanguageName"], payment["PaymentStatus"]) == ("255712000001", "en", 3)
    assert (details["InsuranceNumber"], details["PolicyStage"]) == (bill.chfid, bill.stage)
    assert await world.sms() == [("control_number", A)]
    assert await world.count(g.outbox, kind="submit_bill") == 0, "the provider is not asked"
    assert (await world.ask(COVERED, "+255655000009")).id == bill.id, "who asks again gets the same one"
    assert await world.count(g.pool_number, state="bound") == 1


async def test_a_payment_of_a_bound_number_settles_on_that_family(world: World, code: str) -> None:
    await filled(world, code)
    bill = await world.ask(COVERED)
    assert await world.told(world.payment(bill)) == ["settled"]
    assert (await world.bill(bill.id)).state == "paid"
    assert await world.told(ControlNumberGiven(bill.id, bill.control_number or "")) == ["duplicate"]
    assert await world.cases() == []


async def test_only_the_exact_amount_option_and_provider(world: World, code: str) -> None:
    await filled(world, code)
    await world.execute(g.pool_number.update().values(amount_minor=29_999_99))
    assert (await world.ask(COVERED)).control_number is None
    await world.execute(g.pool_number.update().values(amount_minor=30_000_00, pay_option=2))
    assert (await world.ask(SOON)).control_number is None
    await world.execute(g.pool_number.update().values(pay_option=3, provider_code="SP00001"))
    assert (await world.ask(EXPIRED)).control_number is None
    instalments = await world.ask(INSTALMENTS)
    assert instalments.control_number is None
    assert await world.count(g.pool_number, state="ready") == 4


async def test_an_empty_pool_is_the_ordinary_path(world: World, code: str) -> None:
    await filled(world, code, 1)
    first, second = await world.ask(COVERED), await world.ask(SOON)
    assert (first.control_number is not None, second.control_number) == (True, None)
    assert [job["payload"]["bill_id"] for job in await world.rows(g.outbox, kind="submit_bill")] == [second.id]


async def test_off_hands_out_nothing_and_what_was_handed_out_stays(world: World, code: str) -> None:
    await filled(world, code)
    bill = await world.ask(COVERED)
    world.request = RequestControlNumber(world.database, world.messages, BillPolicy())
    assert (await world.ask(SOON)).control_number is None
    assert (await world.ask(COVERED)).control_number == bill.control_number
    assert await world.told(world.payment(bill)) == ["settled"]


async def test_a_family_whose_number_expired_keeps_that_one(world: World, code: str) -> None:
    old = await world.numbered(EXPIRED)
    await filled(world, code)
    world.clock.pass_(days=31)
    new = await world.ask(EXPIRED)
    assert (new.reuses, new.control_number) == (old.control_number, None)


async def test_a_bound_number_follows_the_ordinary_rules_afterwards(world: World, code: str) -> None:
    await filled(world, code)
    bill = await world.ask(COVERED)
    await world.execute(t.products.update().values(LumpSum=Decimal(40000)))
    dearer = await world.ask(COVERED)
    assert (dearer.generation, dearer.control_number, dearer.reuses) == (2, None, None)
    world.clock.pass_(days=31)
    third = await world.ask(COVERED)
    assert third.reuses is None, "the second never had a number"
    assert await world.told(world.payment(bill)) == ["settled"], "late, at the price that was agreed"


async def test_a_bound_number_that_expired_is_revived(world: World, code: str) -> None:
    await filled(world, code)
    bill = await world.ask(COVERED)
    world.clock.pass_(days=31)
    again = await world.ask(COVERED)
    assert again.reuses == bill.control_number
    assert await world.told(ControlNumberGiven(again.id, bill.control_number or "")) == ["settled"]
    assert (await world.bill(again.id)).control_number == bill.control_number


async def test_many_at_once_get_one_each(world: World, code: str) -> None:
    numbers = await filled(world, code, 4)
    families = [COVERED, SOON, EXPIRED, OFFICER_RENEWAL, NEVER_PAID, UNENROLLED, EIGHT]
    wishes = [await world.wish(family) for family in families]
    bills = await asyncio.gather(*(world.request(wish, world.clock.now()) for wish in wishes for _ in range(3)))
    given = {bill.id: bill.control_number for bill in bills if bill and bill.control_number}
    assert sorted(given.values()) == sorted(numbers)[: len(given)] or set(given.values()) <= set(numbers)
    assert len(set(given.values())) == len(given) == 4
    assert len({bill.id for bill in bills if bill}) == len(families)


CALLERS = """
import asyncio, json, sys
from datetime import datetime
import menus
from config.settings import DatabaseSettings, Settings
from gateway import app
from gateway.domain.ussd.book import load_book
from gateway.domain.ussd.effects import RequestBill
from gateway.service.messages import Messages
from gateway.service.request_control_number import BillPolicy, RequestControlNumber

async def main(url, now, wishes):
    database = app.open_database(Settings(database=DatabaseSettings(url=url)))
    ask = RequestControlNumber(database, Messages(load_book(*menus.read())), BillPolicy(pool_of="fakepay"))
    print("ready", flush=True)
    sys.stdin.readline()
    bills = await asyncio.gather(*(ask(RequestBill(*wish), now) for wish in wishes))
    print(json.dumps([[b.family_id, b.id, b.control_number] for b in bills]))
    await database.close()

asyncio.run(main(sys.argv[1], datetime.fromisoformat(sys.argv[2]), json.loads(sys.argv[3])))
"""


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_two_processes_never_give_one_number_to_two(world: World, database_url: str, code: str) -> None:
    """Forty numbers, two processes, the same fifty families asked for by both at the same moment."""
    numbers = await filled(world, code, 40)
    wish = await world.wish(COVERED)
    (insuree,) = await world.rows(t.insurees, FamilyID=COVERED, IsHead=True)
    (family,) = await world.rows(t.families, FamilyID=COVERED)
    (cover, *_) = await world.rows(t.policies, FamilyID=COVERED)
    wishes = []
    for at in range(50):
        values = {n: v for n, v in family.items() if n not in ("FamilyID", "FamilyUUID")}
        new = await world.put(t.families, **values)
        head = {n: v for n, v in insuree.items() if n not in ("InsureeID", "InsureeUUID")}
        key = await world.put(t.insurees, **{**head, "FamilyID": new, "CHFID": f"9{at:08}"})
        await world.execute(t.families.update().where(t.families.c.FamilyID == new).values(InsureeID=key))
        held = {n: v for n, v in cover.items() if n not in ("PolicyID", "PolicyUUID")}
        await world.put(t.policies, **{**held, "FamilyID": new})
        quote = await world.quote(new)
        wishes.append([quote.key, new, quote.amount.amount_minor, wish.msisdn, "sw"])
    arguments = ["-c", CALLERS, database_url, world.clock.now().isoformat(), json.dumps(wishes)]
    pipe = asyncio.subprocess.PIPE
    callers = [
        await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=pipe, stdout=pipe) for _ in range(2)
    ]
    for caller in callers:
        assert caller.stdout is not None
        assert await asyncio.wait_for(caller.stdout.readline(), 30) == b"ready\n"
    answers = [json.loads(out) for out, _ in await asyncio.gather(*(c.communicate(b"go\n") for c in callers))]
    assert sorted(answers[0]) == sorted(answers[1]), "a family's bill is the same from either"
    given = [number for _, _, number in answers[0] if number]
    assert sorted(given) == sorted(numbers)
    assert len({bill_id for _, bill_id, _ in answers[0]}) == 50


# ------------------------------------------------------------------------------------------------- numbers gone astray


@pytest.mark.parametrize("told", ["number", "bill id", "both"])
async def test_money_for_a_number_that_nobody_has_is_a_case_and_never_a_premium(
    world: World, code: str, told: str
) -> None:
    someone = await world.numbered(SOON)  # for the shape of a payment only
    (number,) = await filled(world, code, 1)
    (row,) = await world.rows(g.pool_number)
    if told == "bill id":  # the payment overtook the number
        await world.execute(g.pool_number.update().values(control_number=None, state="asked"))
    report = world.payment(someone, control_number=number, bill_id=None if told == "number" else row["bill_id"])
    premiums = await world.count(t.premiums)
    assert await world.told(report) == ["unmatched"]
    assert await world.cases() == ["unknown_control_number"]
    assert await world.count(t.premiums) == premiums
    (spent,) = await world.rows(g.pool_number)
    assert (spent["state"], spent["control_number"]) == ("spent", number)
    assert (await world.ask(COVERED)).control_number is None, "it is handed out to nobody"
    assert await world.told(report) == ["duplicate"]


async def test_handing_out_and_paying_at_once(world: World, code: str) -> None:
    """Either the family has it and is covered, or nobody has it and a person looks: never both."""
    someone = await world.numbered(SOON)  # for the shape of a payment only
    (number,) = await filled(world, code, 1)
    (row,) = await world.rows(g.pool_number)
    wish = await world.wish(COVERED)
    await world.receive(world.payment(someone, control_number=number, bill_id=row["bill_id"]))
    bill, _ = await asyncio.gather(world.request(wish, world.clock.now()), world.settle_all())
    assert bill is not None
    (pooled,) = await world.rows(g.pool_number)
    if bill.control_number == number:
        assert (pooled["state"], (await world.bill(bill.id)).state, await world.cases()) == ("bound", "paid", [])
    else:
        assert (pooled["state"], await world.cases()) == ("spent", ["unknown_control_number"])


async def test_a_number_of_the_pool_given_to_a_bill_too_is_a_case(world: World, code: str) -> None:
    (number,) = await filled(world, code, 1)
    world.request = RequestControlNumber(world.database, world.messages, BillPolicy())
    bill = await world.ask(SOON)
    assert await world.told(ControlNumberGiven(bill.id, number)) == ["conflicting"]
    assert (await world.bill(bill.id)).control_number is None
    assert await world.cases() == ["conflict"]


async def test_a_bills_number_given_to_the_pool_too_is_a_case(world: World, code: str) -> None:
    bill = await world.numbered(SOON)
    await filler(world, policy(code, 1, 1))()
    (asked,) = await world.rows(g.pool_number)
    assert await world.told(ControlNumberGiven(asked["bill_id"], bill.control_number or "")) == ["conflicting"]
    assert await world.cases() == ["conflict"]
    assert await world.count(g.pool_number, state="ready") == 0


async def test_a_number_that_is_somebodys_already_is_passed_over(world: World, code: str) -> None:
    """As when a number of the pool was bound to a bill by a payment that overtook it."""
    bill = await world.numbered(SOON)
    first, second = await filled(world, code, 2)
    await world.execute(g.bill.update().where(g.bill.c.id == bill.id).values(control_number=first))
    await world.execute(
        g.pool_number.update()
        .where(g.pool_number.c.control_number == second)
        .values(expires_at=world.clock.now() + timedelta(days=400))
    )
    assert (await world.ask(COVERED)).control_number == second


@pytest.mark.parametrize("why", ["age", "price"])
async def test_what_nobody_can_be_given_is_retired_and_cancelled(world: World, code: str, why: str) -> None:
    await filled(world, code, 2)
    bound = await world.ask(COVERED)
    if why == "age":
        world.clock.pass_(days=336)
    else:
        await world.execute(t.products.update().values(LumpSum=Decimal(40000)))
        world.clock.pass_(seconds=11)
    provider = Provider(outcome=Accepted())
    assert await filler(world, policy(code, enabled=False), provider)() == 1
    (gone,) = await world.rows(g.pool_number, state="retired")
    (payment,) = await world.rows(t.payments, PaymentID=gone["payment_record_id"])
    assert payment["ValidityTo"] is not None
    await effects(world, provider).batch("bills")
    assert [order.bill.id for order in provider.cancels] == [gone["bill_id"]]
    assert (await world.bill(bound.id)).state == "numbered"


async def test_a_day_without_the_provider_calls_nobody(world: World, code: str) -> None:
    """Nobody waits for the pool: what cannot be sent is no case, and is asked for anew by itself."""
    fill = filler(world, policy(code, 1, 1))
    await fill()
    world.clock.pass_(hours=25)
    down = RunEffects(world.database, Peer(always=Unreachable("down")), Provider(), Sms(), world.messages, world.clock)
    await down.batch("bills")
    assert await world.cases() == []
    assert [job["state"] for job in await world.rows(g.outbox)] == ["done"]
    assert await fill() == 2, "one retired, one asked for in its place"

"""The main job in GePG v4: one setting, and bills, numbers, payments and cancellations speak the older language."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ports import free_ports
from processes_harness import Child, Family, Stack, World, gateway_command, until
from sqlalchemy import select

from adapters.registry.openimis.tables import insuree_policies, policies, premiums
from adapters.registry.openimis.types import new_uuid
from gateway.domain.clock import eat_day
from gateway.domain.periods import add_months
from gateway.domain.policy import PolicyStatus
from gateway.store.tables import bill, case, outbox, payment, place

GENERATION = "v4"
PROCESSES = {"sqlite": (1, 0), "postgresql": (2, 2)}  # serving, working
HELD = "reorder"  # a message waits here until another of its kind has gone, so nothing depends on how long tests take


@pytest.fixture(scope="module")
def stack(
    backend: str,
    settings: dict[str, str],
    fresh_database: Any,
    keys: Path,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Stack]:
    """A gateway of its own that asks in the module's generation, and a sandbox that has to be asked in it."""
    version = request.module.GENERATION
    logs = tmp_path_factory.mktemp(f"logs-{version}-{backend}")
    serving, working = PROCESSES[backend]
    own, *ports = free_ports(1 + 2 * serving + working)
    publics, operators, workers = ports[:serving], ports[serving : 2 * serving], ports[2 * serving :]
    bases, sandbox_url = [f"http://127.0.0.1:{port}" for port in publics], f"http://127.0.0.1:{own}"
    url = fresh_database()
    environment = {
        **settings,
        "GATEWAY_DATABASE__URL": url,
        "GATEWAY_GEPG__VERSION": version,
        "GATEWAY_GEPG__URL": f"{sandbox_url}/gepg",
        "GATEWAY_AFRICASTALKING__SMS_URL": f"{sandbox_url}/africastalking/version1/messaging",
        "GATEWAY_WORKER__FOLLOW_EVERY_S": "0.5",
        "GATEWAY_USSD__NUMBER_S": "4",  # three tests wait it out
    }

    def child(name: str, command: list[str], port: int) -> Child:
        return Child(name, command, environment, logs / f"{name}.log", f"http://127.0.0.1:{port}/readyz")

    played = ["-m", "sandbox", "serve", "--port", str(own), "--keys", str(keys), "--gateway", ",".join(bases)]
    played += ["--gepg-delay-s", "0.1"]  # well inside our patience with an answer that waits for its number
    made = Stack(
        backend=backend,
        url=url,
        keys=keys,
        environment=environment,
        sandbox=child("sandbox", [sys.executable, *played], own),
        sandbox_url=sandbox_url,
        serving=[
            child(
                f"serve{at}", gateway_command("serve", "--public-port", str(at), "--operator-port", str(operator)), at
            )
            for at, operator in zip(publics, operators, strict=True)
        ],
        workers=[child(f"work{at}", gateway_command("work", "--operator-port", str(at)), at) for at in workers],
        bases=bases,
        operators=[f"http://127.0.0.1:{port}" for port in operators],
        lease_s=float(settings["GATEWAY_WORKER__LEASE_S"]),
        sms_window=int(settings["GATEWAY_WORKER__SMS_WINDOW"]),
    )
    try:
        for each in made.children:
            each.start()
        made.wait_ready()
        yield made
    finally:
        codes = {each.name: each.stop() for each in reversed(made.children) if each.process is not None}
    assert not any(codes.values()), f"every process ends well when asked to: {codes}"


async def bill_of(world: World, family: Family) -> Any:
    (ours,) = await world.sql.rows(select(bill).where(bill.c.family_id == family.id))
    return ours


async def at_gepg(world: World, family: Family) -> dict[str, Any]:
    """The one bill that GePG holds for a family; it was asked for in this generation."""
    (held,) = await world.bills_at_provider(family)
    assert held["version"] == world.stack.environment["GATEWAY_GEPG__VERSION"]
    return held


async def covered(world: World, family: Family, reference: str) -> list[str]:
    async def told() -> list[str]:
        return await world.sms_like(family.phones[0], reference)

    return await until(told, "the SMS that says covered")


async def live_policies(world: World, family: Family) -> list[int]:
    """The status of every policy beside the old one."""
    mine = (policies.c.FamilyID == family.id, policies.c.ValidityTo.is_(None), policies.c.PolicyID != family.policy_id)
    return [row.PolicyStatus for row in await world.sql.rows(select(policies.c.PolicyStatus).where(*mine))]


async def attempts(world: World, ours: Any) -> int:
    """How often the number was asked for."""
    jobs = (outbox.c.aggregate == f"bill:{ours.id}", outbox.c.kind == "submit_bill")
    return int(await world.sql.scalar(select(outbox.c.attempts).where(*jobs)))


async def ask_without_an_answer(world: World, family: Family) -> dict[str, Any]:
    """Ask, with the number held back; it is known at GePG only."""
    await world.fault("bill_response", HELD, seconds=60)
    screen = await world.phone(family.phones[0]).ask_for_number()
    assert (screen.kind, screen.control_number) == ("END", "")
    assert "itakuja kwa SMS" in screen.text
    held = await at_gepg(world, family)
    assert held["control_number"]
    assert not held["acknowledged"]
    return held


async def let_go(world: World, family: Family) -> None:
    """Another family's number goes out, and what was held follows it."""
    await world.number_for(await world.family())

    async def acknowledged() -> bool:
        return bool((await at_gepg(world, family))["acknowledged"])

    await until(acknowledged, "the number that was held back")
    await world.quiet()


async def test_a_known_phone_renews_its_cover(world: World) -> None:
    family = await world.family(members=3)
    given = await world.phone(family.phones[0]).ask_for_number()
    number = given.control_number
    assert (given.kind, len(number)) == ("CON", 12), "two keys and the number is on the screen"
    held = await at_gepg(world, family)
    assert (held["control_number"], held["amount"], held["pay_opt"]) == (number, "30000.00", 3)

    paid = await world.pay(number, family.phones[0])
    acked = time.monotonic()
    assert paid["status"] == "paid"
    (text,) = await covered(world, family, paid["pay_ref_id"])
    print(f"\n[{world.stack.backend}] v4: from the acknowledgement to the SMS: {time.monotonic() - acked:.2f} s")
    today = eat_day(datetime.now(UTC))
    assert f"{add_months(today, 12) - timedelta(days=1):%d/%m/%Y}" in text
    assert await live_policies(world, family) == [PolicyStatus.ACTIVE]
    ours = await bill_of(world, family)
    assert (ours.state, ours.control_number, ours.paid_minor) == ("paid", number, 3_000_000)
    (told,) = [p for p in await world.sandbox("GET", "/sandbox/payments") if p["pay_ref_id"] == paid["pay_ref_id"]]
    assert (told["version"], told["attempts"]) == ("v4", ["7101"])
    await world.quiet()
    assert len(await world.sms(family.phones[0])) == 2, "the control number and the cover, no more"


async def test_the_number_comes_before_the_answer_to_our_question(world: World) -> None:
    """v4's messages name no request: what is told of early is known by the bill alone."""
    family = await world.family()
    await world.fault("bill_ack", "callback_before_ack")
    number = (await world.phone(family.phones[0]).ask_for_number()).control_number
    assert number
    await world.quiet()
    ours = await bill_of(world, family)
    assert (ours.state, ours.control_number) == ("numbered", number)
    assert len(await world.sms(family.phones[0])) == 1
    assert await attempts(world, ours) == 1


@pytest.mark.parametrize("fault", ["drop", "error_after", "alter"])
async def test_a_lost_answer_is_asked_for_again_and_is_one_bill(world: World, fault: str) -> None:
    """GePG took the bill, we do not know: the resend is a duplicate (7226) and no refusal."""
    family = await world.family()
    await world.fault("bill_response", HELD, seconds=60)  # else the number comes first, and nobody asks again
    await world.fault("bill_ack", fault)
    await world.phone(family.phones[0]).ask_for_number()
    await let_go(world, family)
    ours = await bill_of(world, family)
    assert (ours.state, ours.control_number) == ("numbered", (await at_gepg(world, family))["control_number"])
    assert await attempts(world, ours) == 2
    assert len(await world.sms_like(family.phones[0], "Namba ya malipo")) == 1


async def test_forty_callbacks_of_one_payment(world: World) -> None:
    """20 byte for byte the same and 20 signed anew, at once, over all serving processes."""
    family = await world.family()
    number = await world.number_for(family)
    await world.fault("payment_notification", "drop", forever=True)  # the money has moved; nobody has told us yet
    paid = await world.pay(number, family.phones[0])
    assert paid["status"] == "undelivered"
    reference = paid["pay_ref_id"]
    body = {"pay_ref_id": reference, "times": 20, "concurrency": 20}
    again = (world.sandbox("POST", "/sandbox/redeliver", body | {"fresh": fresh}) for fresh in (False, True))
    for answer in await asyncio.gather(*again):
        assert answer == {"acks": {"7101": 20}, "http": {"200": 20}}
    await world.quiet()
    assert await world.sql.count(premiums, premiums.c.Receipt == reference) == 1
    told = await world.sql.rows(select(payment).where(payment.c.reference == reference))
    assert [(row.state, row.control_number, row.amount_minor) for row in told] == [("settled", number, 3_000_000)]
    assert await live_policies(world, family) == [PolicyStatus.ACTIVE]
    assert len(await world.sms_like(family.phones[0], reference)) == 1
    about = case.c.subject == f"payment:{reference}/{number}"
    assert await world.sql.count(case, about) == 0

    altered = await world.sandbox("POST", "/sandbox/redeliver", {"pay_ref_id": reference, "amount": "29000.00"})
    assert altered["acks"] == {"7101": 1}
    await world.quiet()
    cases = await world.sql.rows(select(case.c.kind, case.c.amount_minor).where(about))
    assert [tuple(row) for row in cases] == [("conflict", 2_900_000)]
    assert await world.sql.count(premiums, premiums.c.Receipt == reference) == 1


async def test_two_bills_paid_in_one_transaction(world: World) -> None:
    """One message, one TrxId, two entries: nobody's money is taken for a duplicate of the other's."""
    families = [await world.family(), await world.family()]
    numbers = [await world.number_for(family) for family in families]
    body = {"control_numbers": numbers, "msisdn": families[0].phones[0]}
    paid = await world.sandbox("POST", "/sandbox/pay", body)
    assert paid["status"] == "paid"
    for family, reference in zip(families, paid["pay_ref_ids"], strict=True):
        await covered(world, family, reference)
        assert await live_policies(world, family) == [PolicyStatus.ACTIVE]
        assert await world.sql.count(premiums, premiums.c.Receipt == reference) == 1


async def test_a_payment_before_its_control_number_is_settled(world: World) -> None:
    family = await world.family()
    held = await ask_without_an_answer(world, family)
    paid = await world.pay(held["control_number"], family.phones[0])
    assert paid["status"] == "paid"
    await covered(world, family, paid["pay_ref_id"])
    await let_go(world, family)
    ours = await bill_of(world, family)
    assert (ours.state, ours.control_number, ours.paid_minor) == ("paid", held["control_number"], 3_000_000)
    assert await live_policies(world, family) == [PolicyStatus.ACTIVE]
    assert await world.sql.count(premiums, premiums.c.Receipt == paid["pay_ref_id"]) == 1
    assert await world.sql.count(case, case.c.bill_id == ours.id) == 0
    assert len(await world.sms(family.phones[0])) == 1, "nobody is asked to pay what is paid"


async def sell_cover(world: World, family: Family) -> None:
    """An officer takes cash at the office: today's cover, written beside us."""

    async def followed() -> bool:
        return await world.sql.count(place) >= 2

    await until(followed, "the first look, before which all is history")
    today = eat_day(datetime.now(UTC))
    days = {
        "StartDate": today,
        "EffectiveDate": today,
        "ExpiryDate": add_months(today, 12) - timedelta(days=1),
        "ValidityFrom": datetime.now(UTC),
    }
    (old,) = await world.sql.rows(select(policies).where(policies.c.PolicyID == family.policy_id))
    members = await world.sql.rows(select(insuree_policies).where(insuree_policies.c.PolicyId == family.policy_id))
    sold = old._asdict() | days | {"PolicyUUID": new_uuid(), "PolicyStatus": int(PolicyStatus.ACTIVE)}
    del sold["PolicyID"]
    async with world.sql.writing() as db:
        key = (await db.execute(policies.insert().values(sold | {"EnrollDate": today}))).inserted_primary_key
        for member in members:
            row = member._asdict() | days | {"PolicyId": key[0], "EnrollmentDate": today}
            del row["InsureePolicyID"]
            await db.execute(insuree_policies.insert().values(row))


async def test_a_number_that_comes_after_its_bill_was_cancelled_is_not_announced(world: World) -> None:
    family = await world.family()
    held = await ask_without_an_answer(world, family)
    await sell_cover(world, family)

    async def cancelled() -> bool:
        return (await at_gepg(world, family))["status"] == "cancelled"

    await until(cancelled, "the cancellation at GePG")
    await let_go(world, family)
    ours = await bill_of(world, family)
    assert (ours.state, ours.control_number) == ("cancelled", held["control_number"])
    (told,) = await world.sms(family.phones[0])  # the cover that came instead of the number that was promised
    assert f"Bima ya {family.chfid} ni HAI hadi " in told
    assert (await world.pay(held["control_number"], family.phones[0]))["code"] == "7283"
    held_back = await world.sql.rows(select(outbox.c.state).where(outbox.c.aggregate == f"bill:{ours.id}"))
    assert {row.state for row in held_back} == {"done"}


async def test_a_number_given_to_two_bills_is_told_to_one(world: World) -> None:
    """Whoever pays it pays the first bill, so the second family must not learn it. A person has to look."""
    first, second = await world.family(), await world.family()
    number = await world.number_for(first)
    await world.fault("bill_response", "same_number")
    screen = await world.phone(second.phones[0]).ask_for_number()
    assert (screen.kind, screen.control_number) == ("END", "")
    assert (await at_gepg(world, second))["control_number"] == number
    await world.quiet()
    theirs = await bill_of(world, second)
    assert (theirs.state, theirs.control_number) == ("submitted", None)
    assert await world.sms(second.phones[0]) == []
    cases = await world.sql.rows(select(case.c.kind, case.c.state).where(case.c.bill_id == theirs.id))
    assert [tuple(row) for row in cases] == [("conflict", "open")]
    paid = await world.pay(number, first.phones[0])
    await covered(world, first, paid["pay_ref_id"])
    assert await live_policies(world, first) == [PolicyStatus.ACTIVE]
    assert await live_policies(world, second) == []
